package grain

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	virtual "github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/cluster/clusterproviders/automanaged"
	"github.com/asynkron/protoactor-go/cluster/identitylookup/disthash"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// patience is how long a caller waits for one answer: longer than a host that is gone stays on the list.
const patience = 2 * time.Second

// caller counts by a grain, as a client of protoactor's cluster.
type caller struct {
	cluster      *virtual.Cluster
	asked, acked int64 // how often it was told to count, and said that it did
	total        int64 // what it said last

	mu   sync.Mutex
	left time.Time // when a host was missed last
}

func call(t *testing.T, hosts []string) *caller {
	t.Helper()
	own := system()
	c := &caller{cluster: virtual.New(own, virtual.Configure("grains", automanaged.NewWithConfig(every, 0, hosts...), disthash.New(),
		remote.Configure("127.0.0.1", 0)))}
	own.EventStream.Subscribe(func(event any) {
		if topology, is := event.(*virtual.ClusterTopology); is && len(topology.GetLeft()) > 0 {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.left = time.Now()
		}
	})
	c.cluster.StartClient()
	return c
}

// count asks until there is an answer, and checks that nothing is lost of what was acknowledged, and nothing there that was not asked for.
func (c *caller) count(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(limit); ; {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		c.asked++
		answer, err := Request(ctx, c.cluster, "counter", "a", wrapperspb.Int64(1))
		cancel()
		if err == nil {
			c.acked++
			c.total = answer.(*wrapperspb.Int64Value).GetValue()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("nobody counts: %v", err)
		}
	}
	if c.total < c.acked || c.total > c.asked {
		t.Fatalf("it says %d, after %d of %d were acknowledged", c.total, c.acked, c.asked)
	}
}

// place is the address that the grain is at; empty where the cluster module cannot tell just now.
func (c *caller) place() string { return c.cluster.Get("a", "counter").GetAddress() }

// missed is when a host was missed last.
func (c *caller) missed() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left
}

func TestAGrainGoesOnElsewhereWhenItsHostIsKilledAndComesBackWithIt(t *testing.T) {
	if !alone(t) {
		return
	}
	all := func() []string { return []string{free(t), free(t), free(t)} }
	h := host{Log: all(), Hosts: all(), Grain: all()}
	hosts, told := make([]*running, len(h.Log)), make([]host, len(h.Log))
	for i := range hosts {
		h.ID, h.Data = i+1, t.TempDir()
		hosts[i], told[i] = launch(t, h), h
	}
	for _, r := range hosts {
		r.said(t, "ready")
	}
	c := call(t, h.Hosts)
	for range 250 { // two snapshots, and some events
		c.count(t)
	}
	first := c.place()
	victim := slices.Index(h.Grain, first)

	hosts[victim].kill()
	killed := time.Now()
	c.count(t)
	answered := time.Since(killed)
	second := c.place()
	if second == first {
		t.Fatalf("it is still at %s, whose process was killed", first)
	}
	activated := hosts[slices.Index(h.Grain, second)].said(t, "activated ")
	t.Logf("measured: the host was killed, and the grain answered elsewhere after %v: the cluster module missed the host after %v, "+
		"the activation with its replay took %s", answered, c.missed().Sub(killed), activated)
	for range 50 {
		c.count(t)
	}

	hosts[victim] = launch(t, told[victim])
	for end := time.Now().Add(limit); c.place() != first; {
		if time.Now().After(end) {
			t.Fatalf("its host is back, and it is still at %s", second)
		}
		c.count(t)
	}
	hosts[victim].said(t, "activated ")
	for range 50 {
		c.count(t)
	}
}
