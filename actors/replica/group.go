package replica

import (
	"errors"
	"fmt"
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/storage"
)

// flush is due once everything that was in the mailbox before it is applied.
type flush struct{}

// group is the answers that wait, in the order in which they leave, and what they wait for: the first ones for the sync
// that runs, the others for the next one, which begins when that is done.
type group struct {
	dirty   bool // the store has changes that an answer rests on, and that no sync covers which has begun
	syncing bool // a sync runs
	flush   bool // a flush is in the mailbox
	waiting []waiting
	covered int // how many of them wait for the sync that runs
	bytes   int // of all that waits
}

type waiting struct {
	to     *actor.PID
	answer any
	bytes  int // what it takes in memory, about
}

// maxWaiting is how many bytes of answers wait. A disk may hang for hours, and whoever asks asks again: what comes beyond that is
// dropped, like a message that is lost.
const maxWaiting = 16 << 20

// cost is what an answer to a peer takes in memory while it waits, in bytes, about. Those to actors of this process cost nothing:
// they are few, and nobody asks for them again.
func cost(answer any) int {
	const least = 512
	switch a := answer.(type) {
	case serve:
		return least
	case proto.Message:
		return least + proto.Size(a)
	}
	return 0
}

// syncs is how many syncs are done once everything is durable that is on the disk now: each of them makes it one older.
func (g *group) syncs() (n uint64) {
	if g.syncing {
		n++
	}
	if g.dirty {
		n++
	}
	return n
}

// answer sends an answer as soon as everything it may rest on is durable: at once where that is all, and else with the sync
// that covers the newest change. What is learned, or truncated, needs no sync: it is chosen, and can be learned again.
func (r *replica) answer(ctx actor.Context, answer any) { r.answerTo(ctx, ctx.Sender(), answer) }

// answerTo is answer for somebody else.
func (r *replica) answerTo(ctx actor.Context, to *actor.PID, answer any) {
	if r.group.syncs() == 0 {
		r.respond(ctx, to, answer)
		return
	}
	bytes := cost(answer)
	if bytes > 0 && r.group.bytes+bytes > maxWaiting {
		r.Measures.Answers.Rejected.Add(1)
		return
	}
	r.group.bytes += bytes
	r.Measures.Answers.Bytes.Set(r.group.bytes)
	r.group.waiting = append(r.group.waiting, waiting{to, answer, bytes})
	switch {
	case !r.group.dirty:
		r.group.covered = len(r.group.waiting)
	case !r.group.syncing && !r.group.flush:
		r.group.flush = true
		ctx.Send(ctx.Self(), flush{})
	}
}

// flush begins the sync of everything that was asked so far. What is asked from now on waits for the next one.
func (r *replica) flush(ctx actor.Context) {
	r.group.flush = false
	if r.remember(ctx); r.fault != nil {
		return
	}
	r.group.dirty, r.group.syncing, r.group.covered = false, true, len(r.group.waiting)
	r.pace.begin(r.Clock.Now())
	ctx.Request(r.syncer, await{r.Clock.Now(), r.Store.StartSync()})
}

// synced lets every answer go that waited for the sync that is done, and begins the next one where others wait. Nothing
// needs to gather for that one: it did while the disk was busy.
func (r *replica) synced(ctx actor.Context, m synced) {
	if r.fault != nil || !r.stored(ctx, m.err) {
		return
	}
	r.group.syncing = false
	r.pace.end(r.Clock.Now())
	r.admission.Self.Age = r.Store.Age()
	for _, w := range r.group.waiting[:r.group.covered] {
		r.group.bytes -= w.bytes
		r.respond(ctx, w.to, w.answer)
	}
	r.group.waiting = slices.Delete(r.group.waiting, 0, r.group.covered)
	r.Measures.Answers.Bytes.Set(r.group.bytes)
	if r.group.covered = 0; len(r.group.waiting) > 0 {
		r.flush(ctx)
	}
}

func (r *replica) respond(ctx actor.Context, to *actor.PID, answer any) {
	if to != nil {
		ctx.Send(to, answer)
	}
}

// stored says whether the store did what it was told; if not, the replica is done for, unless it is only that learned records are
// damaged.
func (r *replica) stored(ctx actor.Context, err error) bool {
	switch {
	case err == nil:
	case isDamage(err):
		r.examine(ctx)
	default:
		r.fail(ctx, err)
	}
	return err == nil
}

// fail ends the replica's voting. The answers that wait are dropped: nobody knows whether they are true.
func (r *replica) fail(ctx actor.Context, err error) {
	if r.fault != nil {
		return
	}
	r.fault = err
	r.group = group{}
	r.Log.Error().Err(err).Bool("corrupt", errors.Is(err, storage.ErrCorrupt)).Msg("the disk failed, was put back or holds another log, and the replica stops voting")
	ctx.Stop(r.server) // nor is anything more served from this disk
	r.tell(ctx, Failed{err})
}

// broken is the refusal of a replica whose disk failed, or cannot be read where it matters.
func (r *replica) broken() identity.Refusal {
	if r.fault == nil {
		return unreadable(r.admission.Self.Replica, r.damaged)
	}
	return identity.Refusal{Reason: identity.IOError, Detail: fmt.Sprintf("the disk of replica %d failed", r.admission.Self.Replica)}
}

// corruptGap is the error where learned records are not on the disk.
func corruptGap(within log.Range, found int) error {
	return fmt.Errorf("%w: %d records at the learned positions %s", storage.ErrCorrupt, found, within)
}
