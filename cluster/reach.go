package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/messages"
)

// How long a member may be silent.
const (
	fresh  = time.Second            // it answered so recently that it need not be asked whether it is there
	ping   = 400 * time.Millisecond // until it is asked again whether it is there
	silent = 3 * time.Second        // until it counts as gone
)

var errSilent = errors.New("it has not been heard for 3 s: it may have stopped")

// reach returns a member that can be asked to write: the preferred one while it answers, else the one that writes, else
// any that votes. A message to a member that is not there is lost without a word, and an append that was sent and not
// answered is indeterminate: so whoever was not heard lately is asked first whether it is there.
func (c *Client) reach(ctx context.Context) (Member, error) {
	if c.conn.isClosed() {
		return Member{}, errShut
	}
	m := c.preferred()
	if c.conn.heardSince(m.Address, time.Now().Add(-fresh)) {
		c.keepUp(m)
		return m, nil
	}
	members := c.Members() // they may be others in a moment
	found := make(chan Member, len(members))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, m := range members {
		go func() {
			if c.awaitVoting(ctx, m) {
				found <- m
			}
		}()
	}
	return c.choose(ctx, m, found)
}

// awaitVoting asks a member how it is until it votes, and says false where the context ends before.
func (c *Client) awaitVoting(ctx context.Context, m Member) bool {
	for {
		switch s, err := c.statusOf(ctx, m); {
		case err == nil && s.Status == "VOTING":
			c.follow(ctx, m, s.Epoch)
			return true
		case sleep(ctx, ping/8) != nil:
			return false
		}
	}
}

// choose takes the preferred member if it answers at once, else the first that did.
func (c *Client) choose(ctx context.Context, preferred Member, found <-chan Member) (Member, error) {
	var other *Member
	hurry, doomed := time.After(ping/4), time.After(fresh)
	for {
		select {
		case m := <-found:
			if m == preferred {
				return m, nil
			}
			other = &m
		case <-hurry:
			if other != nil {
				return *other, nil
			}
			hurry = time.After(ping / 4)
		case <-doomed:
			if fault := c.conn.faults.ofAll(c.Members()); fault != nil {
				return Member{}, fmt.Errorf("%w: no member can be talked to: %w", ErrDenied, fault)
			}
			if said, all := c.lacked(); all {
				return Member{}, said
			}
			doomed = time.After(fresh)
		case <-c.conn.closed:
			return Member{}, errShut
		case <-ctx.Done():
			err := fmt.Errorf("%w: no member votes and answers: %w (%s)", ErrNoQuorum, ctx.Err(), c.addresses())
			if said, _ := c.lacked(); said != nil {
				err = fmt.Errorf("%w; %s", err, said.Error())
			}
			return Member{}, err
		}
	}
}

// detour has the member that was asked elected where the writer that it names is heard by the others, and not by this
// client, for a second: they would send it to and fro. It is given when such a writer was named first, and returns that;
// zero if none was.
func (c *Client) detour(ctx context.Context, asked Member, named time.Time) time.Time {
	writer := c.preferred()
	switch {
	case writer == asked:
		return time.Time{}
	case named.IsZero() || c.conn.heardSince(writer.Address, named):
		return time.Now()
	case time.Since(named) < fresh:
		return named
	}
	if _, err := c.elect(ctx, asked); err == nil {
		c.prefer(asked)
	}
	return time.Time{} // and if it was not elected, whoever is asked next says who was
}

func (c *Client) addresses() string {
	members := c.Members() // they may be others in a moment
	parts := make([]string, len(members))
	for i, m := range members {
		parts[i] = fmt.Sprintf("member %d at %s", m.ID, m.Address)
	}
	return strings.Join(parts, ", ")
}

// askPatiently sends a request once, and waits for its answer as long as the member is there.
func (c *Client) askPatiently(ctx context.Context, m Member, build func(uint64) proto.Message) (response, error) {
	return c.askThen(ctx, m, build, nil)
}

// askThen is askPatiently, and calls sent once the request is on its way, if that is not nil.
func (c *Client) askThen(ctx context.Context, m Member, build func(uint64) proto.Message, sent func()) (response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	asked := time.Now()
	watch := time.AfterFunc(silent/2, func() { c.watch(ctx, m, asked, cancel) })
	defer watch.Stop()
	answer, err := c.conn.askThen(ctx, c.gateway(m), build, sent)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return nil, cause
	}
	return answer, err
}

// watch cancels a call once its member is gone.
func (c *Client) watch(ctx context.Context, m Member, since time.Time, cancel context.CancelCauseFunc) {
	for ctx.Err() == nil {
		pinged, stop := context.WithTimeout(ctx, silent/2)
		_, err := c.statusOf(pinged, m)
		stop()
		if err != nil && !c.conn.heardSince(m.Address, since.Add(silent/2)) {
			cancel(errSilent)
			return
		}
		since = time.Now().Add(-silent / 2)
		select {
		case <-time.After(ping):
		case <-ctx.Done():
		}
	}
}

// retry asks again until the member answers: for requests that change nothing.
func (c *Client) retry(ctx context.Context, m Member, build func(uint64) proto.Message) (response, error) {
	why := "nothing came back"
	for {
		once, stop := context.WithTimeout(ctx, ping)
		answer, err := c.conn.ask(once, c.gateway(m), build)
		stop()
		switch {
		case err == nil:
			return answer, nil
		case c.conn.isClosed():
			return nil, errShut
		case errors.Is(err, errBroken):
			why = "nobody takes the connection: is it running?"
		}
		if fault := c.conn.faults.of(m.Address); fault != nil {
			why = fault.Error()
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("member %d at %s does not answer: %s (%w)", m.ID, m.Address, why, ctx.Err())
		}
	}
}

func (c *Client) statusOf(ctx context.Context, m Member) (Status, error) {
	answer, err := c.retry(ctx, m, func(request uint64) proto.Message { return &messages.StatusRequest{Request: request} })
	if err != nil {
		return Status{}, err
	}
	s, ok := answer.(*messages.StatusResponse)
	if ok && s.GetFailure() != nil {
		err = failure(m, s.GetFailure())
	}
	c.lacks(m, err)
	switch {
	case err != nil:
		return Status{}, err
	case !ok || s.GetReplica() != uint32(m.ID):
		return Status{}, fmt.Errorf("at %s there is not member %d: check the member list", m.Address, m.ID)
	}
	return newStatus(m, s), nil
}
