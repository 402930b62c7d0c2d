package identity_test

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
)

// Replica 2 has lost its disk and came back on another one. From then on nothing counts any more that its former life says.
func Example() {
	before := identity.Incarnation{Generation: 1, Disk: 0xa}
	after := identity.Incarnation{Generation: 2, Disk: 0xb}
	from := func(i identity.Incarnation) identity.Identity {
		return identity.Identity{Replica: 2, Incarnation: i, Boot: 1, Process: i.Disk, BootAge: 1, Age: 1}
	}
	me := &identity.Admission{
		Self: identity.Identity{Replica: 1}, Members: []log.ReplicaID{1, 2, 3},
		Known: identity.Vector{}.With(2, before), Heard: map[log.ReplicaID]identity.Process{},
	}

	_, admitted := me.Admit(from(after))
	known, isNew := me.Register(from(after))
	fmt.Println(admitted, isNew, known.Buries(2, before)) // to be stored before anything is answered
	me.Known = known

	refusal, admitted := me.Admit(from(before)) // a message that was on its way all the time
	fmt.Println(admitted, refusal.Reason)
	// Output:
	// true true true
	// false dead incarnation
}
