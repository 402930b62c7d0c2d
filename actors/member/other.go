package member

import (
	"fmt"
	"strings"

	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log/membership"
)

// ErrOtherLog: a log was begun on this disk by mistake, and the other members have another one.
var ErrOtherLog = replica.ErrOtherLog

// separate says what an operator may do whose member holds a log that was begun by mistake. Started as before, with a directory that
// is empty again, it could begin one more.
func separate(c membership.Configuration) string {
	list := "the members that there are now"
	if c.Epoch > 0 {
		parts := make([]string, len(c.Members))
		for i, m := range c.Members {
			parts[i] = fmt.Sprintf("%d=%s", m.ID, m.Address)
		}
		list = strings.Join(parts, ",")
	}
	return "a log was begun on it while the others were not heard; nothing of it was changed: save what is needed with 'quorumlog read --data DIR' " +
		"or keep a copy, delete the directory, and start the replica again with --members " + list + " and --auto-initialize=false: it recovers from the others"
}
