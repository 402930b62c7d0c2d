package paxos_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// The rules alone, without actors, disks or clocks: replicas that are maps, proposers that do what the coordinator and a
// fill do, and a network that delays, doubles, loses and reorders. What is checked at every step:
//
//   - at each position, at most one value is ever accepted by a quorum under one proposal: no two values are chosen;
//   - no two values are written at one position under one proposal;
//   - what is promised never sinks, what was accepted neither, and nothing is accepted above what is promised;
//   - what is marked as learned is chosen, and so is what a proposer saw written by a quorum;
//   - of a write that is not unclear nothing is ever chosen.

// island is a small cluster.
type island struct {
	*rand.Rand
	t         *testing.T
	seed      uint64
	replicas  []*acting
	proposers []*proposer
	mail      []func()
	accepted  map[place]log.Value
	holders   map[place][]log.ReplicaID
	chosen    map[log.Position]log.Value
	denied    map[string]bool // entries that certainly are not in the log
	duels     int             // values that were found and chosen by another proposer than their own
}

// place is a position in the eyes of one proposal.
type place struct {
	at log.Position
	by log.Proposal
}

func newIsland(t *testing.T, seed uint64, replicas, proposers int) *island {
	w := &island{Rand: rand.New(rand.NewPCG(seed, uint64(replicas))), t: t, seed: seed,
		accepted: map[place]log.Value{}, holders: map[place][]log.ReplicaID{}, chosen: map[log.Position]log.Value{},
		denied: map[string]bool{}}
	for id := range replicas {
		w.replicas = append(w.replicas, &acting{
			w: w, id: log.ReplicaID(id + 1), state: paxos.Acceptor{Begin: 1}, held: map[log.Position]log.Action{}})
	}
	for id := range proposers {
		w.proposers = append(w.proposers, &proposer{w: w, id: log.ReplicaID(id + 1)})
	}
	return w
}

func (w *island) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("seed %d, %d replicas: %s", w.seed, len(w.replicas), fmt.Sprintf(format, args...))
}

// step delivers, doubles or loses a message, or has a proposer begin anew, whatever it did before.
func (w *island) step() {
	if len(w.mail) == 0 || w.IntN(15) == 0 {
		w.proposers[w.IntN(len(w.proposers))].begin()
		return
	}
	i := w.IntN(len(w.mail))
	letter := w.mail[i]
	luck := w.IntN(20)
	if luck > 1 {
		w.mail = slices.Delete(w.mail, i, i+1)
	}
	if luck != 2 {
		letter()
	}
}

// voted takes down that a replica accepted a value.
func (w *island) voted(a log.Action, by log.ReplicaID) {
	at := place{a.Position, a.Performed}
	if v, found := w.accepted[at]; found && !v.Equal(a.Value) {
		w.fail("at %d proposal %s wrote %s and %s", at.at, at.by, showValue(v), showValue(a.Value))
	}
	w.accepted[at] = a.Value
	if slices.Contains(w.holders[at], by) {
		return
	}
	w.holders[at] = append(w.holders[at], by)
	if 2*len(w.holders[at]) > len(w.replicas) {
		w.choose(at, a.Value)
	}
}

func (w *island) choose(at place, v log.Value) {
	old, found := w.chosen[at.at]
	switch {
	case found && !old.Equal(v):
		w.fail("at %d both %s and %s are chosen, the last under %s", at.at, showValue(old), showValue(v), at.by)
	case w.denied[string(v.Data)]:
		w.fail("at %d %s is chosen, of which its proposer was told that it is not in the log", at.at, showValue(v))
	}
	w.chosen[at.at] = v
}

// mustBeChosen checks what somebody believes to be chosen.
func (w *island) mustBeChosen(at log.Position, v log.Value, who string) {
	if c, found := w.chosen[at]; !found || !c.Equal(v) {
		w.fail("%s believes that %s is chosen at %d, where there is %q", who, showValue(v), at, showValue(c))
	}
}

func TestNoTwoValuesAreEverChosen(t *testing.T) {
	for _, c := range []struct {
		replicas, proposers int
		seeds               uint64
	}{{3, 2, 1500}, {3, 3, 1500}, {5, 4, 1500}} {
		t.Run(fmt.Sprintf("%d replicas, %d proposers", c.replicas, c.proposers), func(t *testing.T) {
			chosen, duels, denied := 0, 0, 0
			for seed := range c.seeds {
				w := newIsland(t, seed, c.replicas, c.proposers)
				for range 500 {
					w.step()
				}
				chosen, duels, denied = chosen+len(w.chosen), duels+w.duels, denied+len(w.denied)
			}
			t.Logf("%d positions chosen, %d duels, %d entries denied", chosen, duels, denied)
			if n := int(c.seeds); chosen < n || duels < n/10 || denied < n/50 {
				t.Error("the schedules are too dull to show anything")
			}
		})
	}
}

// TestLateLowerProposalDoesNotReplaceChosenValue is hole S1, step by step: a promise of a lower proposal that was on its way
// all the time must not be granted where a higher one was accepted.
func TestLateLowerProposalDoesNotReplaceChosenValue(t *testing.T) {
	w := newIsland(t, 0, 5, 0)
	high, low, next := log.NewProposal(6, 1), log.NewProposal(4, 2), log.NewProposal(7, 3)
	a, b, c, d, e := w.replicas[0], w.replicas[1], w.replicas[2], w.replicas[3], w.replicas[4]
	one := log.Span(1, 1)
	for _, r := range []*acting{a, b, d} { // the quorum that grants 6 is not the one that accepts it
		r.apply(high, paxos.PromiseRange(r.state, r.within(one), high, one))
	}
	for _, r := range []*acting{a, b, c} {
		r.apply(high, paxos.Write(r.state, r.within(one), high, 1, values("v")))
	}
	for _, r := range []*acting{c, e} { // promises come late, and the write after them
		r.apply(low, paxos.PromiseRange(r.state, r.within(one), low, one))
		r.apply(low, paxos.Write(r.state, r.within(one), low, 1, values("u")))
	}
	tally := paxos.NewTally(paxos.AskRange, 5)
	outcome := paxos.Outcome(paxos.Pending{})
	for _, r := range []*acting{c, d, e} {
		v := paxos.PromiseRange(r.state, r.within(one), next, one)
		outcome = tally.Add(paxos.Vote{From: r.id, Incarnation: identity.Incarnation{Generation: 1}, Answer: v.Answer})
	}
	won, ok := outcome.(paxos.Won)
	if !ok {
		t.Fatalf("got %s", showOutcome(outcome))
	}
	if got := showRecords(paxos.Propose(won, next, log.None)); got != "1=v@7.3" {
		t.Errorf("v is chosen, and the next proposer proposes %s", got)
	}
}
