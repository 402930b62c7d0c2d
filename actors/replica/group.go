package replica

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/storage"
)

// flush is due once everything that was in the mailbox before it is applied.
type flush struct{}

// group is the answers that wait for one sync.
type group struct {
	dirty   bool // the store has changes that an answer rests on
	flush   bool // a flush is in the mailbox
	waiting []waiting
}

type waiting struct {
	to     *actor.PID
	answer any
}

// answer sends an answer as soon as everything it may rest on is durable: at once where nothing waits.
func (r *replica) answer(ctx actor.Context, answer any) {
	if !r.group.dirty {
		r.respond(ctx, ctx.Sender(), answer)
		return
	}
	r.group.waiting = append(r.group.waiting, waiting{ctx.Sender(), answer})
	if !r.group.flush {
		r.group.flush = true
		ctx.Send(ctx.Self(), flush{})
	}
}

// flush syncs once and lets every answer go that waited for it.
func (r *replica) flush(ctx actor.Context) {
	r.group.flush = false
	r.remember(ctx)
	if r.fault != nil || !r.stored(ctx, r.Store.Sync()) {
		return
	}
	r.admission.Self.Age = r.Store.Age()
	waited := r.group.waiting
	r.group.dirty, r.group.waiting = false, nil
	for _, w := range waited {
		r.respond(ctx, w.to, w.answer)
	}
}

func (r *replica) respond(ctx actor.Context, to *actor.PID, answer any) {
	if to != nil {
		ctx.Send(to, answer)
	}
}

// stored says whether the store did what it was told; if not, the replica is done for.
func (r *replica) stored(ctx actor.Context, err error) bool {
	if err != nil {
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
	r.Log.Error().Err(err).Bool("corrupt", errors.Is(err, storage.ErrCorrupt)).Msg("the disk failed or was put back, and the replica stops voting")
	r.tell(ctx, Failed{err})
}

// broken is the refusal of a replica whose disk failed.
func (r *replica) broken() identity.Refusal {
	return identity.Refusal{Reason: identity.IOError, Detail: fmt.Sprintf("the disk of replica %d failed", r.admission.Self.Replica)}
}

// corruptGap is the error where learned records are not on the disk.
func corruptGap(within log.Range, found int) error {
	return fmt.Errorf("%w: %d records at the learned positions %s", storage.ErrCorrupt, found, within)
}
