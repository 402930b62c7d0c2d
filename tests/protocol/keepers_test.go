package protocol

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/status"
)

// app is a process that keeps actors: a keeper with its port, and somebody who asks it.
type app struct {
	t       *testing.T
	cluster *logtest.Cluster
	node    *actortest.Node
	probe   *actortest.Probe
	lives   int
}

func newApp(t *testing.T, c *logtest.Cluster, name string) *app {
	t.Helper()
	a := &app{t: t, cluster: c, node: c.World.Node(name)}
	a.start()
	return a
}

func (a *app) start() {
	a.lives++
	port := a.node.Spawn("port", a.cluster.Port(a.node))
	a.node.Spawn("keeper", actor.PropsFromProducer(persistence.Keeper(persistence.Settings{Port: port, Clock: a.node.Clock(), Keep: 3})))
	a.probe = a.node.Probe("actor")
}

// restart ends the process as a power cut does, and starts it again.
func (a *app) restart() {
	a.node.Restart()
	a.start()
}

// inquire asks the keeper, and returns its answer, which is no refusal.
func inquire[T any](a *app, question any) T {
	a.t.Helper()
	a.probe.Request(a.node.PID("keeper"), question)
	return actortest.Await[T](a.t, a.probe, time.Minute)
}

// activate has a counter activated, and returns its journal and what it replays. A keeper that is passed by a truncation is asked
// again, as a Provider does it.
func (a *app) activate() (journal persistence.Activated, sum int64) {
	a.t.Helper()
	for {
		before := len(a.probe.Messages())
		a.probe.Request(a.node.PID("keeper"), persistence.Activate{Owner: "a", By: fmt.Sprint(a.node.Address(), a.lives, a.cluster.World.Elapsed())})
		a.cluster.World.Must(a.t, time.Minute, "the keeper answers", func() bool { return len(a.probe.Messages()) > before })
		switch answer := a.probe.Messages()[before].(type) {
		case persistence.Activated:
			a.probe.Forget()
			return answer, a.replay(answer)
		case persistence.Refused:
			if !errors.Is(answer.Err, persistence.ErrUnknown) {
				a.t.Fatalf("seed %d: not activated: %v", a.cluster.World.Seed(), answer.Err)
			}
		}
	}
}

func (a *app) replay(j persistence.Activated) (sum int64) {
	a.t.Helper()
	var at []log.Position
	if j.Snapshot > 0 {
		at = append(at, j.Snapshot)
	}
	for _, s := range j.Spans {
		at = append(at, s.At)
	}
	a.probe.Request(a.node.PID("port"), persistence.Fetch{At: at})
	found := actortest.Await[persistence.Fetched](a.t, a.probe, time.Minute)
	if found.Err != nil {
		a.t.Fatalf("seed %d: the journal cannot be read: %v", a.cluster.World.Seed(), found.Err)
	}
	for _, e := range found.Entries {
		_, body, err := codec.DecodeJournalEntry(e.Data)
		if err != nil {
			a.t.Fatal(err)
		}
		if body.State != nil {
			sum += number(a.t, body.State)
		}
		for _, event := range body.Events {
			sum += number(a.t, event)
		}
	}
	return sum
}

func number(t *testing.T, packed *anypb.Any) int64 {
	t.Helper()
	var n wrapperspb.Int64Value
	if err := packed.UnmarshalTo(&n); err != nil {
		t.Fatal(err)
	}
	return n.GetValue()
}

// count writes an event, which must count, and returns the index that comes next.
func (a *app) count(j persistence.Activated, index uint64, n int64) uint64 {
	a.t.Helper()
	inquire[persistence.Written](a, events(j.Activation, index, n))
	return index + 1
}

func (a *app) expectRefused(question any, want error) {
	a.t.Helper()
	if err := inquire[persistence.Refused](a, question).Err; !errors.Is(err, want) {
		a.t.Errorf("seed %d: refused with %v, want %v", a.cluster.World.Seed(), err, want)
	}
}

func TestAnActorGoesOnElsewhereAndIsFencedWhereItWas(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := logtest.Start(t, seed, 3)
		here, there := newApp(t, c, "here:1"), newApp(t, c, "there:1")
		j, _ := here.activate()
		for i := range int64(5) {
			here.count(j, uint64(i), i+1)
			c.Member(log.ReplicaID(1 + i%3)).Restart()
		}
		k, sum := there.activate()
		if sum != 15 || k.Next != 5 {
			t.Fatalf("it goes on with %d after %d events", sum, k.Next)
		}
		here.expectRefused(events(j.Activation, 5, 100), persistence.ErrFenced)
		there.count(k, 5, 6)
		if _, sum := here.activate(); sum != 21 {
			t.Errorf("back again it is %d", sum)
		}
		c.Recover()
		c.Check()
	})
}

func TestAKeeperThatEndsWithItsProcessIsFollowedByOneThatKnowsAll(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := logtest.Start(t, seed, 3)
		a := newApp(t, c, "app:1")
		total := int64(0)
		for life := range int64(4) {
			j, sum := a.activate()
			if sum != total {
				t.Fatalf("life %d begins with %d, want %d", life, sum, total)
			}
			next := j.Next
			for n := range int64(5) {
				next = a.count(j, next, n)
				total += n
			}
			if life == 1 {
				inquire[persistence.Written](a, state(j.Activation, next, total))
			}
			a.restart()
			c.Member(log.ReplicaID(1 + life%3)).Wipe()
			c.Recover()
		}
		c.Check()
	})
}

func TestAKeeperThatWasCutOffWhileTheLogWasTruncatedGoesOn(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := logtest.Start(t, seed, 3)
		here, there := newApp(t, c, "here:1"), newApp(t, c, "there:1")
		j, _ := here.activate()
		here.count(j, 0, 1)
		c.World.Net.Isolate("here:1")
		k, _ := there.activate()
		next, total := k.Next, int64(1)
		for n := range int64(20) {
			next, total = there.count(k, next, n), total+n
			inquire[persistence.Written](there, state(k.Activation, next, total))
		}
		c.Pass(5 * time.Second)
		c.World.Net.Join("here:1")
		if begin := c.Member(1).Store.Metadata().Begin; begin < 10 {
			t.Fatalf("the log begins at %d", begin)
		}
		here.expectRefused(events(j.Activation, 1, 100), persistence.ErrFenced)
		if _, sum := here.activate(); sum != total {
			t.Errorf("it goes on with %d, want %d", sum, total)
		}
		c.Require(status.Voting, time.Minute)
		c.Check()
	})
}

// While one activation takes snapshots and has the log truncated, others come, one after the other.
func TestActivationsWhileTheLogIsTruncatedFindAll(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := logtest.Start(t, seed, 3)
		apps := []*app{newApp(t, c, "one:1"), newApp(t, c, "two:1")}
		total := int64(0)
		for round := range 10 {
			a := apps[round%2]
			j, sum := a.activate()
			if sum != total {
				t.Fatalf("round %d begins with %d, want %d", round, sum, total)
			}
			next := j.Next
			for n := range int64(4) {
				next, total = a.count(j, next, n), total+n
			}
			inquire[persistence.Written](a, state(j.Activation, next, total)) // and the next activation comes while the log is truncated
		}
		c.Pass(time.Second)
		if begin := c.Member(1).Store.Metadata().Begin; begin < 30 {
			t.Errorf("the log begins at %d", begin)
		}
		c.Check()
	})
}
