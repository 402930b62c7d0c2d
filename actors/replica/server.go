package replica

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
)

// server reads for the replica what peers copy, and answers them, so that a peer which copies a million records holds up no
// vote. Who may copy, and what, is the replica's to say; it also judges what the server does not find.
//
//	FetchRequest ─▶ replica: admitted, synced ─▶ serve ─▶ server: read ─▶ FetchResponse
//	                   ▲                                    │ not found
//	                   └──────────── unserved ◀─────────────┘
//
// The log may be truncated while the server reads. What it has read by then is still what was chosen.
type server struct {
	reader  storage.Reader
	waiting []serve // in the order of their arrival
}

// maxServes is how many requests of one member wait at most. Its catch-ups together have fewer out: the oldest ones were given up.
const maxServes = 64

type (
	// serveNext is the turn of whoever waits longest: it comes after all that is in the mailbox already.
	serveNext struct{}
	// serve asks the server to answer a peer.
	serve struct {
		peer   *actor.PID
		header *messages.Header // of the answer
		within log.Range        // the positions that the answer is about, cut to what fits once the chunk is full
		runs   []log.Range      // those of them that are learned, in order
	}
	// unserved tells the replica which records the server has not found, or cannot read.
	unserved struct {
		serve
		run   log.Range
		found int
		err   error
	}
)

// Receive implements actor.Actor.
func (s *server) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case serve:
		s.wait(ctx, m)
	case serveNext:
		next := s.waiting[0]
		s.waiting = s.waiting[1:]
		if len(s.waiting) > 0 {
			ctx.Send(ctx.Self(), m)
		}
		s.serve(ctx, next)
	}
}

func (s *server) wait(ctx actor.Context, m serve) {
	if len(s.waiting) == 0 {
		ctx.Send(ctx.Self(), serveNext{})
	}
	s.waiting = queued(s.waiting, m)
}

// queued puts a request behind the others, and drops the oldest one of the same member where there are too many.
func queued(waiting []serve, m serve) []serve {
	same := func(o serve) bool { return o.peer.GetAddress() == m.peer.GetAddress() }
	n := 0
	for _, o := range waiting {
		if same(o) {
			n++
		}
	}
	if n >= maxServes {
		oldest := slices.IndexFunc(waiting, same)
		waiting = slices.Delete(waiting, oldest, oldest+1)
	}
	return append(waiting, m)
}

// serve reads what a peer asked for, and answers it.
func (s *server) serve(ctx actor.Context, m serve) {
	chunk := codec.NewChunk(m.positions())
	for _, run := range m.runs {
		before := chunk.Len()
		full, err := s.copyRun(chunk, run)
		if found := chunk.Len() - before; err != nil || !full && uint64(found) != run.Len() {
			ctx.Send(ctx.Parent(), unserved{m, run, found, err})
			return
		}
		if full {
			m.within.Last = chunk.Last()
			break
		}
	}
	ctx.Send(m.peer, codec.EncodeChunk(m.header, m.within, chunk))
}

// spawnServer starts it under its name.
func (r *replica) spawnServer(ctx actor.Context) {
	pid, err := ctx.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return &server{reader: r.Store.Reader()} }), Server)
	if err != nil {
		panic("the replica has two servers: " + err.Error())
	}
	r.server = pid
}

// copyRun adds the records of one learned run, until the chunk is full or a record is not there.
func (s *server) copyRun(chunk *codec.Chunk, run log.Range) (full bool, err error) {
	next := run.First
	err = s.reader.Scan(run, func(a log.Action) bool {
		if a.Position != next || a.Value.Kind == log.None {
			return false
		}
		if full = !chunk.Fits(a); full {
			return false
		}
		chunk.Add(a)
		next++
		return true
	})
	return full, err
}

func (m serve) positions() uint64 {
	var n uint64
	for _, run := range m.runs {
		n += run.Len()
	}
	return n
}

// fetch answers a FetchRequest with what this replica knows as learned.
func (r *replica) fetch(ctx actor.Context, m *messages.FetchRequest) {
	f, err := codec.DecodeFetchRequest(m)
	refusal, ok := r.admit(ctx, f.Envelope, err)
	header := r.header(m.GetHeader())
	switch {
	case !ok:
		r.answer(ctx, codec.EncodeFetchResponse(header, codec.Denied{Refusal: refusal}))
	case r.meta.Status == status.Empty || r.meta.Status == status.Starting:
		r.answer(ctx, codec.EncodeFetchResponse(header, codec.Unable{Status: r.meta.Status}))
	case f.Range.First < r.ledger.Begin():
		r.answer(ctx, codec.EncodeFetchResponse(header, codec.Gone{Begin: r.ledger.Begin()}))
	default:
		within, runs := r.learnedIn(f.Range)
		r.answerTo(ctx, r.server, serve{ctx.Sender(), header, within, runs}) // who asks may have to be registered first
	}
}

// learnedIn returns the learned runs of the first part of a range: at most log.MaxCopy positions.
func (r *replica) learnedIn(within log.Range) (log.Range, []log.Range) {
	if within.Len() > log.MaxCopy {
		within.Last = within.First + log.MaxCopy - 1
	}
	return within, r.ledger.LearnedIn(within).Minus(r.damaged).Runs()
}

// excuse judges what the server has not found. Records that were truncated since are gone, and any other must be there.
func (r *replica) excuse(ctx actor.Context, m unserved) {
	begin := r.ledger.Begin()
	switch {
	case r.fault != nil:
	case isDamage(m.err):
		r.examine(ctx)
		r.respond(ctx, m.peer, codec.EncodeFetchResponse(m.header, codec.Denied{Refusal: r.broken()}))
		return
	case m.err != nil:
		r.fail(ctx, m.err)
	case m.run.First >= begin:
		r.fail(ctx, corruptGap(m.run, m.found))
	}
	var answer codec.Fetched = codec.Gone{Begin: begin}
	if r.fault != nil {
		answer = codec.Denied{Refusal: r.broken()}
	}
	r.respond(ctx, m.peer, codec.EncodeFetchResponse(m.header, answer))
}
