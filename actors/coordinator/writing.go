package coordinator

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/actors/round"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// elected: values may be written, and some may be on their way.
type elected struct{ *coordinator }

func (s elected) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case Append:
		s.enqueue(ctx, s, m)
		return s.goOn(ctx)
	case Elect, Change:
		return s.goOn(ctx)
	case Demote:
		s.hurry(ctx, m)
		s.dismiss(ctx, NotElected, 0)
		return s.end(ctx, ending{s.coordinator, NotElected, []*actor.PID{ctx.Sender()}})
	case round.Done:
		return s.landed(ctx, m)
	case replica.Outbid:
		if m.By > s.by { // not one that was meant for an earlier election
			s.floor = max(s.floor, m.By)
			return s.end(ctx, ending{coordinator: s.coordinator, why: NotElected})
		}
	case announceDue:
		if m.attempt == s.attempt && !s.chosen.Empty() {
			s.announce(ctx, s.chosen)
			s.scheduleAnnouncement(ctx)
		}
	}
	return s
}

// enqueue puts values into the queue, and stays.
func (c *coordinator) enqueue(ctx actor.Context, stay state, m Append) state {
	r := newRequest(client{pid: ctx.Sender(), tag: m.Tag}, m)
	if !c.queue.push(r, c.Room()) {
		c.Measures.Waiting.Rejected.Add(1)
		ctx.Respond(Failed{Tag: m.Tag, Why: Busy})
	}
	return stay
}

// turnAway refuses values, and stays: the reign ends.
func (c *coordinator) turnAway(ctx actor.Context, stay state, m Append) state {
	r := newRequest(client{pid: ctx.Sender(), tag: m.Tag}, m)
	ctx.Respond(Failed{Tag: m.Tag, Why: refusal(r, c.floor), Seen: c.floor})
	return stay
}

// goOn does what is due: the next batches, or an election that was asked for, once nothing is on its way. A notice that no
// batch takes along goes out by itself: a replica that missed what is chosen may wait for it with the batches behind.
func (c *coordinator) goOn(ctx actor.Context) state {
	c.satisfy(ctx)
	for c.mayWrite() {
		if batch := c.admit(ctx, c.queue.batch()); len(batch) > 0 {
			c.write(ctx, batch)
		}
	}
	if len(c.flight) > 0 && c.pending.Empty() {
		return elected{c}
	}
	c.flushNotice(ctx)
	switch {
	case len(c.flight) == 0 && len(c.elects) > 0:
		return c.reelect(ctx)
	case len(c.flight) == 0 && len(c.changes) > 0:
		return c.weigh(ctx)
	}
	c.scheduleAnnouncement(ctx)
	return elected{c}
}

// mayWrite says whether the next batch may be sent.
func (c *coordinator) mayWrite() bool {
	switch {
	case c.queue.empty(), len(c.elects)+len(c.changes) > 0:
		return false
	case len(c.flight) == 0:
		return true
	case len(c.flight) >= maxPartial && (len(c.flight) >= maxFlight || !c.queue.full()):
		return false
	}
	return !c.queue.truncates() && !c.flight[0].batch[0].cuts
}

// reelect begins another election although this coordinator is elected: the client asked for a fence of its own. Nobody is to take
// its place meanwhile.
func (c *coordinator) reelect(ctx actor.Context) state {
	ctx.Send(c.Replica, replica.Stand{By: c.by})
	c.floor, c.chosen = max(c.floor, c.by), log.Range{}
	return c.elect(ctx)
}

// admit turns away what may not be written under this proposal, or truncates what is not there (hole S11).
func (c *coordinator) admit(ctx actor.Context, batch []request) []request {
	var admitted []request
	at := c.next
	for _, r := range batch {
		fresh, ok := c.once(ctx, r)
		if !ok {
			continue
		}
		r = fresh
		why := Why(0)
		switch {
		case r.fence > 0 && r.fence != c.by:
			why = Fenced
		case uint64(log.MaxPosition+1-at) < uint64(len(r.values)), !c.truncatesWell(r, at):
			why = BadRange
		}
		if why > 0 {
			ctx.Send(r.client.pid, Failed{
				Tag: r.client.tag, Why: why, Seen: c.by, Held: log.Range{First: c.begin, Last: c.next - 1},
			})
			continue
		}
		admitted = append(admitted, r)
		c.number(r, at)
		at += log.Position(len(r.values))
	}
	return admitted
}

// truncatesWell says whether every TRUNCATE of a request keeps a position from the begin of the log to its own.
func (c *coordinator) truncatesWell(r request, at log.Position) bool {
	for i, v := range r.values {
		if v.Kind == log.Truncate && (v.To < c.begin || v.To > at+log.Position(i)) {
			return false
		}
	}
	return true
}

// write sends a batch. The notice of what was chosen before rides on it.
func (c *coordinator) write(ctx actor.Context, batch []request) {
	n := 0
	for _, r := range batch {
		n += len(r.values)
	}
	values := make([]log.Value, 0, n)
	for _, r := range batch {
		values = append(values, c.cut(r)...)
	}
	c.stopTimer()
	c.Measures.Batches.Observe(int64(n))
	run := log.Span(c.next, len(values))
	question := round.Write(codec.Write{By: c.by, First: run.First, Values: values, Learned: c.pending, Settled: c.settled})
	c.pending, c.next = log.Range{}, run.Last+1
	child := ctx.Spawn(c.Props(round.New(c.Ensemble, c.self, question)))
	c.flight = append(c.flight, &flying{round: child, batch: batch, run: run, values: values, repeats: c.repeats})
	c.repeats = nil
}

// landed handles the end of a round. Where one was not won, nothing more is sent.
func (s elected) landed(ctx actor.Context, m round.Done) state {
	if !s.flight.land(ctx.Sender(), m) {
		return s
	}
	s.settle(ctx, m)
	switch m.Outcome.(type) {
	case paxos.Won:
		return s.goOn(ctx)
	case paxos.Unheard: // those who did not vote for this one in time, or do not vote at all, will not for the next either
		s.flight.abandon(ctx)
	case paxos.Lost, paxos.Settled, paxos.Passed, paxos.Pending:
	}
	return s.end(ctx, ending{coordinator: s.coordinator, why: NotElected})
}

// settle acknowledges what is chosen, in the order of the positions. The local replica hears of it first: whoever reads here
// afterwards finds it, where this replica voted for it. The rounds below one that is won go on: those who answered that one
// will answer them as well, if they are asked again, and then miss nothing.
func (c *coordinator) settle(ctx actor.Context, m round.Done) {
	c.age(m)
	if lost, ok := m.Outcome.(paxos.Lost); ok {
		c.floor = max(c.floor, lost.By)
	}
	chosen := c.flight[:c.flight.chosen()]
	if len(chosen) == 0 {
		return
	}
	run := log.Range{First: chosen[0].run.First, Last: chosen[len(chosen)-1].run.Last}
	ctx.Send(c.Replica, codec.EncodeLearnedMessage(codec.EncodeHeader(c.self, c.Random.Uint64(), nil), c.by, run))
	for _, b := range chosen {
		b.acknowledge(ctx)
		for _, v := range b.values {
			c.begin = max(c.begin, v.To)
		}
	}
	c.flight = append(flight(nil), c.flight[len(chosen):]...)
	c.settled, c.pending, c.chosen = run.Last, joined(c.pending, run), joined(c.chosen, run)
}

// joined is a range with another one behind it.
func joined(r, next log.Range) log.Range {
	if r.Empty() {
		return next
	}
	return log.Range{First: r.First, Last: next.Last}
}

func (b *flying) acknowledge(ctx actor.Context) {
	at := b.run.First
	for _, r := range b.batch {
		r.acknowledge(ctx, log.Span(at, len(r.values)))
		at += log.Position(len(r.values))
	}
	for _, r := range b.repeats {
		r.acknowledge(ctx, log.Range{})
	}
}

// acknowledge tells where the values are: those that were there already, and the others behind them.
func (r request) acknowledge(ctx actor.Context, others log.Range) {
	m := Appended{Tag: r.client.tag, Range: others}
	if len(r.places) > 0 {
		m.Range, m.More = r.places[0], r.places[1:]
		if !others.Empty() {
			m.More = append(slices.Clone(m.More), others)
		}
	}
	ctx.Send(r.client.pid, m)
}

// ending: nothing more is sent; what is on its way is waited for.
type ending struct {
	*coordinator
	why     Why          // what those hear who wait
	clients []*actor.PID // who asked to end it
}

func (s ending) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case round.Done:
		if s.flight.land(ctx.Sender(), m) {
			s.settle(ctx, m)
			return s.end(ctx, s)
		}
	case Append:
		return s.turnAway(ctx, s, m)
	case Demote:
		s.clients = append(s.clients, ctx.Sender())
		s.hurry(ctx, m)
		return s.end(ctx, s)
	case replica.Outbid:
		s.floor = max(s.floor, m.By)
	}
	return s
}

// hurry gives up what is on its way, where it is not to be waited for.
func (c *coordinator) hurry(ctx actor.Context, m Demote) {
	if m.Now {
		c.flight.abandon(ctx)
	}
}

// end ends the reign, once nothing is on its way any more.
func (c *coordinator) end(ctx actor.Context, s ending) state {
	if !c.flight.over() {
		ctx.Request(c.Replica, replica.Lead{}) // whoever waits for a writer need not wait for what is on its way
		c.flushNotice(ctx)
		return s
	}
	seen := c.floor
	if len(s.clients) > 0 && seen < c.by { // nobody stands in the way
		seen = 0
	}
	for _, b := range c.flight {
		b.report(ctx, seen)
	}
	c.flight, c.next = nil, c.settled+1
	next := c.resign(ctx, s.why, seen)
	for _, pid := range s.clients {
		ctx.Send(pid, Demoted{End: c.settled})
	}
	return next
}

// report tells what became of a batch that was not chosen, as far as anybody knows.
func (b *flying) report(ctx actor.Context, seen log.Proposal) {
	for _, r := range slices.Concat(b.batch, b.repeats) {
		failed := Failed{Tag: r.client.tag, Why: Indeterminate, Seen: seen}
		if !b.outcome.Unclear {
			failed.Why = refusal(r, seen)
		}
		ctx.Send(r.client.pid, failed)
	}
}

func (c *coordinator) scheduleAnnouncement(ctx actor.Context) {
	c.after(ctx, func(attempt int) func() {
		return c.Clock.After(c.Patience.Announce, ctx.Self(), announceDue{attempt})
	})
}
