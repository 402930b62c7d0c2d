package catchup

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/messages"
)

// How much is under way at once: of a chunk, at most log.MaxRunBytes.
const (
	maxAsked   = 4 // chunks that peers were asked for
	maxPerPeer = 2 // of these, of one peer: it reads one while the other travels
	maxStoring = 4 // chunks that the local replica is to store
	maxLate    = 8 // requests that were given up, and whose answers are welcome all the same
)

// asked is a chunk that a peer was asked for.
type asked struct {
	request uint64
	from    log.ReplicaID
	chunk   log.Range
	attempt int    // of the wait for it
	cancel  func() // that
}

// copying: peers are asked for chunks, and what they send is stored. Several answer at once; the local replica stores what
// comes first, and nothing waits for the slowest.
type copying struct {
	*catchup
	missing interval.Set // not learned here, and not on its way to the local replica
	asked   []asked      // in the order of the requests
	storing []uint64     // how many of the missing positions each message to the local replica settles, in order
	pacing  bool         // paceDue comes
}

// copy begins to copy what is missing.
func (c *catchup) copy(ctx actor.Context, missing interval.Set) state {
	s := &copying{catchup: c, missing: missing.Clone()}
	return s.proceed(ctx)
}

func (s *copying) receive(ctx actor.Context) state {
	switch m := ctx.Message().(type) {
	case *messages.FetchResponse:
		s.received(ctx, m)
	case chunkDue:
		s.due(m)
	case paceDue:
		s.pacing = false
	case replica.Taught, replica.Jumped:
		s.stored(ctx)
	case network.Surveyed:
		s.sources.join(s.Self, m.Peers)
	}
	return s.proceed(ctx)
}

// proceed asks for more while there is room. Once nothing is under way any more it looks what is still missing.
func (s *copying) proceed(ctx actor.Context) state {
	for !s.pacing && len(s.asked) < s.room() && len(s.storing) < maxStoring {
		var busy interval.Set
		for _, a := range s.asked {
			busy.Add(a.chunk)
		}
		from, chunk, ok := s.sources.next(s.missing.Minus(busy), busy)
		if !ok {
			break
		}
		if s.pacing = !s.mayAsk(ctx); !s.pacing {
			s.ask(ctx, from, chunk)
		}
	}
	if len(s.asked) > 0 || len(s.storing) > 0 || s.pacing {
		return s
	}
	return s.look(ctx)
}

func (s *copying) ask(ctx actor.Context, from log.ReplicaID, chunk log.Range) {
	a := asked{request: s.Random.Uint64(), from: from, chunk: chunk, cancel: func() {}}
	ctx.Send(s.Network, network.Broadcast{
		Message: codec.EncodeFetchRequest(codec.EncodeHeader(s.self, a.request, nil), chunk),
		ReplyTo: ctx.Self(), To: []log.ReplicaID{from},
	})
	s.await(ctx, &a)
	s.asked = append(s.asked, a)
	s.sources.peer(from).asked++
}

// await begins to wait for an answer, or begins anew.
func (s *copying) await(ctx actor.Context, a *asked) {
	a.cancel()
	a.attempt++
	a.cancel = s.Clock.After(s.Patience.Fetch, ctx.Self(), chunkDue{a.request, a.attempt})
}

// end stops every timer of the requests that are out.
func (s *copying) end() {
	for _, a := range s.asked {
		a.cancel()
	}
}

// due gives a peer up that is silent, so that others are asked for the same. Its answers are welcome if they come.
func (s *copying) due(m chunkDue) {
	for _, a := range s.asked {
		if a.request == m.request && a.attempt == m.attempt {
			s.giveUp(a.from)
			return
		}
	}
}

func (s *copying) giveUp(peer log.ReplicaID) {
	p := s.sources.peer(peer)
	p.silent, p.asked, p.size = true, 0, max(1, p.size/8) // it may be slow, and the less it is asked for the sooner it answers
	s.asked = slices.DeleteFunc(s.asked, func(a asked) bool {
		if a.from != peer {
			return false
		}
		a.cancel()
		s.late = append(s.late, a)
		return true
	})
	s.late = s.late[max(0, len(s.late)-maxLate):]
}

// received takes an answer: of nobody but the peer that was asked, since what is copied is stored as chosen. It says whether
// it did.
func (s *copying) received(ctx actor.Context, m *messages.FetchResponse) bool {
	e, answer, err := codec.DecodeFetchResponse(m)
	mine := func(a asked) bool { return a.request == e.Request && a.from == e.From.Replica }
	if err == nil && !s.Counts(s.self, e.From) {
		return false
	}
	a := asked{}
	switch i, late := slices.IndexFunc(s.asked, mine), slices.IndexFunc(s.late, mine); {
	case i >= 0:
		a = s.asked[i]
		a.cancel()
		s.asked = slices.Delete(s.asked, i, i+1)
		s.sources.peer(a.from).asked--
	case late >= 0:
		a = s.late[late]
		s.late = slices.Delete(s.late, late, late+1)
	default:
		return false
	}
	if err != nil || !s.take(ctx, a, answer) {
		s.giveUp(a.from)
		return true
	}
	s.sources.peer(a.from).heard()
	if len(s.sources.peers) < len(s.Members)-1 { // others may be there by now
		ctx.Request(s.Network, network.Survey{})
	}
	for i := range s.asked { // it is there, and answers one after the other
		if s.asked[i].from == a.from {
			s.await(ctx, &s.asked[i])
		}
	}
	return true
}

// take uses an answer, and says whether it was of use.
func (s *copying) take(ctx actor.Context, a asked, answer codec.Fetched) bool {
	switch f := answer.(type) {
	case codec.Copied:
		if !f.Range.Contains(a.chunk.First) {
			return false
		}
		known := positions(f.Actions)
		s.sources.peer(a.from).examined(f.Range, known)
		s.charge(f.Actions)
		s.store(ctx, f.Actions, known)
		return true
	case codec.Gone:
		if f.Begin <= a.chunk.First {
			return false
		}
		before := s.missing.Len()
		s.missing.Remove(log.Range{First: 1, Last: f.Begin - 1})
		s.storing = append(s.storing, before-s.missing.Len())
		ctx.Request(s.Replica, replica.Jump{Begin: f.Begin})
		return true
	case codec.Unable, codec.Denied:
	}
	return false
}

// store hands to the local replica what is missing there: a chunk spans other positions, and copying those again is no
// progress.
func (s *copying) store(ctx actor.Context, actions []log.Action, known interval.Set) {
	fresh := known.Minus(known.Minus(s.missing))
	if fresh.Len() < known.Len() {
		actions = slices.DeleteFunc(actions, func(a log.Action) bool { return !fresh.Contains(a.Position) })
	}
	if len(actions) == 0 {
		return
	}
	for _, a := range actions {
		s.bytes += uint64(len(a.Value.Data))
	}
	s.missing = s.missing.Minus(fresh)
	s.storing = append(s.storing, fresh.Len())
	s.waited = false
	ctx.Request(s.Replica, replica.Learn{Actions: actions})
}

// stored notes that the local replica has done the first thing that it was told. It does them in order.
func (s *copying) stored(ctx actor.Context) {
	if len(s.storing) == 0 {
		return
	}
	s.report(ctx, s.left-s.storing[0])
	s.storing = s.storing[1:]
}

// positions returns the positions of records, which are in order.
func positions(actions []log.Action) interval.Set {
	var set interval.Set
	for len(actions) > 0 {
		run := log.Range{First: actions[0].Position, Last: actions[0].Position}
		n := 1
		for n < len(actions) && actions[n].Position == run.Last+1 {
			run.Last++
			n++
		}
		set.Add(run)
		actions = actions[n:]
	}
	return set
}
