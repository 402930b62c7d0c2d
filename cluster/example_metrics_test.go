package cluster_test

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/quorumlog/quorumlog/cluster"
)

// The metrics of a log and protoactor's own, in one registry of Prometheus. Whatever else takes metrics of OpenTelemetry may be in the
// place of the exporter.
func ExampleNode_Collector() {
	ctx := context.Background()
	data, err := os.MkdirTemp("", "quorumlog")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(data) }() // a temporary directory: nothing is lost if it stays

	registry := prometheus.NewPedanticRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutTargetInfo())
	if err != nil {
		panic(err)
	}
	node, err := cluster.Start(ctx, cluster.Config{
		ID: 1, Data: data + "/1", AutoInitialize: true,
		Members:       []cluster.Member{{ID: 1, Address: freeAddress()}},
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter)), // protoactor's; without it there are none
	})
	if err != nil {
		panic(err)
	}
	registry.MustRegister(node.Collector()) // the log's
	if _, err := node.Append(ctx, []byte("one")); err != nil {
		panic(err)
	}
	families, err := registry.Gather()
	var names []string
	for _, family := range families {
		names = append(names, family.GetName())
	}
	fmt.Println(err)
	fmt.Println(slices.Contains(names, "quorumlog_appends_total"))
	fmt.Println(slices.Contains(names, "protoactor_actor_spawn_count_total"))
	fmt.Println("closed:", node.Close())
	// Output:
	// <nil>
	// true
	// true
	// closed: <nil>
}
