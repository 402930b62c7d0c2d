package process

import (
	"context"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/quorumlog/quorumlog/log"
)

// The blows that a chaos deals, one function each.

func (c *chaos) killOne() {
	id := c.anyone()
	c.kill(id)
	if c.coin() {
		c.goesOn(fmt.Sprintf("without member %d", id))
	} else {
		c.pause()
	}
	c.back(id)
}

func (c *chaos) killAll() {
	c.hit("all members were killed")
	for id := range c.everyone() {
		c.alive(id)
		c.running[id].Signal(os.Kill) // all of them, before the first one is waited for
	}
	for id := range c.everyone() {
		c.Kill(id)
		c.counts["kills"]++
	}
	c.pause()
	for id := range c.everyone() {
		c.StartMember(id)
	}
	for id := range c.everyone() {
		c.votes(id)
	}
	c.goesOn("after the end of all processes")
}

func (c *chaos) loseDisk() {
	id := c.anyone()
	c.wipe(id)
	if c.coin() {
		c.goesOn(fmt.Sprintf("without member %d", id))
	}
	c.back(id)
	if got := statuses(c.t, c.running[id]); !slices.Equal(got, []string{"EMPTY", "RECOVERING", "VOTING"}) {
		c.t.Errorf("member %d lost its disk, and was %v", id, got)
	}
}

// loseDiskAndKillAnother kills another member while the one without a disk recovers.
func (c *chaos) loseDiskAndKillAnother() {
	id := c.anyone()
	other := c.others(id)[0]
	c.wipe(id)
	c.StartMember(id)
	c.pause()
	c.kill(other)
	c.pause()
	c.back(other)
	c.votes(id)
	c.goesOn("with all members again")
}

// loseDiskTwice takes away the disk again while the member recovers, or just after.
func (c *chaos) loseDiskTwice() {
	id := c.anyone()
	c.wipe(id)
	c.StartMember(id)
	c.pause()
	c.wipe(id)
	c.back(id)
}

// loseTheOnlyWitness ends the writer while the others stand still: what it alone holds must not have been acknowledged.
func (c *chaos) loseTheOnlyWitness() {
	id := c.writer()
	c.hit("everybody but the writer stood still")
	c.signalOthers(id, syscall.SIGSTOP)
	c.counts["stops"] += len(c.ids) - 1
	c.pause()
	if c.coin() {
		c.wipe(id)
	} else {
		c.kill(id)
	}
	c.signalOthers(id, syscall.SIGCONT)
	c.goesOn(fmt.Sprintf("without member %d", id))
	c.back(id)
}

// loseDiskNextToALaggard ends the only member that has everything, once the one that lost its disk votes: by then it must
// have everything, too.
func (c *chaos) loseDiskNextToALaggard() {
	id := c.anyone()
	others := c.others(id)
	laggard, third := others[0], others[1]
	c.hit("%s stood still", c.role(laggard))
	c.running[laggard].Signal(syscall.SIGSTOP)
	c.counts["stops"]++
	c.goesOn(fmt.Sprintf("without member %d", laggard))
	c.wipe(id)
	c.running[laggard].Signal(syscall.SIGCONT)
	c.StartMember(id)
	c.votes(id)
	c.kill(third)
	c.goesOn(fmt.Sprintf("without member %d", third))
	c.back(third)
}

// writer is the member whose coordinator writes, or anyone.
func (c *chaos) writer() int {
	for _, s := range c.client.Status(context.Background()) {
		if s.Leader {
			return int(s.ID)
		}
	}
	return c.anyone()
}

func (c *chaos) signalOthers(id int, s os.Signal) {
	for other := range c.everyone() {
		if other != id {
			c.running[other].Signal(s)
		}
	}
}

// stopOne has a member stand still for up to four seconds: long enough to count as absent.
func (c *chaos) stopOne() {
	id := c.anyone()
	c.alive(id)
	c.hit("%s stood still", c.role(id))
	c.counts["stops"]++
	c.running[id].Signal(syscall.SIGSTOP)
	for range c.random.IntN(20) {
		c.pause()
	}
	c.running[id].Signal(syscall.SIGCONT)
	c.votes(id)
	c.goesOn(fmt.Sprintf("after member %d stood still", id))
}

// changeWriter has somebody's coordinator elected, so that the one that writes is fenced in the middle of it.
func (c *chaos) changeWriter() {
	ctx, cancel := context.WithTimeout(context.Background(), appendTimeout)
	defer cancel()
	c.hit("another writer was elected")
	if err := c.load.Reign(ctx, log.ReplicaID(c.anyVoter()), someMore); err != nil {
		c.t.Errorf("elect a writer: %v", err)
	}
	c.counts["elections"]++
	c.goesOn("with another writer")
}

// partition breaks the network in one of many ways, for a while.
func (c *chaos) partition() {
	all := partitions()
	c.part(all[c.random.IntN(len(all))])
}

// disturb has all lines lose, delay, double and reorder packets for a while.
func (c *chaos) disturb() {
	c.hit("all lines were disturbed")
	c.Between(Quality{Loss: 0.05, Twice: 0.05, Delay: 2 * time.Millisecond, Jitter: 10 * time.Millisecond})
	c.counts["disturbances"]++
	c.goesOn("on bad lines")
	for range 5 {
		c.pause()
	}
	c.Heal()
	c.goesOn("after all lines are well again")
}
