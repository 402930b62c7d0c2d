package exhaustive

import (
	"math/bits"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// maxSent is how many requests one proposer ever sends.
const maxSent = 12

// kind says what a proposer is there for.
type kind uint8

const (
	writer     kind = iota + 1 // a coordinator: it is elected, and writes entries of its own
	fillsFirst                 // a Fill of position 1
	fillsBoth                  // of both
	fillsLast                  // of position 2
)

// String names the kind.
func (k kind) String() string {
	return [...]string{"nobody", "a writer", "fills 1", "fills 1 and 2", "fills 2"}[k]
}

// proposer is one attempt, and all that it ever sent: messages stay, to be delivered late, again or never.
type proposer struct {
	kind    kind
	sent    [maxSent]requestID
	n       uint8
	asks    requestID // the question that is open; 0 if none is
	end     uint8     // a writer settles everything up to there
	settled uint8     // positions that it knows to be settled, as bits
	elected bool
	written uint8 // own entries that it knows to be chosen, as bits
}

func (p proposer) send(id requestID) proposer {
	p.sent[p.n] = id
	p.n++
	return p
}

// ask sends a question.
func (w *world) ask(p proposer, q request) proposer {
	id := w.requests.id(q)
	p = p.send(id)
	p.asks = id
	return p
}

// start is what a proposer asks first.
func (w *world) start(k uint8, what kind) proposer {
	p := proposer{kind: what}
	last := uint8(w.positions)
	switch what {
	case writer:
		return w.ask(p, request{ask: implicit, by: k})
	case fillsFirst:
		return w.ask(p, request{ask: explicit, by: k, first: 1, last: 1})
	case fillsBoth:
		return w.ask(p, request{ask: explicit, by: k, first: 1, last: last})
	case fillsLast:
		return w.ask(p, request{ask: explicit, by: k, first: last, last: last})
	}
	return p
}

// won is what a round that was won tells: paxos.Won, without what is known anyway.
type won struct {
	end   uint8
	reign reign
	held  [maxPositions]record
}

// goOn returns what a proposer may do after it has won its round. Known is what is known as chosen by anybody whom it could
// copy it from.
func (w *world) goOn(k uint8, p proposer, o won, known [maxPositions]value) []proposer {
	q := w.requests.of(p.asks)
	p.asks = 0
	switch q.ask {
	case implicit:
		p.end = o.end
		return w.settle(k, p, known)
	case explicit:
		return w.propose(k, p, q, o, known)
	case reigning:
		p.elected = true
		return w.append(k, p)
	case writing:
		p = p.send(w.requests.id(request{ask: notice, by: q.by, first: q.first, last: q.last}))
		p.settled |= span(q.first, q.last)
		if p.kind != writer {
			return []proposer{p}
		}
		if !p.elected {
			return w.settle(k, p, known)
		}
		if w.pipelined { // what is chosen has all below it chosen
			p.settled |= span(p.end+1, q.last)
			p.written |= span(p.end+1, q.last)
		}
		p.written |= span(q.first, q.last)
		return w.append(k, p)
	case notice:
	}
	return nil
}

func span(first, last uint8) uint8 { return 1<<(last+1) - 1<<first }

// settle has a writer settle what its promises have shown, from the first position that is missing on. What others know it
// copies, unless it does not reach them.
func (w *world) settle(k uint8, p proposer, known [maxPositions]value) []proposer {
	copied := p
	for at := uint8(1); at <= p.end; at++ {
		if known[at-1] != 0 {
			copied.settled |= 1 << at
		}
	}
	if copied == p {
		return []proposer{w.fill(k, p)}
	}
	return []proposer{w.fill(k, p), w.fill(k, copied)}
}

func (w *world) fill(k uint8, p proposer) proposer {
	missing := span(1, p.end) &^ p.settled
	if p.end == 0 || missing == 0 {
		return w.reign(k, p)
	}
	first := uint8(bits.TrailingZeros8(missing))
	last := first
	for missing&(1<<(last+1)) != 0 {
		last++
	}
	return w.ask(p, request{ask: explicit, by: k, first: first, last: last})
}

// reign is the second round of an election.
func (w *world) reign(k uint8, p proposer) proposer {
	if w.rule.secondly {
		return w.ask(p, request{ask: reigning, by: k, first: p.end + 1})
	}
	p.elected = true
	if next := w.append(k, p); len(next) > 0 {
		return next[0]
	}
	return p
}

// append has an elected writer write its own entries: one after the other, or both at once.
func (w *world) append(k uint8, p proposer) []proposer {
	first := p.end + 1
	if p.written != 0 {
		first = uint8(bits.Len8(p.written)) // the position behind the last that is written
	}
	if first > uint8(w.positions) {
		return []proposer{p}
	}
	if w.pipelined {
		return w.pipeline(k, p, first)
	}
	var all []proposer
	for last := first; last <= uint8(w.positions); last++ {
		if last > first && !w.batches {
			break
		}
		q := request{ask: writing, by: k, first: first, last: last, settled: first - 1}
		for at := first; at <= last; at++ {
			q.values[at-1] = w.own(k)
		}
		all = append(all, w.ask(p, q))
	}
	return all
}

// pipeline has an elected writer write its own entries, each without waiting for the one before. A proposer here counts the
// answers to one question, so it sends both, and counts those to one of them.
func (w *world) pipeline(k uint8, p proposer, first uint8) []proposer {
	one := request{ask: writing, by: k, first: first, last: first, settled: first - 1}
	one.values[first-1] = w.own(k)
	if first == uint8(w.positions) || p.written != 0 {
		one.settled = p.end
		return []proposer{w.ask(p, one)}
	}
	two := request{ask: writing, by: k, first: first + 1, last: first + 1, settled: first - 1}
	two.values[first] = w.own(k)
	early := p.send(w.requests.id(two))
	late := p.send(w.requests.id(one))
	return []proposer{w.ask(p, one), w.ask(early, one), w.ask(late, two)}
}

// own is what a writer writes.
func (w *world) own(k uint8) value {
	if w.alike {
		return 1
	}
	return value(k)
}

// propose has what was found written, unless all of it is learned.
func (w *world) propose(k uint8, p proposer, q request, o won, known [maxPositions]value) []proposer {
	found := paxos.Won{
		Range:   log.Range{First: log.Position(q.first), Last: log.Position(q.last)},
		Actions: actions(o.held, q.first, q.last),
	}
	found.Reign = o.reign.ours()
	below := log.None
	if q.first > 1 {
		below = known[q.first-2].ours().Kind
	}
	values := w.rule.propose(found, proposal(k), below)
	if paxos.AllLearned(values) {
		p.settled |= span(q.first, q.last)
		if p.kind == writer {
			return w.settle(k, p, known)
		}
		return []proposer{p}
	}
	next := request{ask: writing, by: k, first: q.first, last: q.last, settled: q.first - 1}
	for _, a := range values {
		if a.Value.Kind == log.NOP && a.Value.To == 0 {
			next.values[a.Position-1] = empty + value(k)
			continue
		}
		next.values[a.Position-1] = valueOf(a.Value)
	}
	return []proposer{w.ask(p, next)}
}

// takeOver is hole S4: the number that stood in the way becomes the writer's own, and it stays elected.
func (w *world) takeOver(p proposer, seen uint8) proposer {
	q := w.requests.of(p.asks)
	q.by = seen
	return w.ask(p, q)
}
