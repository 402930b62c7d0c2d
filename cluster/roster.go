package cluster

import (
	"maps"
	"slices"
	"sync"

	"github.com/quorumlog/quorumlog/log"
)

// roster is which member is where, as this process knows it: the members of all its logs. It follows the logs: members come, go and
// move. One that is nowhere is no member, or is not known yet; what becomes of it is the protocol's matter, and so is which log it
// is a member of: every message between replicas says so. A nil roster knows nobody.
//
// While a member is replaced in one log after the other, two may be at one address: in one log the old one, in another the new.
type roster struct {
	mu   sync.Mutex
	logs map[string][]Member // by the name of the log
	at   map[log.ReplicaID][]string
	by   map[string][]log.ReplicaID // in order
}

func newRoster(members []Member) *roster {
	r := &roster{logs: make(map[string][]Member)}
	r.set("", members)
	return r
}

// set replaces what is known of one log; without members the log is forgotten.
func (r *roster) set(name string, members []Member) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.logs, name)
	if len(members) > 0 {
		r.logs[name] = slices.Clone(members)
	}
	r.at, r.by = make(map[log.ReplicaID][]string), make(map[string][]log.ReplicaID)
	for _, known := range slices.Sorted(maps.Keys(r.logs)) {
		for _, m := range r.logs[known] {
			if !slices.Contains(r.at[m.ID], m.Address) {
				r.at[m.ID], r.by[m.Address] = append(r.at[m.ID], m.Address), append(r.by[m.Address], m.ID)
			}
		}
	}
	for _, ids := range r.by {
		slices.Sort(ids)
	}
}

// members returns who is at an address, in order.
func (r *roster) members(address string) []log.ReplicaID {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.by[address] // which nobody changes: set makes others
}

// member returns who came last to an address: ids are never given twice, and a new member's is above those before it.
func (r *roster) member(address string) (log.ReplicaID, bool) {
	found := r.members(address)
	if len(found) == 0 {
		return 0, false
	}
	return found[len(found)-1], true
}

// knows says whether somebody is somewhere.
func (r *roster) knows(id log.ReplicaID) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.at[id]) > 0
}
