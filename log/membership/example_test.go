package membership_test

import (
	"errors"
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
)

// A member is replaced in three steps, each a value in the log: its successor observes, then votes, then it goes.
func Example() {
	c := membership.Seed([]membership.Member{
		{ID: 1, Address: "a:7101"}, {ID: 2, Address: "b:7101"}, {ID: 3, Address: "c:7101"},
	})
	for _, change := range []membership.Change{
		{Kind: membership.Add, ID: 4, Address: "d:7101"},
		{Kind: membership.Promote, ID: 4},
		{Kind: membership.Remove, ID: 3},
	} {
		next, err := c.Next(change)
		if err != nil {
			panic(err)
		}
		c = next
		fmt.Println(c.Epoch, c.IDs(), "voters", c.Voters())
	}
	_, err := c.Next(membership.Change{Kind: membership.Add, ID: 3, Address: "e:7101"}) // no id is given twice
	fmt.Println(errors.Is(err, membership.ErrTaken))
	// Output:
	// 1 [1 2 3 4] voters [1 2 3]
	// 2 [1 2 3 4] voters [1 2 3 4]
	// 3 [1 2 4] voters [1 2 4]
	// true
}

// Whether a change may be made now depends on how the members are. With one that is down and a new one that knows nothing yet,
// no quorum of four would be left.
func ExampleConfiguration_MayFollow() {
	c := membership.Seed([]membership.Member{{ID: 1, Address: "a:7101"}, {ID: 2, Address: "b:7101"}, {ID: 3, Address: "c:7101"}})
	c, _ = c.Next(membership.Change{Kind: membership.Add, ID: 4, Address: "d:7101"})
	promoted, _ := c.Next(membership.Change{Kind: membership.Promote, ID: 4})

	now := map[log.ReplicaID]membership.Standing{1: {Votes: true}, 2: {Votes: true}, 3: {Votes: false}, 4: {Votes: false}}
	err := c.MayFollow(promoted, func(id log.ReplicaID) membership.Standing { return now[id] })
	fmt.Println(errors.Is(err, membership.ErrBehind))

	now[4] = membership.Standing{Votes: true, Lacks: 12}
	fmt.Println(c.MayFollow(promoted, func(id log.ReplicaID) membership.Standing { return now[id] }))
	// Output:
	// true
	// <nil>
}
