package cluster

import (
	"errors"
	"path/filepath"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// engine opens the disks of a process's logs: the data directory for the log without a name, and one for each other log in a
// directory beside it, which is called as that one with .logs behind it.
type engine struct{ disk.Options }

// ErrLogOpen: the log is open in this process already.
var ErrLogOpen = errors.New("the log is open already")

// maxLogs is how many logs with a name a member has at most.
const maxLogs = 64

// openLog opens the disk of a log that these members have begun.
func (e engine) openLog(name string, members []log.ReplicaID, fatal func(error)) (*disk.Store, error) {
	if name != "" {
		e.Dir = filepath.Join(e.Dir+".logs", name)
	}
	e.Members, e.OnFatal = members, fatal
	return disk.Open(e.Options)
}
