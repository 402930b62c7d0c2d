package replica

import (
	"errors"
	"fmt"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
)

// ErrOtherLog: the disk holds another log than those of the other members.
var ErrOtherLog = errors.New("this data directory holds another log than the other members have")

// OtherLogError is an ErrOtherLog that says what the replica holds.
type OtherLogError struct {
	Holds    log.Range                // the positions; empty for none. Clients may have been told that they are safe
	Members  membership.Configuration // of the other log, as far as it is known; of epoch 0 if it is not
	Unproven bool                     // the others do not know on which disks their log was begun, so it may be the same log
}

// Error implements error.
func (e *OtherLogError) Error() string {
	if e.Holds.Empty() {
		return e.what() + "; nothing is in it"
	}
	if e.Unproven {
		return fmt.Sprintf("%s: the entries at %s may have been acknowledged here, and may be missing from the log of the others", e.what(), e.Holds)
	}
	return fmt.Sprintf("%s: the entries at %s may have been acknowledged here, and are not in the log of the others", e.what(), e.Holds)
}

// what says whether it is certain.
func (e *OtherLogError) what() string {
	if e.Unproven {
		return "this data directory is not known to hold the log that the other members have, who do not know on which disks theirs was begun"
	}
	return ErrOtherLog.Error()
}

// Is makes errors.Is(err, ErrOtherLog) true.
func (e *OtherLogError) Is(target error) bool { return target == ErrOtherLog }

// hearOtherLog ends a replica that is told of later members of a log which was begun on other disks than its own, unless that log
// certainly is the smaller one: then it goes on, and says so once.
func (r *replica) hearOtherLog(ctx actor.Context, c membership.Configuration) {
	company := r.company()
	if !r.outnumber(company, c) {
		r.otherLog(ctx, OtherLogError{Members: c})
		return
	}
	if r.other < c.Epoch {
		r.other = c.Epoch
		r.Log.Warn().Str("others", c.String()).Ints("with", company).Msg("somebody has another log of this name: find out who was started with the wrong members, and end it")
	}
}

// voters are those of the configuration that is in force.
func (r *replica) voters() []log.ReplicaID {
	if r.meta.Configuration.Epoch == 0 {
		return r.Members
	}
	return r.meta.Configuration.Voters()
}

// company is who votes in this replica's log, itself included, and was heard lately.
func (r *replica) company() []int {
	var company []int
	for _, id := range r.voters() {
		heard, known := r.greeted[id]
		if id == r.meta.Replica || known && r.Clock.Now().Sub(heard.at) <= r.Absence {
			company = append(company, int(id))
		}
	}
	return company
}

// outnumber says whether a company is a quorum of this log, of more than one, and of more members than another log can have voters
// besides. A member that began a log alone, as it heard nobody, may change its members then, and would have the log end that all
// others have, and that clients use.
func (r *replica) outnumber(company []int, c membership.Configuration) bool {
	if !r.voting() || len(company) < 2 || len(company) <= len(r.voters())/2 {
		return false
	}
	others := 0
	for _, id := range c.Voters() {
		if !slices.Contains(company, int(id)) {
			others++
		}
	}
	return len(company) > others
}

// otherLog ends a replica that has another log than others have, whose members were changed more often, or of which it hears the votes
// of a quorum. Most likely its own was begun by mistake: its disk was lost, and those whom it was started with were new as well,
// and not all members. What it holds must not get among what the others have, neither here nor by its vote: there would be two values
// at a position. So it changes nothing any more.
func (r *replica) otherLog(ctx actor.Context, e OtherLogError) {
	e.Holds = log.Range{First: r.ledger.Begin(), Last: r.ledger.End()}
	r.fail(ctx, &e)
}
