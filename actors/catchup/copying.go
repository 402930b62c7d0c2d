package catchup

import (
	"slices"
	"time"

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
	maxAsked   = 4  // chunks that peers were asked for
	maxPerPeer = 2  // of these, of one peer: it reads one while the other travels
	maxStoring = 4  // chunks that the local replica is to store
	maxLate    = 16 // requests that were given up, and whose answers are welcome all the same
)

// request is a chunk that a peer was asked for.
type request struct {
	id      uint64
	from    log.ReplicaID
	chunk   log.Range
	at      time.Time
	attempt int    // of the wait for it
	cancel  func() // that
}

// stored is what one message to the local replica settles.
type stored struct{ copied, jumped, bytes uint64 }

// copying: peers are asked for chunks, and what they send is stored. Several answer at once; the local replica stores what
// comes first, and nothing waits for the slowest.
type copying struct {
	*catchup
	missing interval.Set // not learned here, and not on its way to the local replica
	storing []stored     // what each message to the local replica settles, in order
	pacing  bool         // paceDue comes
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
		s.didStore(ctx)
	case network.Surveyed:
		s.sources.join(s.Self, m.Peers)
	}
	return s.proceed(ctx)
}

// proceed asks for more while there is room. Once nothing is under way any more it looks what is still missing.
func (s *copying) proceed(ctx actor.Context) state {
	s.forgo(func(r request) bool { return s.missing.Intersect(r.chunk).Empty() }) // another answer, or a late one, had it all
	s.askMore(ctx)
	if len(s.out) > 0 || len(s.storing) > 0 || s.pacing {
		return s
	}
	return s.look(ctx)
}

func (s *copying) askMore(ctx actor.Context) {
	for !s.pacing && len(s.out) < s.room() && len(s.storing) < maxStoring {
		from, chunk, ok := s.sources.next(s.missing, s.out)
		if !ok {
			return
		}
		if s.pacing = !s.mayAsk(ctx); !s.pacing {
			s.ask(ctx, from, chunk)
		}
	}
}

func (s *copying) ask(ctx actor.Context, from log.ReplicaID, chunk log.Range) {
	r := request{id: s.Random.Uint64(), from: from, chunk: chunk, at: s.Clock.Now(), cancel: func() {}}
	ctx.Request(s.Peers[from], codec.EncodeFetchRequest(codec.EncodeHeader(s.self, r.id, nil), chunk))
	s.await(ctx, &r)
	s.out = append(s.out, r)
}

// await begins to wait for an answer, or begins anew.
func (c *catchup) await(ctx actor.Context, r *request) {
	r.cancel()
	r.attempt++
	r.cancel = c.Clock.After(max(c.Patience.Fetch, c.sources.peer(r.from).patience), ctx.Self(), chunkDue{r.id, r.attempt})
}

// forgo waits no longer for the answers of some requests. They are welcome if they come.
func (c *catchup) forgo(which func(request) bool) {
	c.out = slices.DeleteFunc(c.out, func(r request) bool {
		if !which(r) {
			return false
		}
		r.cancel()
		c.late = append(c.late, r)
		return true
	})
	c.late = c.late[max(0, len(c.late)-maxLate):]
}

// end waits for nothing that was asked.
func (c *catchup) end() { c.forgo(func(request) bool { return true }) }

// due notes that a peer is silent, so that others are asked for the same.
func (s *copying) due(m chunkDue) {
	for _, r := range s.out {
		if r.id == m.request && r.attempt == m.attempt {
			s.sources.peer(r.from).silent(s.Patience.Fetch)
			s.forgo(func(o request) bool { return o.from == r.from })
			return
		}
	}
}

// received takes an answer: of nobody but the peer that was asked, since what is copied is stored as chosen. It says whether
// it did.
func (s *copying) received(ctx actor.Context, m *messages.FetchResponse) bool {
	e, answer, err := codec.DecodeFetchResponse(m)
	if err == nil && !s.Belongs(s.self, e.From) {
		return false
	}
	r, ok := s.answered(e)
	if !ok {
		return false
	}
	if err != nil || !s.take(ctx, r, answer) {
		s.sources.peer(r.from).unable = true
		s.forgo(func(o request) bool { return o.from == r.from })
		return true
	}
	s.sources.peer(r.from).answered(s.Clock.Now().Sub(r.at), s.Patience.Fetch)
	if len(s.sources.peers) < len(s.Members)-1 { // others may be there by now
		ctx.Request(s.Network, network.Survey{})
	}
	s.forgo(func(o request) bool { return o.from == r.from && o.at.Before(r.at) }) // a peer answers in turn: those answers are lost
	for i := range s.out {                                                         // it is there, and answers one after the other
		if s.out[i].from == r.from {
			s.await(ctx, &s.out[i])
		}
	}
	return true
}

// answered takes out the request that is answered, if there is one.
func (s *copying) answered(e codec.Envelope) (request, bool) {
	for _, requests := range []*[]request{&s.out, &s.late} {
		for i, r := range *requests {
			if r.id == e.Request && r.from == e.From.Replica {
				r.cancel()
				*requests = slices.Delete(*requests, i, i+1)
				return r, true
			}
		}
	}
	return request{}, false
}

// take uses an answer, and says whether it was of use.
func (s *copying) take(ctx actor.Context, r request, answer codec.Fetched) bool {
	switch f := answer.(type) {
	case codec.Copied:
		if !f.Range.Contains(r.chunk.First) {
			return false
		}
		known := positions(f.Actions)
		s.sources.peer(r.from).examined(f.Range, known)
		s.charge(f.Actions)
		s.store(ctx, f.Actions, known)
		return true
	case codec.Gone:
		return f.Begin > r.chunk.First && s.jump(ctx, f.Begin)
	case codec.Unable, codec.Denied:
	}
	return false
}

// jump has the local log begin where a peer's does, and says whether it does. A log does not begin above what anybody has heard of:
// one false answer that was believed would truncate this log, and then, when this replica is elected, every other.
func (s *copying) jump(ctx actor.Context, begin log.Position) bool {
	if begin > max(s.localEnd, s.Range.Last, s.sources.learned())+1 {
		s.Log.Warn().Uint64("begin", uint64(begin)).Msg("a peer's log begins above what is known of any; not believed")
		return false
	}
	before := s.missing.Len()
	s.missing.Remove(log.Range{First: 1, Last: begin - 1})
	s.storing = append(s.storing, stored{jumped: before - s.missing.Len()})
	ctx.Request(s.Replica, replica.Jump{Begin: begin})
	return true
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
	settles := stored{copied: fresh.Len()}
	for _, a := range actions {
		settles.bytes += uint64(len(a.Value.Data))
	}
	s.missing = s.missing.Minus(fresh)
	s.storing = append(s.storing, settles)
	s.waited = false
	ctx.Request(s.Replica, replica.Learn{Actions: actions})
}

// didStore notes that the local replica has done the first thing that it was told. It does them in order.
func (s *copying) didStore(ctx actor.Context) {
	if len(s.storing) == 0 {
		return
	}
	done, p := s.storing[0], &s.progress
	s.storing = s.storing[1:]
	p.copied, p.bytes = p.copied+done.copied, p.bytes+done.bytes
	s.Measures.CatchupBytes.Add(done.bytes)
	s.report(ctx, p.left-min(p.left, done.copied+done.jumped))
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
