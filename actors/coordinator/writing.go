package coordinator

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/actors/round"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// elected: nothing is on its way; values may be written.
type elected struct{ *coordinator }

func (s elected) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case Append:
		s.enqueue(ctx, s, m)
		return s.goOn(ctx)
	case Elect:
		return s.goOn(ctx)
	case Demote:
		ctx.Respond(Demoted{End: s.next - 1})
		return s.resign(ctx, NotElected, 0)
	case replica.Outbid:
		if m.By > s.by { // not one that was meant for an earlier election
			return s.resign(ctx, NotElected, m.By)
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
	r := newRequest(client{ctx.Sender(), m.Tag}, m)
	if !c.queue.push(r) {
		ctx.Respond(Failed{Tag: m.Tag, Why: Busy})
	}
	return stay
}

// goOn does what is due while nothing is on its way: an election that was asked for, else the next batch, else nothing.
func (c *coordinator) goOn(ctx actor.Context) state {
	if len(c.elects) > 0 {
		c.flushNotice(ctx)
		return c.reelect(ctx)
	}
	for !c.queue.empty() {
		if batch := c.admit(ctx, c.queue.batch()); len(batch) > 0 {
			return c.write(ctx, batch)
		}
	}
	c.flushNotice(ctx)
	c.scheduleAnnouncement(ctx)
	return elected{c}
}

// reelect begins another election although this coordinator is elected: the client asked for a fence of its own.
func (c *coordinator) reelect(ctx actor.Context) state {
	ctx.Request(c.Replica, replica.Lead{})
	c.floor, c.chosen = max(c.floor, c.by), log.Range{}
	return c.elect(ctx)
}

// admit turns away what may not be written under this proposal, or truncates what is not there (hole S11).
func (c *coordinator) admit(ctx actor.Context, batch []request) []request {
	var admitted []request
	at := c.next
	for _, r := range batch {
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
func (c *coordinator) write(ctx actor.Context, batch []request) state {
	var values []log.Value
	for _, r := range batch {
		values = append(values, r.values...)
	}
	c.stopTimer()
	run := log.Span(c.next, len(values))
	question := round.Write(codec.Write{By: c.by, First: run.First, Values: values, Learned: c.pending})
	c.pending = log.Range{}
	child := ctx.Spawn(c.Props(round.New(c.Ensemble, c.self, question)))
	return writing{c, child, batch, run, values}
}

// writing: a batch is on its way.
type writing struct {
	*coordinator
	round  *actor.PID
	batch  []request
	run    log.Range
	values []log.Value
}

func (s writing) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case Append:
		return s.enqueue(ctx, s, m)
	case Demote:
		s.dismiss(ctx, NotElected, 0)
		return demoting{s, ctx.Sender()}
	case round.Done:
		if s.round.Equal(ctx.Sender()) { // not one that a former election gave up on
			return s.conclude(ctx, m)
		}
	case replica.Outbid: // the answers decide
		s.floor = max(s.floor, m.By)
	}
	return s
}

func (s writing) conclude(ctx actor.Context, m round.Done) state {
	s.age(m)
	if _, won := m.Outcome.(paxos.Won); won {
		return s.chose(ctx)
	}
	why, seen := Indeterminate, s.floor
	if lost, ok := m.Outcome.(paxos.Lost); ok {
		seen = max(seen, lost.By)
	}
	if !m.Unclear {
		why = NotElected
	}
	for _, r := range s.batch {
		failed := Failed{Tag: r.client.tag, Why: why, Seen: seen}
		if why == NotElected && r.fence > 0 {
			failed.Why = Fenced
		}
		ctx.Send(r.client.pid, failed)
	}
	return s.resign(ctx, NotElected, seen)
}

// chose announces the batch to the local replica before it acknowledges: whoever reads here afterwards finds it.
func (s writing) chose(ctx actor.Context) state {
	header := codec.EncodeHeader(s.self, s.Random.Uint64(), nil)
	ctx.Send(s.Replica, codec.EncodeLearnedMessage(header, s.by, s.run))
	at := s.run.First
	for _, r := range s.batch {
		ctx.Send(r.client.pid, Appended{Tag: r.client.tag, Range: log.Span(at, len(r.values))})
		at += log.Position(len(r.values))
	}
	for _, v := range s.values {
		s.begin = max(s.begin, v.To)
	}
	s.next, s.pending = s.run.Last+1, s.run
	if s.chosen.Empty() {
		s.chosen.First = s.run.First
	}
	s.chosen.Last = s.run.Last
	if outbid := s.floor > s.by; outbid {
		return s.resign(ctx, NotElected, s.floor)
	}
	return s.goOn(ctx)
}

// demoting: a batch is on its way, and no other will follow.
type demoting struct {
	writing
	client *actor.PID
}

func (s demoting) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case round.Done:
		if !s.round.Equal(ctx.Sender()) {
			return s
		}
		next := s.conclude(ctx, m)
		if _, still := next.(elected); still {
			next = s.resign(ctx, NotElected, 0)
		}
		ctx.Send(s.client, Demoted{End: s.next - 1})
		return next
	case Append:
		ctx.Respond(Failed{Tag: m.Tag, Why: NotElected})
	case replica.Outbid:
		s.floor = max(s.floor, m.By)
	}
	return s
}

func (c *coordinator) scheduleAnnouncement(ctx actor.Context) {
	c.after(ctx, func(attempt int) func() {
		return c.Clock.After(c.Patience.Announce, ctx.Self(), announceDue{attempt})
	})
}
