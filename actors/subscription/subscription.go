// Package subscription pushes the log to an actor of any process, from a position on, as far as that one grants.
//
//	        there is credit, and next is learned           Page
//	waiting ───────────────────────────────────▶ reading ────────▶ Delivery, and on
//	   ▲ Reached           Grant                  │ the log begins above: LogTruncated
//	   │          starved ───────▶ waiting        ▼
//	   └ Await    Lagging, while the log goes on  halted ── a Grant goes on behind what is gone ─▶ waiting
//
//	all of them ── the subscriber is gone, or was not heard for the lease, or asks for it; there is nothing to read any more ─▶ Ended
//
// Where it is, in this chart, follows from what it knows, so nothing but that is kept: what comes next, and how much is on its
// way. Pages are read when they can be delivered, and what was delivered is read again where it was lost.
//
// A member's gateway has one for each subscriber, which reads the member's replica. In a program of ours its source reads whichever
// member answers.
package subscription

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// Config is what a subscription needs. What the subscriber is told are the messages Delivery, LogTruncated, Lagging and Ended, with
// the subscription as their sender.
type Config struct {
	Subscriber *actor.PID
	Request    uint64        // the number of the subscription: all messages have it
	Asker      *actor.PID    // is told Subscribed first; nil for nobody
	From       log.Position  // the first that is delivered; 0 begins with the log
	Entries    uint32        // the first grant, as in messages.Grant
	Bytes      uint64        // likewise
	Lease      time.Duration // that it lasts without a Grant; 0: as long as the subscriber
	Clock      timer.Clock
	Owner      *actor.PID // is told Renewed; nil for nobody
	// Source returns who answers replica.Read and replica.Await, and is called once, by the actor, which may spawn a child.
	Source func(actor.Context) *actor.PID
}

type (
	// End ends the subscription, and the subscriber is told why.
	End struct{ Failure *messages.Failure }
	// Repeat has somebody told Subscribed: the answer before may be lost.
	Repeat struct{ To *actor.PID }
	// Renewed tells the owner that the subscriber wants to know whether all is well.
	Renewed struct{}
	// leaseDue is the time to look whether the lease is over.
	leaseDue struct{}
	// lagDue is the time to say how far behind the subscriber is.
	lagDue struct{}
)

// Lease is how long a subscription of another process lasts without a Grant. Lag is the least time between two Lagging, and Damping
// that between two repetitions from one position.
const (
	Lease   = 30 * time.Second
	Lag     = time.Second
	Damping = time.Second
)

// New returns the producer of a subscription.
func New(c Config) actor.Producer {
	return func() actor.Actor {
		s := &subscription{Config: c, next: c.From, base: c.From}
		s.credit.grant(c.Entries, c.Bytes)
		return s
	}
}

type subscription struct {
	Config
	source   *actor.PID
	next     log.Position // is delivered next; 0: the begin of the log
	base     log.Position // behind what was received
	learned  log.Position // up to where the source can read
	known    bool         // learned is
	halted   log.Position // where the log begins, above next; 0: it does not
	credit   credit
	need     int    // bytes of the next entry, for which there was no room; 0: unknown
	tag      uint64 // of the last read
	reading  bool
	awaited  log.Position // what the source is to tell of; 0 for nothing
	heard    time.Time    // the last Grant
	repeated repetition
	watched  bool
	over     bool
	telling  bool   // how far behind the subscriber is, once the source has said
	lease    func() // cancels what is due; nil: nothing is
	lag      func() // likewise
}

// repetition is from where everything was delivered again, and when.
type repetition struct {
	from log.Position
	at   time.Time
}

// Receive implements actor.Actor.
func (s *subscription) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.start(ctx)
	case *messages.Grant:
		s.granted(ctx, m)
	case replica.Page:
		s.page(ctx, m)
	case replica.Reached:
		s.reached(ctx, m.Learned)
	case lagDue:
		s.lagging(ctx)
	case leaseDue:
		s.lapse(ctx)
	case Repeat:
		s.tellSubscribed(ctx, m.To)
	case End:
		s.end(ctx, m.Failure)
	case *actor.Terminated:
		s.terminated(ctx, m)
	case *actor.Stopping:
		s.stop(ctx)
	}
}

func (s *subscription) start(ctx actor.Context) {
	s.source = s.Source(ctx)
	s.tellSubscribed(ctx, s.Asker)
	s.watch(ctx)
	s.heard = s.Clock.Now()
	if s.Lease > 0 {
		s.lease = s.Clock.After(s.Lease, ctx.Self(), leaseDue{})
	}
	s.proceed(ctx)
}

func (s *subscription) tellSubscribed(ctx actor.Context, to *actor.PID) {
	if to == nil {
		return
	}
	ctx.Request(to, &messages.SubscribeResponse{Request: s.Request, Outcome: &messages.SubscribeResponse_Subscribed{
		Subscribed: &messages.Subscribed{Subscription: ctx.Self().GetId(), LeaseMicros: uint64(s.Lease.Microseconds())}}})
}

// proceed does what comes next.
func (s *subscription) proceed(ctx actor.Context) {
	switch {
	case s.over || s.reading || s.halted > 0 || s.telling:
	case s.starved() && s.lag != nil: // it looks again when that is due
	case s.starved():
		s.await(ctx, s.learned+1)
	case s.known && s.next > s.learned:
		s.await(ctx, s.next)
	default:
		s.read(ctx)
	}
}

// starved says whether no entry may be sent.
func (s *subscription) starved() bool { return !s.credit.fits(max(s.need, 1), 0, 0) }

// read asks for what is delivered next, and for no more positions than there may be entries.
func (s *subscription) read(ctx actor.Context) {
	within := log.Range{First: s.next}
	if s.known && s.next > 0 {
		entries, _ := s.credit.room()
		within.Last = min(s.learned, s.next+log.Position(entries)-1)
	}
	s.tag++
	s.reading = true
	ctx.Request(s.source, replica.Read{Range: within, Tag: s.tag})
}

// await has the source tell when it can read up to a position.
func (s *subscription) await(ctx actor.Context, at log.Position) {
	if at != s.awaited {
		s.awaited = at
		ctx.Send(s.source, replica.Await{At: at, By: ctx.Self()})
	}
}

func (s *subscription) reached(ctx actor.Context, learned log.Position) {
	s.awaited, s.known, s.learned = 0, true, max(s.learned, learned)
	switch {
	case !s.starved():
	case s.telling:
		s.tellLagging(ctx)
	case s.lag == nil && !s.over:
		s.lag = s.Clock.After(Lag, ctx.Self(), lagDue{})
	}
	s.telling = false
	s.proceed(ctx)
}

// page delivers what was read, unless something else comes next by now.
func (s *subscription) page(ctx actor.Context, p replica.Page) {
	if p.Tag != s.tag || !s.reading || s.over {
		return
	}
	s.reading, s.known, s.learned = false, true, max(s.learned, p.Learned)
	switch p.Fault {
	case replica.Truncated:
		s.halted = p.Begin
		s.tellTruncated(ctx)
	case replica.NotLearned, replica.Backwards:
		s.await(ctx, s.next)
	case replica.Mending, replica.DiskFailure:
		s.end(ctx, codec.EncodeFailure(messages.Code_CODE_CORRUPT, "this member cannot read its disk: subscribe at another member"))
	case replica.NoFault:
		if s.next == 0 {
			s.next = max(p.Begin, p.Range.First, 1)
			s.base = s.next
		}
		s.deliver(ctx, p)
		s.proceed(ctx)
	}
}

// deliver sends as much of a page as may be on its way.
func (s *subscription) deliver(ctx actor.Context, p replica.Page) {
	if s.need = 0; s.starved() {
		return
	}
	m := &messages.Delivery{Request: s.Request, Learned: uint64(p.Learned)}
	d := delivery{last: s.next - 1}
	for _, a := range p.Actions {
		if a.Value.Kind == log.Append {
			if !s.credit.fits(len(a.Value.Data), d.entries, d.bytes) {
				s.need = len(a.Value.Data)
				break
			}
			d.entries, d.bytes = d.entries+1, d.bytes+len(a.Value.Data)
			m.Entries = append(m.Entries, &messages.Entry{Position: uint64(a.Position), Data: a.Value.Data})
		}
		d.last = a.Position
	}
	if d.last < s.next {
		return
	}
	m.Range = codec.EncodeRange(log.Range{First: s.next, Last: d.last})
	s.next = d.last + 1
	s.credit.sent(d)
	ctx.Request(s.Subscriber, m)
}
