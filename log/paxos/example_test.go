package paxos_test

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// An acceptor hands a rule what its disk holds, and is told what the disk must hold before the answer leaves.
func ExamplePromise() {
	disk := paxos.Acceptor{Promised: log.NewProposal(4, 1), Highest: log.NewProposal(4, 1), Begin: 1, End: 20}

	v := paxos.Promise(disk, log.NewProposal(5, 2))
	fmt.Printf("%T, once %v is stored\n", v.Answer, v.Promised)

	v = paxos.Promise(disk, log.NewProposal(3, 3)) // a lower one
	fmt.Println(v.Answer.(paxos.Rejected).By)
	// Output:
	// paxos.Promised, once 5.2 is stored
	// 4.1
}

func ExampleWrite() {
	by := log.NewProposal(5, 2)
	disk := paxos.Acceptor{Promised: by, Highest: by, Begin: 1, End: 20}
	entry := log.Value{Kind: log.Append, Data: []byte("hello")}

	v := paxos.Write(disk, nil, by, 21, []log.Value{entry})
	fmt.Printf("%T at %v, once %d record is stored\n", v.Answer, v.Answer.(paxos.Accepted).Range, len(v.Store))
	// Output: paxos.Accepted at [21, 21], once 1 record is stored
}

// A proposer counts answers, until it may conclude something.
func ExampleTally() {
	alive := identity.Incarnation{Generation: 1, Disk: 0xa}
	tally := paxos.NewTally(paxos.AskWrite, 3)
	accepted := paxos.Accepted{Range: log.Span(21, 1)}

	fmt.Printf("%T\n", tally.Add(paxos.Vote{From: 1, Incarnation: alive, Answer: accepted}))
	// Replica 3 knows that replica 1 has lost that disk since: what it accepted on it does not count.
	known := identity.Vector{{Replica: 1, Incarnation: identity.Incarnation{Generation: 2, Disk: 0xb}}}
	fmt.Printf("%T\n", tally.Add(paxos.Vote{From: 3, Incarnation: alive, Known: known, Answer: accepted}))
	fmt.Println(tally.Answered(1))
	fmt.Printf("%T\n", tally.Add(paxos.Vote{From: 2, Incarnation: alive, Answer: accepted}))
	// Output:
	// paxos.Pending
	// paxos.Pending
	// false
	// paxos.Won
}
