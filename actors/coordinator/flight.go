package coordinator

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/round"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// How many batches may be on their way. A batch that is not full waits while so many are, and meanwhile becomes larger:
// a round costs about the same, however much is in it.
const (
	maxFlight  = 8 // of full batches, each of up to log.MaxRunBytes
	maxPartial = 2 // of batches that are not full
)

// flight is the batches that are on their way, in the order of their positions. There is no gap between them.
type flight []*flying

// flying is one batch that is on its way.
type flying struct {
	round   *actor.PID
	batch   []request
	run     log.Range
	values  []log.Value
	done    bool
	outcome round.Done
	repeats []request // whose values are all there already, the last one in this batch
}

// land notes the outcome of a round, and says whether it is one of these: one that a former election gave up on is not.
func (f flight) land(pid *actor.PID, m round.Done) bool {
	for _, b := range f {
		if b.round.Equal(pid) {
			b.done, b.outcome = true, m
			return true
		}
	}
	return false
}

// chosen is how many of the batches are chosen: with a batch, all below it are (see paxos.Linked).
func (f flight) chosen() int {
	for n := len(f); n > 0; n-- {
		if f[n-1].won() {
			return n
		}
	}
	return 0
}

// over says whether nothing is on its way any more.
func (f flight) over() bool {
	for _, b := range f {
		if !b.done {
			return false
		}
	}
	return true
}

// abandon ends every round: what becomes of its batch is unknown.
func (f flight) abandon(ctx actor.Context) {
	for _, b := range f {
		if !b.done {
			ctx.Poison(b.round)
			b.done, b.outcome = true, round.Done{Outcome: paxos.Unheard{}, Unclear: true}
		}
	}
}

func (b *flying) won() bool {
	_, won := b.outcome.Outcome.(paxos.Won)
	return b.done && won
}
