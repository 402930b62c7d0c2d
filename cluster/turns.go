package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A reader that is bound to no member stays with one while that is of use, and leaves it for another where it is not.

// votingTries is how often a reader of one member asks again where that does not vote: one that was just started says that it
// votes a moment before it serves clients.
const votingTries = 5

// errBehind says that a member has learned less than the reader has seen elsewhere.
var errBehind = errors.New("this member lags behind what was seen")

// insist has a member do something, and, while it cannot, the others in turns, or the only one again, until the context ends.
func (r *Reader) insist(ctx context.Context, do func(Member) error) error {
	for try := 0; ; try++ {
		m, err := r.choose(ctx)
		if err != nil {
			return err
		}
		err = do(m)
		if err == nil || !r.elsewhere(err, try) || ctx.Err() != nil {
			return err
		}
		r.leave(m)
		if r.client.pause(ctx, try) != nil {
			return err
		}
	}
}

// elsewhere says whether another member may do what this one could not, or the same one later.
func (r *Reader) elsewhere(err error, try int) bool {
	switch {
	case errors.Is(err, errShut), errors.Is(err, errEnded):
		return false
	case errors.Is(err, errBehind), errors.Is(err, errBroken), errors.Is(err, errSilent), errors.Is(err, context.DeadlineExceeded):
		return true
	case r.only > 0:
		return errors.Is(err, ErrNotVoting) && try < votingTries
	}
	for _, kind := range []error{ErrNotVoting, ErrNoQuorum, ErrBusy, ErrNoLog, ErrCorrupt, ErrClosed} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// choose returns the member to ask.
func (r *Reader) choose(ctx context.Context) (Member, error) {
	if r.only > 0 {
		if m, ok := r.client.member(r.only); ok {
			return m, nil
		}
		return Member{}, fmt.Errorf("no member has the id %d", r.only)
	}
	r.mu.Lock()
	at, left := r.at, r.left
	r.mu.Unlock()
	if at.ID > 0 {
		r.client.keepUp(at)
		return at, nil
	}
	at, err := r.client.reachBeside(ctx, left)
	if err == nil {
		r.mu.Lock()
		r.at = at
		r.mu.Unlock()
	}
	return at, err
}

// leave has another member chosen.
func (r *Reader) leave(m Member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == m {
		r.at, r.left = Member{}, m
	}
}

// reachBeside is reach for somebody who has just left a member: that one is chosen where no other votes and answers within a
// second.
func (c *Client) reachBeside(ctx context.Context, left Member) (Member, error) {
	members := c.Members() // they may be others in a moment
	if left.ID == 0 || len(members) == 1 {
		return c.reach(ctx)
	}
	if c.conn.isClosed() {
		return Member{}, errShut
	}
	found := make(chan Member, len(members))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, m := range members {
		go func() {
			if (m != left || sleep(ctx, fresh) == nil) && c.awaitVoting(ctx, m) {
				found <- m
			}
		}()
	}
	return c.choose(ctx, left, found)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
