package replica

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
)

// ErrOtherLog: the disk holds another log than those of the other members.
var ErrOtherLog = errors.New("this data directory holds another log than the other members have")

// OtherLogError is an ErrOtherLog that says what the replica holds.
type OtherLogError struct {
	Holds   log.Range                // the positions; empty for none. Clients may have been told that they are safe
	Members membership.Configuration // of the other log, as far as it is known; of epoch 0 if it is not
}

// Error implements error.
func (e *OtherLogError) Error() string {
	if e.Holds.Empty() {
		return fmt.Sprintf("%v; nothing is in it", ErrOtherLog)
	}
	return fmt.Sprintf("%v: the entries at %s may have been acknowledged here, and are not in the log of the others", ErrOtherLog, e.Holds)
}

// Is makes errors.Is(err, ErrOtherLog) true.
func (e *OtherLogError) Is(target error) bool { return target == ErrOtherLog }

// otherLog ends a replica that hears of a log which it does not have: begun on other disks than its own, and with a newer
// configuration, or the votes of a quorum. Its own was begun by mistake: its disk was lost, and those whom it was started with were
// new as well, and not all members. What it holds must not get among what the others have, neither here nor by its vote: there
// would be two values at a position. So it changes nothing any more.
func (r *replica) otherLog(ctx actor.Context, c membership.Configuration) {
	r.fail(ctx, &OtherLogError{Holds: log.Range{First: r.ledger.Begin(), Last: r.ledger.End()}, Members: c})
}
