package member

import (
	"fmt"
	"strings"

	"github.com/quorumlog/quorumlog/actors/replica"
)

// ErrOtherLog: the disk holds another log than other members have.
var ErrOtherLog = replica.ErrOtherLog

// separate says what an operator may do whose member holds another log than others. Which of the two was begun by mistake nobody can tell
// but who knows what clients were told; started as before, with a directory that is empty again, a member could begin one more.
func separate(other *replica.OtherLogError) string {
	list, begun := "the members that there are now", "two logs of this name were begun"
	if other.Unproven {
		begun = "two logs of this name may have been begun"
	}
	if c := other.Members; c.Epoch > 0 {
		parts := make([]string, len(c.Members))
		for i, m := range c.Members {
			parts[i] = fmt.Sprintf("%d=%s", m.ID, m.Address)
		}
		list = strings.Join(parts, ",")
	}
	return begun + ", and nothing of this one was changed: find out which one clients use (quorumlog status, quorumlog read --data DIR). " +
		"If it is the others', save what is needed of this one, delete the directory, and start the replica again with --members " + list +
		" and --auto-initialize=false: it recovers from the others. If it is this one, end the others first, and start this one again as it was"
}
