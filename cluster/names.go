package cluster

import (
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/log/storage"
)

// The actors of a process's logs are below one root for each log, so that their names tell the logs apart:
//
//	quorumlog/replica           of the log that has no name
//	quorumlog.orders/replica    of the log that is called orders

// logName is what the root actor of the log without a name is called, and what those of the others begin with.
const logName = "quorumlog"

// maxLogName is how many letters the name of a log has at most.
const maxLogName = 63

// ValidateLog says what is wrong with the name of a log. The empty one is that of the log which every member has.
func ValidateLog(name string) error {
	if name == "" {
		return nil
	}
	return storage.CheckName(name)
}

// isLogName is storage.CheckName, for each message that comes in.
func isLogName(name string) bool {
	if len(name) > maxLogName || name == "" || name[0] == '-' {
		return false
	}
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// rootOf is what the root actor of a log is called.
func rootOf(name string) string {
	if name == "" {
		return logName
	}
	return logName + "." + name
}

// logOf returns which log an actor is of, and its name below the log's root; false where it is of none.
func logOf(id string) (name, below string, ok bool) {
	root, below, found := strings.Cut(id, "/")
	rest, ours := strings.CutPrefix(root, logName)
	if !found || !ours {
		return "", "", false
	}
	name, named := strings.CutPrefix(rest, ".")
	if named && !isLogName(name) || !named && rest != "" {
		return "", "", false
	}
	return name, below, true
}

// pid names an actor of a member of a log.
func pid(m Member, name, below string) *actor.PID {
	return actor.NewPID(m.Address, rootOf(name)+"/"+below)
}
