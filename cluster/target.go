package cluster

import (
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// redirect remembers who writes, if the failure says so.
func (c *Client) redirect(f *messages.Failure) {
	if m, ok := c.member(log.ReplicaID(f.GetWriter())); ok {
		c.prefer(m)
	}
}

func (c *Client) prefer(m Member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.target = m
}

// leave prefers the next member to this one, if it is the preferred one.
func (c *Client) leave(m Member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.members, m); i >= 0 && c.target == m {
		c.target = c.members[(i+1)%len(c.members)]
	}
}

func (c *Client) preferred() Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.target
}

func (c *Client) member(id log.ReplicaID) (Member, bool) {
	members := c.Members()
	i := slices.IndexFunc(members, func(m Member) bool { return m.ID == id })
	if i < 0 {
		return Member{}, false
	}
	return members[i], true
}
