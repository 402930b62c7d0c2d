package audit_test

import (
	"fmt"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/actors/audit"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/digest"
	"github.com/quorumlog/quorumlog/log/storage/memory"
)

// The disk of member 3 holds another entry than it was given, and nobody reads it. It is found out all the same, and member 3
// stops voting.
func Example() {
	err := logtest.Simulate(7, 3, func(c *logtest.Cluster) {
		for i := range digest.Positions {
			c.Member(1).Append(fmt.Sprint(i))
		}
		c.Member(2).Catchup()
		c.Member(3).Catchup()

		m := c.Member(3)
		m.Failed = func(err error) { m.Kill() } // as its owner must
		m.Kill()
		twist(m.Store, 7)
		m.Start()
		c.Pass(time.Minute)
		for _, event := range m.Events {
			if e, ok := event.(audit.Diverged); ok {
				fmt.Println(e.Block, "differs from that of another member, and of a quorum:", e.Minority)
			}
		}
		fmt.Println("runs:", m.Running())
	})
	fmt.Println(err)
	// Output:
	// [1, 256] differs from that of another member, and of a quorum: false
	// [1, 256] differs from that of another member, and of a quorum: true
	// runs: false
	// <nil>
}

// twist changes an entry of a disk, checksum and all.
func twist(store *memory.Store, at log.Position) {
	a, _, err := store.Get(at)
	if err != nil {
		panic(err)
	}
	a.Value.Data = []byte("another entry")
	if err := store.Put(a); err != nil {
		panic(err)
	}
	if err := store.Sync(); err != nil {
		panic(err)
	}
}
