package historytest

import (
	"math/rand/v2"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
)

// Plain takes out of a history what a search for an order does not see: sessions, readers, refused fences, and how much of the
// log a reader was told there is, or a member has behind what it shows.
func (s *Sample) Plain() {
	for _, o := range s.History.Operations {
		o.Session, o.Reader, o.Fenced = 0, 0, false
		o.View.Begin = 0
		if !o.Linearizable {
			o.View.Learned = 0
		}
	}
	for i := range s.Logs {
		s.Logs[i].View.Learned = log.MaxPosition
	}
}

// Wobble changes something of which nobody knows whether it breaks the history.
func Wobble(random *rand.Rand, s *Sample) {
	some := s.History.Operations
	o := some[random.IntN(len(some))]
	shift := time.Duration(random.IntN(61) - 30)
	switch random.IntN(7) {
	case 0:
		o.Call = min(o.Call+shift, o.Return)
	case 1:
		if o.Return != history.Never {
			o.Return = max(o.Call, o.Return+shift)
		}
	case 2:
		s.forget(o, random.IntN(2) == 0)
	case 3:
		a, b, found := pair(random, s.won(), func(_, _ *history.Operation) bool { return true })
		if found {
			a.Fence, b.Fence = b.Fence, a.Fence
		}
	case 4:
		if few := log.Position(random.IntN(3)); (o.Kind == history.Elect || o.Kind == history.Catchup) && o.Told.Last > few {
			o.Told.Last += 1 - few
		}
	default:
		a, b, found := pair(random, s.kept(), func(a, b *history.Operation) bool { return a.Told.Len() == b.Told.Len() })
		if found {
			s.exchange(a, b)
		}
	}
}

// forget takes an append's answer away, or turns a doubt into a rejection.
func (s *Sample) forget(o *history.Operation, answer bool) {
	switch {
	case o.Kind != history.Append:
	case o.Outcome == history.Succeeded && answer:
		o.Outcome, o.Told = history.Unknown, log.Range{}
	case o.Outcome == history.Unknown:
		o.Outcome = history.Rejected
	}
}

// exchange has two appends of equal length change places, and their clients know.
func (s *Sample) exchange(a, b *history.Operation) {
	for i := range log.Position(len(a.Entries)) {
		s.swap(a.Told.First+i, b.Told.First+i)
	}
	a.Told, b.Told = b.Told, a.Told
}
