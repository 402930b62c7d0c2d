package cluster

import (
	"sync"

	"github.com/quorumlog/quorumlog/log"
)

// roster is which member is where, as this process knows it. It follows the log: members come, go and move. One that is nowhere is
// no member, or is not known yet; what becomes of it is the protocol's matter. A nil roster knows nobody.
type roster struct {
	mu sync.Mutex
	at map[log.ReplicaID]string // addresses
	by map[string]log.ReplicaID
}

func newRoster(members []Member) *roster {
	r := &roster{}
	r.set(members)
	return r
}

// set replaces what is known.
func (r *roster) set(members []Member) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at, r.by = make(map[log.ReplicaID]string, len(members)), make(map[string]log.ReplicaID, len(members))
	for _, m := range members {
		r.at[m.ID], r.by[m.Address] = m.Address, m.ID
	}
}

// member returns who is at an address.
func (r *roster) member(address string) (log.ReplicaID, bool) {
	if r == nil {
		return 0, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	id, found := r.by[address]
	return id, found
}

// knows says whether somebody is somewhere.
func (r *roster) knows(id log.ReplicaID) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, found := r.at[id]
	return found
}
