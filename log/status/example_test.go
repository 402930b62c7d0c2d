package status_test

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
)

// Replica 3 lost its disk. Its new one is EMPTY, and the two others vote: it has to copy all that they may have chosen with its
// former life, and to keep the promises that it may have made, before it votes again.
func ExampleNext() {
	c := status.Config{Members: 3, Quorum: 2, AutoInitialize: true}
	local := status.Local{Replica: 3, Status: status.Empty}
	voting := func(id log.ReplicaID, end log.Position, promised log.Proposal) status.Answer {
		return status.Answer{
			From: id, Incarnation: identity.Incarnation{Generation: 1, Disk: uint64(id)}, Status: status.Voting,
			Begin: 1, End: end, Promised: promised, Highest: promised,
		}
	}

	d := status.Next(c, local, []status.Answer{voting(1, 40, log.NewProposal(2, 1))})
	fmt.Println("undecided:", d.Undecided, "heard:", d.Heard)

	d = status.Next(c, local, []status.Answer{voting(1, 40, log.NewProposal(2, 1)), voting(2, 42, log.NewProposal(3, 2))})
	fmt.Println(d.Next, "from", d.Begin, "to", d.End, "promised", d.Promised)
	// Output:
	// undecided: true heard: 1
	// RECOVERING from 1 to 42 promised 3.2
}
