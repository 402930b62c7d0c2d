package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	virtual "github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/cluster/clusterproviders/automanaged"
	"github.com/asynkron/protoactor-go/cluster/identitylookup/disthash"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/labstack/echo/v4"
)

const (
	name  = "counters"  // of the cluster of grains
	every = time.Second // how often the hosts are looked for: about as long as a grain is away whose host was killed
)

// join makes this process a member of protoactor's cluster. Its list of members has nothing to do with that of the log: the one says where
// a grain is likely to be, the other who has a vote. Everything is on the loopback, as the module's remote lets everybody in
// (docs/security.md).
func join(ctx context.Context, id int, hosts []string, kinds ...*virtual.Kind) (*virtual.Cluster, error) {
	if id < 1 || id > len(hosts) {
		return nil, fmt.Errorf("there is no host %d: -hosts has one for each member", id)
	}
	said, err := new(net.ListenConfig).Listen(ctx, "tcp", hosts[id-1])
	if err != nil {
		return nil, fmt.Errorf("say that this member hosts grains: %w", err)
	}
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	server := echo.New() // left to itself, the provider listens on all addresses of the machine
	server.HideBanner, server.HidePort, server.Listener = true, true, said
	server.GET("/_health", func(c echo.Context) error {
		host, port, err := system.GetHostPort()
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, automanaged.NewNode(name, system.ID, host, port, 0, []string{"counter"}))
	})
	c := virtual.New(system, virtual.Configure(name, automanaged.NewWithTesting(every, 0, server, hosts...), disthash.New(),
		remote.Configure("127.0.0.1", 0), virtual.WithKinds(kinds...)))
	c.StartMember()
	return c, nil
}
