package membership

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/quorumlog/quorumlog/log"
)

// Why a change is refused. The error that wraps one of these says what to do instead.
var (
	// ErrTaken: the id, or the address, was a member's before, or is another member's.
	ErrTaken = errors.New("the id or address is taken")
	// ErrUnknown: there is no such member.
	ErrUnknown = errors.New("no such member")
	// ErrTooMany: there are as many members as there may be.
	ErrTooMany = errors.New("too many members")
	// ErrInvalid: the member has no proper id or address.
	ErrInvalid = errors.New("not a member")
	// ErrUnhealthy: too few of the voters would be there, and vote, after the change.
	ErrUnhealthy = errors.New("no quorum would be left")
	// ErrBehind: the observer does not vote yet, or it, or a voter that cannot be spared, lacks too much of the log.
	ErrBehind = errors.New("a member is behind")
	// ErrWriter: the member to be removed is the one that writes the change.
	ErrWriter = errors.New("the member writes")
)

// Kind says what a change does.
type Kind uint8

// The changes. Each changes one member.
const (
	// Add makes a new member an observer.
	Add Kind = iota + 1
	// Promote makes an observer a voter.
	Promote
	// Remove removes an observer, or a voter.
	Remove
)

// Valid says whether k is one of the changes.
func (k Kind) Valid() bool { return Add <= k && k <= Remove }

// Change is one change of the members.
type Change struct {
	Kind    Kind
	ID      log.ReplicaID
	Address string // of a member that is added
}

// Next returns the configuration after a change: c itself where the change was made before, so that it may be asked for
// again. At most one voter comes or goes, so a majority before and a majority after share a voter.
func (c Configuration) Next(ch Change) (Configuration, error) {
	next := Configuration{Epoch: c.Epoch + 1, Members: slices.Clone(c.Members), Highest: c.Highest}
	i, found := c.find(ch.ID)
	switch {
	case ch.Kind == Add && !found:
		return next.with(Member{ch.ID, ch.Address, Observer})
	case ch.Kind == Add && c.Members[i].Address != ch.Address:
		return c, fmt.Errorf("%w: member %d is at %s", ErrTaken, ch.ID, c.Members[i].Address)
	case ch.Kind == Promote && !found:
		return c, fmt.Errorf("%w: no member has the id %d: add it first", ErrUnknown, ch.ID)
	case ch.Kind == Promote && c.Members[i].Role == Observer:
		next.Members[i].Role = Voter
		return next, nil
	case ch.Kind == Remove && !found && ch.ID > c.Highest:
		return c, fmt.Errorf("%w: no member ever had the id %d", ErrUnknown, ch.ID)
	case ch.Kind == Remove && found:
		return next.without(i)
	case !ch.Kind.Valid():
		return c, fmt.Errorf("%w: %d is not a change of members", ErrInvalid, ch.Kind)
	}
	return c, nil
}

func (c Configuration) with(m Member) (Configuration, error) {
	if err := m.validate(); err != nil {
		return c, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if m.ID <= c.Highest {
		return c, fmt.Errorf("%w: an id is given once, so that a disk of its past never counts: take %d or above, not %d", ErrTaken, c.Highest+1, m.ID)
	}
	if i := slices.IndexFunc(c.Members, func(o Member) bool { return o.Address == m.Address }); i >= 0 {
		return c, fmt.Errorf("%w: member %d is at %s", ErrTaken, c.Members[i].ID, m.Address)
	}
	if len(c.Members) >= MaxMembers {
		return c, fmt.Errorf("%w: a log has at most %d members: remove one first", ErrTooMany, MaxMembers)
	}
	c.Members, c.Highest = append(c.Members, m), m.ID
	return c, nil
}

func (c Configuration) without(i int) (Configuration, error) {
	gone := c.Members[i]
	c.Members = slices.Delete(c.Members, i, i+1)
	if len(c.Voters()) == 0 {
		return c, fmt.Errorf("%w: member %d is the only one that votes: add another one, and promote it, first", ErrUnhealthy, gone.ID)
	}
	return c, nil
}

// Standing is how a member is, as the one that writes hears it.
type Standing struct {
	Votes bool   // it is there, and its replica is VOTING
	Lacks uint64 // positions that it had not learned when it was heard, of those that the writer knew to be chosen then
}

// keepsUp says whether a member votes, and has learned about what the writer has.
func (s Standing) keepsUp() bool { return s.Votes && s.Lacks <= MaxLag }

// MaxLag is how many positions an observer may lack when it is promoted, and a voter without which nothing is chosen at any change:
// the change is chosen once such a quorum has copied what it lacks, and nobody can append meanwhile.
const MaxLag = 8192

// MayFollow says whether a configuration may follow c, as the members are now: nil, or why not. Those of before choose it, and
// each of them only once it has learned everything below it; those of after go on.
//
// Safety does not rest on it. It keeps a log from being changed into one that cannot go on, or not before long.
func (c Configuration) MayFollow(next Configuration, standing func(log.ReplicaID) Standing) error {
	for _, id := range next.Voters() {
		s := standing(id)
		if before, _ := c.Member(id); before.Role == Voter || s.keepsUp() {
			continue
		}
		if !s.Votes {
			return fmt.Errorf("%w: member %d is not there, or has not caught up: start it, and wait until its status is VOTING", ErrBehind, id)
		}
		return fmt.Errorf("%w: member %d lacks %d positions, and may lack %d: wait until it has caught up", ErrBehind, id, s.Lacks, MaxLag)
	}
	if err := next.goesOn("would be there", standing); err != nil {
		return err
	}
	if err := c.goesOn("are there", standing); err != nil {
		return err
	}
	return c.chooses(standing)
}

// goesOn says whether a quorum of the voters is there, and votes.
func (c Configuration) goesOn(are string, standing func(log.ReplicaID) Standing) error {
	voters, votes := c.Voters(), 0
	for _, id := range voters {
		if standing(id).Votes {
			votes++
		}
	}
	if quorum := len(voters)/2 + 1; votes < quorum {
		return fmt.Errorf("%w: %d of the %d voters %s and vote, and a quorum is %d: have the others back first", ErrUnhealthy, votes, len(voters), are, quorum)
	}
	return nil
}

// chooses says whether a quorum of the voters can accept a change soon. All elections would wait for a voter that accepts it late,
// where no quorum is without it.
func (c Configuration) chooses(standing func(log.ReplicaID) Standing) error {
	voters, ready := c.Voters(), 0
	var late []string
	for _, id := range voters {
		s := standing(id)
		switch {
		case s.keepsUp():
			ready++
		case s.Votes:
			late = append(late, fmt.Sprintf("member %d lacks %d positions", id, s.Lacks))
		}
	}
	if quorum := len(voters)/2 + 1; ready < quorum {
		return fmt.Errorf("%w: %s, and may lack %d while no quorum is there without it: wait until status shows no lag",
			ErrBehind, strings.Join(late, ", "), MaxLag)
	}
	return nil
}
