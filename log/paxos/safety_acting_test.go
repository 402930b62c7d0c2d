package paxos_test

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// acting is a replica of an island: a map as disk.
type acting struct {
	w     *island
	id    log.ReplicaID
	state paxos.Acceptor
	held  map[log.Position]log.Action
}

// within returns the records in a range, in order.
func (r *acting) within(in log.Range) []log.Action {
	var held []log.Action
	for p := in.First; p <= min(in.Last, r.state.End); p++ {
		if a, found := r.held[p]; found {
			held = append(held, a)
		}
	}
	return held
}

// answer decides a question. Explicit promises are sometimes granted for a prefix only, as where the answer gets too large.
func (r *acting) answer(q question) paxos.Answer {
	var v paxos.Verdict
	switch q.kind {
	case paxos.AskImplicit:
		v = paxos.Promise(r.state, q.by)
	case paxos.AskRange:
		if q.r.Len() > 1 && r.w.IntN(4) == 0 {
			q.r.Last--
		}
		v = paxos.PromiseRange(r.state, r.within(q.r), q.by, q.r)
	case paxos.AskWrite:
		v = paxos.Write(r.state, r.within(q.r), q.by, q.r.First, q.values)
	case paxos.AskOpinion: // nobody asks: it changes nothing
	}
	r.apply(q.by, v)
	return v.Answer
}

// apply stores a verdict, and checks that no promise is taken back.
func (r *acting) apply(by log.Proposal, v paxos.Verdict) {
	if v.Promised > 0 || len(v.Store) > 0 {
		r.state.Highest = max(r.state.Highest, by)
	}
	if v.Promised > 0 && v.Promised < r.state.Promised {
		r.w.fail("replica %d lowers its implicit promise from %s to %s", r.id, r.state.Promised, v.Promised)
	}
	r.state.Promised = max(r.state.Promised, v.Promised)
	for _, a := range v.Store {
		r.put(a)
	}
}

func (r *acting) put(a log.Action) {
	old := r.held[a.Position]
	switch {
	case old.Learned:
		r.w.fail("replica %d replaces the learned %s by %s", r.id, showRecord(old), showRecord(a))
	case a.Performed > a.Promised:
		r.w.fail("replica %d accepts above its promise: %s", r.id, showRecord(a))
	case a.Promised < old.Promised || a.Performed < old.Performed:
		r.w.fail("replica %d takes %s back for %s", r.id, showRecord(old), showRecord(a))
	case a.Performed > old.Performed && a.Performed < r.state.Promised:
		r.w.fail("replica %d promised %s and accepts %s", r.id, r.state.Promised, showRecord(a))
	}
	r.held[a.Position] = a
	r.state.End = max(r.state.End, a.Position)
	if a.Performed > old.Performed {
		r.w.voted(a, r.id)
	}
}

// notice marks what is chosen.
func (r *acting) notice(by log.Proposal, in log.Range) {
	for _, run := range paxos.Chosen(r.within(in), by) {
		for p := run.First; p <= run.Last; p++ {
			a := r.held[p]
			a.Learned = true
			r.held[p] = a
			r.w.mustBeChosen(p, a.Value, fmt.Sprintf("replica %d", r.id))
		}
	}
}

// question is what a proposer asks everybody.
type question struct {
	kind   paxos.Question
	by     log.Proposal
	r      log.Range
	values []log.Value
}

// proposer tries to fill what there is, or to be elected and then to append.
type proposer struct {
	w       *island
	id      log.ReplicaID
	by      log.Proposal
	asked   question
	attempt int
	tally   *paxos.Tally
	own     bool      // what is asked is a write of entries of its own
	over    bool      // it failed, and what else is heard only makes it clearer
	todo    log.Range // to be filled under this proposal
	elected bool      // by an implicit promise: appends when everything is filled
	next    log.Position
	seen    log.Proposal
}

func (p *proposer) begin() {
	p.giveUp()
	p.by = max(p.by, p.seen).Next(p.id)
	p.elected, p.todo = false, log.Range{}
	if p.w.IntN(2) == 0 {
		p.ask(question{kind: paxos.AskImplicit})
		return
	}
	p.todo = log.Span(1+log.Position(p.w.IntN(3)), 1+p.w.IntN(3))
	p.goOn()
}

// giveUp ends a question. Entries of which it is certain that they are not in the log are never in the log.
func (p *proposer) giveUp() {
	if p.own && !p.tally.Unclear(len(p.asked.values)) {
		for i, v := range p.asked.values {
			if c := p.w.chosen[p.asked.r.First+log.Position(i)]; c.Equal(v) {
				p.w.fail("%s is chosen, of which proposer %d is told that it is not in the log", showValue(v), p.id)
			}
			p.w.denied[string(v.Data)] = true
		}
	}
	p.tally, p.own, p.over = nil, false, false
	p.attempt++
}

func (p *proposer) ask(q question) {
	p.attempt++
	q.by = p.by
	p.asked, p.tally = q, paxos.NewTally(q.kind, len(p.w.replicas))
	attempt := p.attempt
	for _, r := range p.w.replicas {
		p.w.mail = append(p.w.mail, func() {
			answer := r.answer(q)
			p.w.mail = append(p.w.mail, func() { p.hear(attempt, r.id, answer) })
		})
	}
}

func (p *proposer) hear(attempt int, from log.ReplicaID, answer paxos.Answer) {
	if attempt != p.attempt || p.tally == nil {
		return
	}
	outcome := p.tally.Add(paxos.Vote{From: from, Incarnation: identity.Incarnation{Generation: 1}, Answer: answer})
	if p.over {
		return
	}
	switch o := outcome.(type) {
	case paxos.Pending:
	case paxos.Won:
		p.won(o)
	case paxos.Lost:
		p.seen, p.over = max(p.seen, o.By), true
	case paxos.Settled, paxos.Passed, paxos.Unheard:
		p.over = true
	}
}

func (p *proposer) won(o paxos.Won) {
	switch p.asked.kind {
	case paxos.AskImplicit:
		p.elected, p.next, p.todo = true, o.End+1, log.Range{First: 1, Last: o.End}
	case paxos.AskRange:
		p.fill(o)
		return
	case paxos.AskWrite:
		p.wrote()
	case paxos.AskOpinion:
	}
	p.goOn()
}

func (p *proposer) fill(o paxos.Won) {
	proposed := paxos.Propose(o, p.by, log.None)
	run := log.Span(o.Range.First, len(proposed))
	p.todo.First = run.Last + 1
	if paxos.AllLearned(proposed) {
		for _, a := range proposed {
			p.w.mustBeChosen(a.Position, a.Value, fmt.Sprintf("proposer %d", p.id))
		}
		p.goOn()
		return
	}
	q := question{kind: paxos.AskWrite, r: run}
	for _, a := range proposed {
		q.values = append(q.values, a.Value)
		if a.Value.Kind == log.Append {
			p.w.duels++
		}
	}
	p.ask(q)
}

// wrote tells everybody what is chosen.
func (p *proposer) wrote() {
	q := p.asked
	for i, v := range q.values {
		p.w.mustBeChosen(q.r.First+log.Position(i), v, fmt.Sprintf("proposer %d", p.id))
	}
	for _, r := range p.w.replicas {
		p.w.mail = append(p.w.mail, func() { r.notice(q.by, q.r) })
	}
	if p.own {
		p.next = q.r.Last + 1
	}
	p.own = false
}

// goOn fills what is left, then appends, if elected, while the log is short.
func (p *proposer) goOn() {
	const longest = 6
	switch {
	case !p.todo.Empty():
		p.ask(question{kind: paxos.AskRange, r: p.todo})
	case p.elected && p.next <= longest:
		q := question{kind: paxos.AskWrite, r: log.Span(p.next, 1+p.w.IntN(3))}
		for at := q.r.First; at <= q.r.Last; at++ {
			q.values = append(q.values, value(fmt.Sprintf("%s/%d", p.by, at)))
		}
		p.own = true
		p.ask(q)
	default:
		p.tally = nil
	}
}
