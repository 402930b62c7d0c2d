package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/messages"
)

// Membership is who the members of the log are, from one change to the next.
type Membership struct {
	Epoch   uint64        // counts the changes; 0 while there was none
	Members []Member      // in the order of their ids
	Votes   []bool        // of each member: false for an observer, which is sent everything and never counted
	Next    log.ReplicaID // the lowest id that a new member may take: none is given twice
}

func newMembership(c membership.Configuration) Membership {
	m := Membership{Epoch: c.Epoch, Next: c.Highest + 1}
	for _, o := range c.Members {
		m.Members = append(m.Members, Member{o.ID, o.Address})
		m.Votes = append(m.Votes, o.Role == membership.Voter)
	}
	return m
}

// Membership asks the members who they are, and returns the newest that one of them knows. It fails where none answers in time.
func (c *Client) Membership(ctx context.Context) (Membership, error) {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	members := c.Members()
	answers := make(chan membership.Configuration, len(members))
	faults := make(chan error, len(members))
	for _, m := range members {
		go func() {
			asked, stop := context.WithTimeout(ctx, 2*time.Second)
			defer stop()
			configuration, err := c.askMembers(asked, m)
			if err != nil {
				faults <- err
				return
			}
			answers <- configuration
		}()
	}
	var newest membership.Configuration
	var failed error
	for range members {
		select {
		case configuration := <-answers:
			if configuration.Epoch >= newest.Epoch {
				newest = configuration
			}
		case err := <-faults:
			failed = errors.Join(failed, err)
		}
	}
	if len(newest.Members) == 0 {
		return Membership{}, fmt.Errorf("%w: no member answers: %w", ErrNoQuorum, failed)
	}
	c.adopt(newest)
	return newMembership(newest), nil
}

func (c *Client) askMembers(ctx context.Context, m Member) (membership.Configuration, error) {
	answer, err := c.retry(ctx, m, func(request uint64) proto.Message { return &messages.MembersRequest{Request: request} })
	if err != nil {
		return membership.Configuration{}, err
	}
	return members(m, answer)
}

func members(m Member, answer response) (membership.Configuration, error) {
	a, ok := answer.(*messages.MembersResponse)
	switch {
	case !ok:
		return membership.Configuration{}, fmt.Errorf("member %d at %s answered with a %T", m.ID, m.Address, answer)
	case a.GetFailure() != nil:
		return membership.Configuration{}, failure(m, a.GetFailure())
	}
	return codec.DecodeMembership(a.GetConfiguration())
}

// follow asks a member who the members are where it knows of a change that this client does not.
func (c *Client) follow(ctx context.Context, m Member, epoch uint64) {
	c.mu.Lock()
	known := c.changed.Epoch >= epoch
	c.mu.Unlock()
	if known {
		return
	}
	if configuration, err := c.askMembers(ctx, m); err == nil {
		c.adopt(configuration)
	}
}

// adopt goes on with other members, if the change is newer. Whoever was removed is asked no more.
func (c *Client) adopt(configuration membership.Configuration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if configuration.Epoch <= c.changed.Epoch {
		return
	}
	c.changed, c.members = configuration, newMembership(configuration).Members
	c.access.members.set(c.name, c.members)
	if _, member := configuration.Member(c.target.ID); !member {
		c.target = c.members[0]
	}
}

// AddObserver has a new member added: it is sent everything, is never counted, and may be promoted once it has caught up. Start
// it after that, with a member list that has some of the others and itself. Its id must be Membership.Next or above.
func (c *Client) AddObserver(ctx context.Context, m Member) (Membership, error) {
	return c.change(ctx, membership.Change{Kind: membership.Add, ID: m.ID, Address: m.Address})
}

// PromoteMember makes an observer a voter. ErrBehind says that it has not caught up yet.
func (c *Client) PromoteMember(ctx context.Context, id log.ReplicaID) (Membership, error) {
	return c.change(ctx, membership.Change{Kind: membership.Promote, ID: id})
}

// RemoveMember has a member removed. It ends once it knows, and its id is never given again. Where it is the one that writes,
// another one is elected first.
func (c *Client) RemoveMember(ctx context.Context, id log.ReplicaID) (Membership, error) {
	return c.change(ctx, membership.Change{Kind: membership.Remove, ID: id})
}

// AddMember is AddObserver, and then PromoteMember as soon as the new member has caught up. Until the context ends it waits for
// that, and for the member to be started. Watch, where it is not nil, is told how the new member is, several times a second.
func (c *Client) AddMember(ctx context.Context, m Member, watch func(Status)) (Membership, error) {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	if added, err := c.AddObserver(ctx, m); err != nil {
		return added, err
	}
	for {
		now, err := c.PromoteMember(ctx, m.ID)
		if !errors.Is(err, ErrBehind) {
			return now, err
		}
		if watch != nil {
			watch(c.glance(ctx, m))
		}
		if sleep(ctx, promoteEvery) != nil {
			return now, fmt.Errorf("%w (%w)", err, ctx.Err())
		}
	}
}

// promoteEvery is the time between two tries to promote an observer.
const promoteEvery = 200 * time.Millisecond

// glance asks a member how it is, and does not wait for long.
func (c *Client) glance(ctx context.Context, m Member) Status {
	ctx, cancel := context.WithTimeout(ctx, promoteEvery)
	defer cancel()
	s, err := c.statusOf(ctx, m)
	if err != nil {
		s = Status{ID: m.ID, Address: m.Address, Error: err.Error()}
	}
	return s
}

// ReplaceMember is AddMember of a new member, and then RemoveMember of an old one, dead or alive.
func (c *Client) ReplaceMember(ctx context.Context, old log.ReplicaID, by Member, watch func(Status)) (Membership, error) {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	if added, err := c.AddMember(ctx, by, watch); err != nil {
		return added, err
	}
	return c.RemoveMember(ctx, old)
}

// unheard is how long a change that would leave no quorum is asked for again: members that have just begun take those whom they
// have not heard yet for missing.
const unheard = time.Second

// change asks one member after the other for a change, until it is made. It asks again also where nobody knows whether it is:
// it is made once.
func (c *Client) change(ctx context.Context, ch membership.Change) (Membership, error) {
	if err := c.mayChange(); err != nil {
		return Membership{}, err
	}
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	var last error
	var unhealthy time.Time // since when a member says that it is
	for try := 0; ; try++ {
		target, err := c.reach(ctx)
		if err != nil {
			return Membership{}, errors.Join(err, last)
		}
		configuration, err := c.changeAt(ctx, target, ch)
		switch {
		case err == nil:
			c.adopt(configuration)
			c.prefer(target)
			return newMembership(configuration), nil
		case errors.Is(err, membership.ErrWriter):
			c.handOver(ctx, target)
		case errors.Is(err, ErrUnhealthy):
			if unhealthy.IsZero() {
				unhealthy = time.Now()
			}
			if time.Since(unhealthy) > unheard {
				return Membership{}, err
			}
		case !retryable(err) && !errors.Is(err, ErrIndeterminate):
			return Membership{}, err
		}
		c.doubt(target, err)
		last = err
		if c.pause(ctx, try) != nil {
			return Membership{}, last
		}
	}
}

func (c *Client) changeAt(ctx context.Context, m Member, ch membership.Change) (membership.Configuration, error) {
	answer, err := c.askPatiently(ctx, m, func(request uint64) proto.Message {
		return &messages.MembersRequest{Request: request, Change: codec.EncodeChange(ch)}
	})
	if errors.Is(err, errShut) {
		return membership.Configuration{}, err
	}
	if err != nil {
		return membership.Configuration{}, fmt.Errorf("%w: member %d at %s does not answer: %w", ErrIndeterminate, m.ID, m.Address, err)
	}
	if a, ok := answer.(*messages.MembersResponse); ok && a.GetFailure() != nil {
		c.redirect(a.GetFailure())
	}
	return members(m, answer)
}

// handOver has another voter elected than the one that writes: an observer could be, and would leave the log without a writer of its
// own accord. If that fails, the next try finds the same writer.
func (c *Client) handOver(ctx context.Context, writer Member) {
	voters := c.voters()
	for _, m := range c.Members() {
		if m == writer || !slices.Contains(voters, m.ID) {
			continue
		}
		asked, stop := context.WithTimeout(ctx, silent)
		_, err := c.elect(asked, m)
		stop()
		if err == nil {
			c.prefer(m)
			return
		}
	}
}

// role says what a member is for, as far as this client knows.
func (c *Client) role(id log.ReplicaID) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, found := c.changed.Member(id); found {
		return m.Role.String()
	}
	return membership.Voter.String()
}

// voters are the members whose votes count, as far as this client knows.
func (c *Client) voters() []log.ReplicaID {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed.Epoch > 0 {
		return c.changed.Voters()
	}
	return ids(ordered(c.members))
}
