package main

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// meters are where protoactor's metrics go, and what /metrics collects there; nothing without --actor-metrics.
func (p *program) meters() (metric.MeterProvider, []prometheus.Collector, error) {
	if !p.actorMetrics {
		return nil, nil, nil
	}
	if p.http == "" {
		return nil, nil, usage(errors.New("--actor-metrics: they are served at /metrics of --http: give that, too"))
	}
	own := prometheus.NewRegistry() // it is itself a collector
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(own), otelprometheus.WithoutTargetInfo(), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return nil, nil, fmt.Errorf("--actor-metrics: %w", err)
	}
	return sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter), sdkmetric.WithView(inMicroseconds())), []prometheus.Collector{own}, nil
}

// inMicroseconds has times told apart that actors take: the usual bounds begin with five seconds.
func inMicroseconds() sdkmetric.View {
	bounds := []float64{10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 1}
	return sdkmetric.NewView(
		sdkmetric.Instrument{Name: "proto*", Kind: sdkmetric.InstrumentKindHistogram, Unit: "s"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationExplicitBucketHistogram{Boundaries: bounds}},
	)
}
