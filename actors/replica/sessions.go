package replica

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/sessions"
	"github.com/quorumlog/quorumlog/log/storage"
)

// Memory bounds what a replica remembers of sessions. It must be the same on all replicas of a log; the zero Memory is the usual
// one, and only tests have another.
type Memory struct {
	Bytes int // of the table; 0 for sessions.MaxBytes
	Every int // entries from one checkpoint to the next, or as many times 256 bytes of them; 0 for 65,536
}

func (m Memory) usual() Memory {
	if m.Bytes == 0 {
		m.Bytes = sessions.MaxBytes
	}
	if m.Every == 0 {
		m.Every = 1 << 16
	}
	return m
}

// folding is how the table of sessions comes to what is learned. What is learned in order goes in at once. What is not, and what
// was learned before the process started, is read from the disk, a portion at a time: a replica goes on voting meanwhile.
type folding struct {
	due    bool         // a foldDue is in the mailbox
	asked  log.Position // up to where the local coordinator wants the table
	pid    *actor.PID   // the coordinator while it waits; else nil
	since  log.Position // of the last checkpoint
	bytes  int          // of entries that were stored after it
	memory Memory
}

// foldDue is the turn of the next portion.
type foldDue struct{}

// How much one portion is.
const (
	foldRecords = 2048
	foldBytes   = 1 << 20
)

// restoreSessions begins with the last checkpoint.
func (r *replica) restoreSessions(ctx actor.Context) {
	r.folding.memory = r.Memory.usual()
	r.sessions = sessions.NewFold(r.folding.memory.Bytes, r.ledger.Begin())
	c, err := r.Store.Checkpoint()
	if !r.stored(ctx, err) {
		return
	}
	if c.UpTo > 0 && c.UpTo <= r.ledger.Learned() {
		if err := r.sessions.Restore(c.UpTo, c.Table); err != nil {
			r.fail(ctx, fmt.Errorf("%w: the checkpoint at %d: %w", storage.ErrCorrupt, c.UpTo, err))
			return
		}
	}
	r.folding.since = r.sessions.UpTo()
	r.foldOn(ctx)
}

// fold takes in what was learned.
func (r *replica) fold(ctx actor.Context, p sessions.Piece) {
	if err := r.sessions.Learn(p); err != nil {
		r.fail(ctx, fmt.Errorf("%w: %w", storage.ErrCorrupt, err))
		return
	}
	r.foldOn(ctx)
}

// foldOn does what is due once something was taken in: a checkpoint, an answer, or the next portion from the disk.
func (r *replica) foldOn(ctx actor.Context) {
	r.checkpoint(ctx)
	if r.fault != nil {
		return
	}
	if !r.folding.due && !r.sessions.Missing(r.ledger.Learned()).Empty() {
		r.folding.due = true
		ctx.Send(ctx.Self(), foldDue{})
	}
	if r.folding.pid != nil && r.sessions.UpTo() >= r.folding.asked {
		ctx.Send(r.folding.pid, Remembered{r.sessions.Hand(), r.sessions.UpTo()})
		r.folding.pid = nil
	}
}

// foldFromDisk reads the next portion.
func (r *replica) foldFromDisk(ctx actor.Context) {
	r.folding.due = false
	missing := r.clear(r.sessions.Missing(r.ledger.Learned())) // the rest is read once it is mended
	if missing.Empty() || r.fault != nil {
		return
	}
	missing.Last = min(missing.Last, missing.First+foldRecords-1)
	portion := sessions.Piece{Range: missing}
	bytes, next := 0, missing.First
	err := r.Store.Scan(missing, func(a log.Action) bool {
		if a.Position != next || bytes > foldBytes {
			return false
		}
		portion.Add(a.Position, &a.Value)
		bytes, next = bytes+len(a.Value.Data), next+1
		return true
	})
	if !r.stored(ctx, err) {
		return
	}
	if next == missing.First {
		r.fail(ctx, corruptGap(missing, 0))
		return
	}
	portion.Range.Last = next - 1
	r.fold(ctx, portion)
}

// checkpoint stores the table now and then, so that no start has more than so much to read. A replica whose disk is in doubt
// changes nothing on it.
func (r *replica) checkpoint(ctx actor.Context) {
	f := &r.folding
	upTo, every := r.sessions.UpTo(), f.memory.Every
	if r.unsure.is || upTo <= f.since || upTo-f.since < log.Position(every) && f.bytes < every<<8 {
		return
	}
	if table, known := r.sessions.Table(); known {
		f.since, f.bytes = upTo, 0
		r.stored(ctx, r.Store.SetCheckpoint(storage.Checkpoint{UpTo: upTo, Table: table.Encode()}))
	}
}

// tellSessions answers as soon as the table has come so far.
func (r *replica) tellSessions(ctx actor.Context, m Sessions) {
	r.folding.asked, r.folding.pid = m.UpTo, ctx.Sender()
	r.foldOn(ctx)
}
