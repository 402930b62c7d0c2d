// Package faults shows how an actor of your own is tested against crashes, partitions and lost disks: registry.go is the actor,
// faults_test.go the test. It needs no processes and next to no time: everything runs in one small world, and one seed is one run.
package faults

import (
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// registry gives each name to one owner, for good: whose claim is the first in the log. All registries read that, and say the same.
type registry struct {
	gateway func(log.ReplicaID) *actor.PID
	clock   timer.Clock // the only one that an actor looks at: in a test, time is virtual
	member  log.ReplicaID
	next    uint64 // the first position that it has not read: 1 at first
	owners  map[string]string
	waiting []request
	hasty   bool // a mistake, for the test to find: it says yes before the log does
}

type (
	claim   struct{ name, owner string } // is answered by granted
	granted struct{ name, owner string } // who has the name, which may be somebody else
	due     struct{}
	request struct {
		claim
		from *actor.PID
	}
)

// Receive implements actor.Actor.
func (r *registry) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started, due:
		r.ask(ctx)
	case claim:
		if r.hasty && r.owners[m.name] == "" {
			ctx.Respond(granted(m))
		}
		r.waiting = append(r.waiting, request{m, ctx.Sender()})
	case *messages.ReadResponse:
		for _, a := range m.GetPage().GetActions() {
			if a.GetPosition() == r.next { // an answer may come late, or to a former process's question: only what comes next counts
				r.next++
				r.read(string(a.GetValue().GetData()))
			}
		}
	}
	r.waiting = slices.DeleteFunc(r.waiting, func(w request) bool {
		owner, taken := r.owners[w.name]
		if taken {
			ctx.Send(w.from, granted{w.name, owner})
		}
		return taken
	})
}

// ask appends what waits, and reads on, at one member after the other: any of them may be gone. A claim may be in the log twice.
func (r *registry) ask(ctx actor.Context) {
	r.member = r.member%3 + 1
	for _, w := range r.waiting {
		ctx.Request(r.gateway(r.member), &messages.AppendRequest{Entries: [][]byte{fmt.Appendf(nil, "%s %s", w.name, w.owner)}})
	}
	ctx.Request(r.gateway(r.member), &messages.ReadRequest{From: r.next})
	r.clock.After(50*time.Millisecond, ctx.Self(), due{})
}

func (r *registry) read(entry string) {
	var name, owner string
	if _, err := fmt.Sscan(entry, &name, &owner); err == nil && r.owners[name] == "" { // not each position has an entry
		r.owners[name] = owner
	}
}
