package replica

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/storage"
)

// Records of learned positions that rot on the disk are no reason to stop: what was chosen there is the same on every member that
// has learned it, so it is copied once more (see catchup.NewFollow), and everything else goes on. Until then nothing is read there,
// and who asks for it is told to ask another member. A record that is not learned may be a vote that nobody else knows of: there the
// store fails, and the replica with it.

// isDamage says whether an error is about learned records only.
func isDamage(err error) bool { return errors.As(err, new(storage.Damage)) }

// examine takes over which positions are damaged by now.
func (r *replica) examine(ctx actor.Context) {
	set, err := r.Store.Damaged()
	if err != nil {
		r.fail(ctx, err)
		return
	}
	if set.Equal(r.damaged) {
		return
	}
	if found := set.Minus(r.damaged); !found.Empty() {
		r.Measures.DamagedRecords.Add(1)
		r.Log.Error().Stringer("positions", found).Msg("learned records are damaged on the disk, and are copied from another member")
		r.Measures.Events.Note(measure.Event{At: r.Clock.Now(), Kind: measure.RecordsDamaged, Detail: found.String()})
	} else if set.Empty() {
		r.Log.Info().Msg("all damaged records are copied")
		r.Measures.Events.Note(measure.Event{At: r.Clock.Now(), Kind: measure.RecordsMended})
	}
	r.damaged = set
	r.tell(ctx, Damaged{set})
}

// mend stores what peers have learned where the records here are damaged.
func (r *replica) mend(ctx actor.Context, actions []log.Action) {
	if len(actions) > 0 && r.stored(ctx, r.Store.Mend(actions...)) {
		r.examine(ctx)
		r.foldOn(ctx)
	}
}

// clear cuts a range that is to be read down to what comes before the first damaged position.
func (r *replica) clear(within log.Range) log.Range {
	if first, found := r.damaged.Intersect(within).First(); found {
		within.Last = first - 1
	}
	return within
}

// unreadable is the refusal of a replica that cannot read what it is asked about.
func unreadable(id log.ReplicaID, damaged interval.Set) identity.Refusal {
	return identity.Refusal{Reason: identity.IOError, Detail: fmt.Sprintf("the records of replica %d at %s are damaged, and not copied yet", id, damaged)}
}
