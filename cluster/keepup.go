package cluster

import (
	"context"
	"time"
)

// keepUpEvery is how often a client that one member answers all the time asks it who the members are by now.
const keepUpEvery = 10 * time.Second

// keepUp asks a member how it is, beside whatever it is asked for, if that was not done lately. A client that never has to look for a
// member would not hear of changes otherwise, until the only one that it knows is gone.
func (c *Client) keepUp(m Member) {
	c.mu.Lock()
	due := time.Since(c.keptUp) > keepUpEvery
	if due {
		c.keptUp = time.Now()
	}
	c.mu.Unlock()
	if !due {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), silent)
		defer cancel()
		if s, err := c.statusOf(ctx, m); err == nil {
			c.follow(ctx, m, s.Epoch)
		}
	}()
}
