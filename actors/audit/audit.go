// Package audit compares what a member has learned with what the others have.
//
// A disk that returns what was never written to it, or a program that stores it, is found here before anybody reads it: each
// member reads its blocks back from its disk, a few at a time, newest first, and tells the others their sums (package digest).
//
//	lookDue ─▶ what is kept and learned? ─▶ read at most a portion ─▶ AuditMessage to every other member
//	AuditMessage ─▶ compare ── another sum ─▶ Diverged, to the member
//
// It reads beside the votes, and no more than 16 MiB or 16,384 positions a second; down to a quarter of that while the log grows,
// as it takes processor time from the appends. The blocks of a log that grows faster have their turn later.
package audit

import (
	"errors"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/digest"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
)

// Diverged tells the parent that the log of this member and that of another one differ.
type Diverged struct{ digest.Finding }

// Agreed tells the parent that no other member says anything else any more.
type Agreed struct{}

// lookDue is the time to read a portion, and to tell the others.
type lookDue struct{}

// What is read at once, and how often; and how many blocks are told.
const (
	pause            = 250 * time.Millisecond
	portionPositions = 16 * digest.Positions
	leastPositions   = portionPositions / 4 // where more than the difference was learned meanwhile
	bytesPerPosition = 1 << 10              // of each position that may be read; more of one is taken from the others
	told             = 128
)

// New returns the producer of an audit, which reads with this reader.
func New(e *ensemble.Ensemble, reader storage.Reader) actor.Producer {
	return func() actor.Actor {
		return &audit{Ensemble: e, reader: reader, book: digest.NewBook(e.Self, len(e.Voters())), cancel: func() {}}
	}
}

type audit struct {
	*ensemble.Ensemble
	reader storage.Reader
	self   identity.Identity
	book   *digest.Book
	block  digest.Block // that is read
	next   log.Position // of it; 0 where none is
	hash   *digest.Hash
	known  log.Position // up to where everything was learned at the last look
	cancel func()
}

// Receive implements actor.Actor. Whatever ends the last dispute, be it a truncation or other members, the parent hears of it.
func (a *audit) Receive(ctx actor.Context) {
	differed := a.book.Differs()
	a.receive(ctx)
	if differed && !a.book.Differs() {
		a.Log.Info().Msg("no log differs any more")
		ctx.Send(ctx.Parent(), Agreed{})
	}
}

func (a *audit) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started, lookDue:
		ctx.Request(a.Replica, replica.Inspect{})
		a.cancel = a.Clock.After(a.Twice(pause), ctx.Self(), lookDue{})
	case *actor.Stopping:
		a.cancel()
	case replica.Inspected:
		if a.self = m.Identity; m.Status == status.Voting {
			a.read(log.Range{First: m.Begin, Last: m.Learned}, portion(a.known, m.Learned))
			a.known = m.Learned
			a.tell(ctx)
		}
	case *messages.AuditMessage:
		a.hear(ctx, m)
	case ensemble.Moved:
		a.Ensemble = m.Ensemble
		a.book.Move(len(a.Voters()))
	}
}

// portion is how many positions to read, where everything up to one position was learned at the last look, and up to another
// one by now: appends go first.
func portion(before, now log.Position) int {
	grown := min(max(now, before)-before, portionPositions)
	return max(leastPositions, portionPositions-int(grown))
}

// read reads so many positions of what is learned, or fewer that are large.
func (a *audit) read(kept log.Range, most int) {
	positions, bytes, mostBytes := 0, 0, most*bytesPerPosition
	for positions < most && bytes < mostBytes {
		if a.next < kept.First { // or it was truncated meanwhile
			a.next = 0
		}
		if a.next == 0 && !a.begin(kept) {
			return
		}
		n, size, err := a.readSome(mostBytes - bytes)
		if err != nil || n == 0 { // what is wrong there is for the replica to find, which owns the disk
			a.next = 0
			if err != nil && !errors.Is(err, storage.ErrClosed) {
				a.Log.Warn().Err(err).Msg("a block could not be read to compare it")
			}
			return
		}
		positions, bytes = positions+n, bytes+size
	}
}

// begin begins the next block, if there is one.
func (a *audit) begin(kept log.Range) bool {
	block, found := a.book.Next(kept)
	if found {
		a.block, a.next, a.hash = block, block.First, digest.NewHash()
	}
	return found
}

// readSome reads on in the block, up to its end or until so many bytes are read, but one record at least.
func (a *audit) readSome(most int) (positions, bytes int, err error) {
	rest := log.Range{First: a.next, Last: a.block.Range().Last}
	err = a.reader.Scan(rest, func(r log.Action) bool {
		if r.Position != a.next || bytes > 0 && bytes+len(r.Value.Data) > most {
			return false
		}
		a.hash.Add(r)
		a.next++
		positions, bytes = positions+1, bytes+len(r.Value.Data)
		return true
	})
	if err == nil && a.next > rest.Last {
		a.block.Sum = a.hash.Block()
		a.book.Put(a.block)
		a.next = 0
	}
	return positions, bytes, err
}

// tell tells the other members some sums.
func (a *audit) tell(ctx actor.Context) {
	blocks := a.book.Tell(told)
	if len(blocks) == 0 {
		return
	}
	m := codec.EncodeAuditMessage(codec.EncodeHeader(a.self, a.Random.Uint64(), nil), blocks)
	for _, id := range a.Members {
		if p := a.Peers[id]; id != a.Self && p != nil {
			ctx.Send(beside(p, ctx.Self()), m)
		}
	}
}

// beside is the audit of the member whose replica this is: actors have the same names everywhere.
func beside(peer, self *actor.PID) *actor.PID {
	parent, name := peer.GetId(), self.GetId()
	return actor.NewPID(peer.GetAddress(), parent[:strings.LastIndex(parent, "/")+1]+name[strings.LastIndex(name, "/")+1:])
}

// hear compares what another member says.
func (a *audit) hear(ctx actor.Context, m *messages.AuditMessage) {
	e, blocks, err := codec.DecodeAuditMessage(m)
	if err != nil || !a.Counts(a.self, e.From) {
		return
	}
	for _, f := range a.book.Hear(e.From.Replica, blocks) {
		a.Measures.DigestMismatches.Add(1)
		a.Log.Error().Uint16("peer", uint16(f.Peer)).Uint64("first", uint64(f.Block.First)).Uint64("last", uint64(f.Block.Last)).
			Bool("minority", f.Minority).Msg("the log differs from a peer's")
		ctx.Send(ctx.Parent(), Diverged{f})
	}
}
