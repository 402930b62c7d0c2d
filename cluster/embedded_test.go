package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"go.uber.org/goleak"
	"google.golang.org/grpc"

	"github.com/quorumlog/quorumlog/log"
)

// hosting is a program's own actor system, with a remote of its own and an actor that others know.
type hosting struct {
	*actor.ActorSystem
	remote *remote.Remote
	asked  chan any
}

// newHosting starts a system that listens on an address, with options that are the program's own business.
func newHosting(t *testing.T, address string) *hosting {
	t.Helper()
	host, port, err := split(address)
	if err != nil {
		t.Fatal(err)
	}
	h := &hosting{ActorSystem: actor.NewActorSystem(), asked: make(chan any, 8)}
	h.remote = remote.NewRemote(h.ActorSystem, remote.Configure(host, port,
		remote.WithServerOptions(grpc.MaxRecvMsgSize(8<<20)), remote.WithCallOptions(grpc.MaxCallRecvMsgSize(8<<20)),
		remote.WithEndpointWriterBatchSize(64)))
	h.remote.Start()
	_, err = h.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, isTouch := ctx.Message().(*actor.Touch); isTouch {
			h.asked <- m
		}
	}), "program")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.remote.Shutdown(true) })
	return h
}

// names are the actors of the system, but for those of the remote, which come and go with its peers.
func (h *hosting) names() []string {
	var names []string
	for _, bucket := range h.ProcessRegistry.LocalPIDs.LocalPIDs {
		names = append(names, bucket.Keys()...)
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return len(name) > len(supervisor) && name[:len(supervisor)] == supervisor
	})
}

func TestAProgramsOwnSystemIsAsItWasOnceItsLogsAreClosed(t *testing.T) {
	if !alone(t) {
		return
	}
	m := &company{t: t, data: t.TempDir(), nodes: make(map[log.ReplicaID]*Node)}
	systems := make(map[log.ReplicaID]*hosting)
	for id := range log.ReplicaID(2) {
		m.list = append(m.list, Member{id + 1, free(t)})
	}
	m.alter = func(c *Config) { c.System = systems[c.ID].ActorSystem }
	for _, one := range m.list {
		systems[one.ID] = newHosting(t, one.Address)
	}
	for _, a := range m.list { // so that the remotes have what they keep of each other
		for _, b := range m.list {
			systems[a.ID].Root.Send(actor.NewPID(b.Address, "program"), &actor.Touch{})
			await(t, systems[b.ID].asked, "the program's actor to be asked")
		}
	}
	goroutines := goleak.IgnoreCurrent()
	actors, subscribers := make(map[log.ReplicaID][]string), make(map[log.ReplicaID]int32)
	for id, s := range systems {
		actors[id], subscribers[id] = sorted(s.names()), s.EventStream.Length()
	}
	for _, one := range m.list {
		m.start(one.ID, "orders")
	}
	m.use("orders")
	for _, one := range m.list {
		m.stop(one.ID)
	}
	for id, s := range systems {
		if now := sorted(s.names()); !slices.Equal(now, actors[id]) {
			t.Errorf("system %d has the actors %v, and had %v", id, now, actors[id])
		}
		if now := s.EventStream.Length(); now != subscribers[id] {
			t.Errorf("system %d has %d subscriptions, and had %d", id, now, subscribers[id])
		}
		s.Root.Send(actor.NewPID(m.list[2-id].Address, "program"), &actor.Touch{}) // the other one
		await(t, systems[3-id].asked, "the program's actor, which goes on, to be asked")
	}
	// protoactor counts the letters to actors that have ended, and has a goroutine for it that sleeps.
	goleak.VerifyNone(t, goroutines, goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1"))
}

// use writes to all logs through every member, and opens and closes one more, and clients of others.
func (m *company) use(name string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 30*time.Second)
	defer cancel()
	for id := range maps.Keys(m.nodes) {
		m.await(id, "", name)
	}
	for id, n := range m.nodes {
		m.append(id, "", fmt.Sprint(id))
		m.append(id, name, fmt.Sprint(id))
		other, err := n.Log(name)
		if err != nil {
			m.t.Fatal(err)
		}
		if _, err := other.Append(ctx, []byte("as a client")); err != nil {
			m.t.Fatal(err)
		}
		more, err := n.OpenLog(ctx, LogConfig{Name: "more"})
		if err != nil {
			m.t.Fatal(err)
		}
		if err := more.Close(); err != nil {
			m.t.Error(err)
		}
	}
}

func sorted(names []string) []string {
	slices.Sort(names)
	return names
}
