package cluster

import (
	"errors"
	"fmt"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
)

// Log returns a client of another log that the same members have (Config.Logs), or of the log without a name where name is empty. It
// shares this client's connections, and ends with it; closed alone, it leaves the others as they are. Whoever asks for the same log
// again gets the same client, until that is closed.
//
// It asks nobody: where no member has a log of this name, the calls return ErrNoLog.
func (c *Client) Log(name string) (*Client, error) {
	if err := ValidateLog(name); err != nil {
		return nil, err
	}
	c = c.root()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case name == c.name:
		return c, nil
	case c.logs[name] != nil:
		return c.logs[name], nil
	case c.shut:
		return nil, errShut
	}
	other := newClient(c.conn.system, name, c.given, c.target)
	other.parent, other.access, other.conn.faults = c, c.access, c.conn.faults
	other.closing = func() { c.forgetLog(other) }
	other.trace(c.tracer)
	c.logs[name] = other
	return other, nil
}

// Name is the name of the log; empty for the one without.
func (c *Client) Name() string { return c.name }

// root is the client that has the connections.
func (c *Client) root() *Client {
	if c.parent != nil {
		return c.parent
	}
	return c
}

func (c *Client) forgetLog(other *Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.logs[other.name] == other {
		delete(c.logs, other.name)
	}
}

// closeLogs closes the clients of other logs, and lets nobody have another one.
func (c *Client) closeLogs() {
	c.mu.Lock()
	c.shut = true
	var others []*Client
	for _, other := range c.logs {
		others = append(others, other)
	}
	c.mu.Unlock()
	for _, other := range others {
		other.close()
	}
}

// gateway is the actor of a member that serves clients of this log.
func (c *Client) gateway(m Member) *actor.PID { return pid(m, c.name, member.Gateway) }

// lacks remembers that a member says that it has no such log, or that it does not say so.
func (c *Client) lacks(m Member, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(err, ErrNoLog) {
		c.lacking[m.ID] = err
		return
	}
	delete(c.lacking, m.ID)
}

// lacked is what members say that have no such log; nil where none does. All says that none of the members may have it.
func (c *Client) lacked() (said error, all bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.lacking) == 0 {
		return nil, false
	}
	all = !slices.ContainsFunc(c.members, func(m Member) bool { return c.lacking[m.ID] == nil })
	var faults []error
	for _, m := range c.members {
		if c.lacking[m.ID] != nil {
			faults = append(faults, c.lacking[m.ID])
		}
	}
	return errors.Join(faults...), all
}

// detailNoLog is what a member says that has no log of this name.
func detailNoLog(id log.ReplicaID, name string) string {
	return fmt.Sprintf("member %d does not have a log named %s: add it to its --logs", id, name)
}
