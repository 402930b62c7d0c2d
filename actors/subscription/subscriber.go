package subscription

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// What a subscriber says, what it is told besides the log, and how its subscription ends.

// granted takes a Grant. One that is late, as what it acknowledges was acknowledged before, says only that the subscriber is there.
func (s *subscription) granted(ctx actor.Context, m *messages.Grant) {
	if m.GetRequest() != s.Request || s.over {
		return
	}
	if log.Position(m.GetAfter()) >= log.MaxPosition {
		ctx.Request(s.Subscriber, &messages.SubscribeResponse{Request: s.Request, Outcome: &messages.SubscribeResponse_Failure{
			Failure: codec.EncodeFailure(messages.Code_CODE_MALFORMED,
				fmt.Sprintf("a grant is about what lies behind position %d, where nothing ever will", m.GetAfter()))}})
		return
	}
	s.heard = s.Clock.Now()
	s.watch(ctx)
	after := log.Position(m.GetAfter())
	switch late := after > 0 && after+1 < s.base; {
	case m.GetEnd():
		s.end(ctx, nil)
		return
	case !late:
		moved, changed := s.receive(after), s.credit.grant(m.GetEntries(), m.GetBytes())
		switch {
		case m.GetAgain():
			s.repeat()
		case !moved && !changed:
			s.standing(ctx)
		}
	}
	s.proceed(ctx)
}

// receive takes in that everything up to a position was received, or is to be skipped, and says whether that was not known.
func (s *subscription) receive(upTo log.Position) (moved bool) {
	if upTo == 0 || upTo < s.base {
		return false
	}
	s.base = upTo + 1
	s.credit.received(upTo)
	if s.next < s.base {
		s.jump(s.base)
	}
	s.halted = 0 // where that is still below the log, it is told so again
	return true
}

// jump goes on elsewhere: what is being read is not what comes next.
func (s *subscription) jump(to log.Position) { s.next, s.need, s.reading = to, 0, false }

// repeat delivers again what was not acknowledged. Each of a row of deliveries tells the subscriber that the one before them was lost.
func (s *subscription) repeat() {
	now := s.Clock.Now()
	if s.repeated.from == s.base && now.Sub(s.repeated.at) < Damping {
		return
	}
	s.repeated = repetition{s.base, now}
	s.credit.lost()
	s.jump(s.base)
}

// standing answers a Grant that says nothing new.
func (s *subscription) standing(ctx actor.Context) {
	if s.halted > 0 {
		s.tellTruncated(ctx)
	}
	s.tellLagging(ctx)
	if s.Owner != nil {
		ctx.Request(s.Owner, Renewed{})
	}
}

func (s *subscription) tellTruncated(ctx actor.Context) {
	ctx.Request(s.Subscriber, &messages.LogTruncated{Request: s.Request, Next: uint64(s.next), Begin: uint64(s.halted)})
}

func (s *subscription) tellLagging(ctx actor.Context) {
	ctx.Request(s.Subscriber, &messages.Lagging{Request: s.Request, Delivered: s.delivered(), Learned: uint64(s.learned)})
}

// lagging has the subscriber told how far behind it is, if it still has no credit and the log has gone on.
func (s *subscription) lagging(ctx actor.Context) {
	s.lag = nil
	if s.telling = s.starved() && s.halted == 0 && s.learned >= max(s.next, 1); s.telling {
		s.awaited = 0
		s.await(ctx, max(s.next, 1)) // it is told at once how far that is by now
	}
	s.proceed(ctx)
}

func (s *subscription) delivered() uint64 {
	if s.next == 0 {
		return 0
	}
	return uint64(s.next - 1)
}

// watch has protoactor tell when the subscriber ends. Of one in another process that is a hint, which may never come.
func (s *subscription) watch(ctx actor.Context) {
	if !s.watched {
		s.watched = true
		ctx.Watch(s.Subscriber)
	}
}

// terminated ends the subscription with its subscriber. That a connection broke says nothing about it.
func (s *subscription) terminated(ctx actor.Context, m *actor.Terminated) {
	if m.GetWho().Equal(s.source) { // it panicked
		s.end(ctx, codec.EncodeFailure(messages.Code_CODE_CLOSED, "what reads the log for this subscription has failed: subscribe again"))
	}
	if !m.GetWho().Equal(s.Subscriber) {
		return
	}
	s.watched = false
	if m.GetWhy() != actor.TerminatedReason_AddressTerminated {
		s.over = true // and nobody is left to be told
		ctx.Stop(ctx.Self())
	}
}

// lapse ends the subscription of a subscriber that was not heard for the lease.
func (s *subscription) lapse(ctx actor.Context) {
	left := s.Lease - s.Clock.Now().Sub(s.heard)
	if left > 0 {
		s.lease = s.Clock.After(left, ctx.Self(), leaseDue{})
		return
	}
	s.end(ctx, codec.EncodeFailure(messages.Code_CODE_LAPSED,
		fmt.Sprintf("no Grant came for %s: subscribe again, and repeat the last one every %s", s.Lease, s.Lease/3)))
}

func (s *subscription) end(ctx actor.Context, why *messages.Failure) {
	if s.over {
		return
	}
	s.over = true
	ctx.Request(s.Subscriber, &messages.Ended{Request: s.Request, Failure: why, Delivered: s.delivered()})
	ctx.Stop(ctx.Self())
}

func (s *subscription) stop(ctx actor.Context) {
	s.end(ctx, codec.EncodeFailure(messages.Code_CODE_CLOSED, "whoever had this subscription is going down: subscribe at another member"))
	for _, cancel := range []func(){s.lease, s.lag} {
		if cancel != nil {
			cancel()
		}
	}
	s.leave(ctx)
}

// leave has nobody tell the subscription anything any more.
func (s *subscription) leave(ctx actor.Context) {
	if s.awaited > 0 {
		s.awaited = 0
		ctx.Send(s.source, replica.Await{By: ctx.Self()})
	}
	if s.watched {
		ctx.Unwatch(s.Subscriber)
	}
}
