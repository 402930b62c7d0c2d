package cluster

import (
	"testing"

	"github.com/quorumlog/quorumlog/cluster/certificate"
	"github.com/quorumlog/quorumlog/log"
)

func TestRosterKnowsTheMembersOfAllLogs(t *testing.T) {
	r := newRoster([]Member{{1, "a:1"}, {2, "b:1"}})
	r.set("orders", []Member{{2, "b:1"}, {4, "d:1"}})
	if !r.knows(1) || !r.knows(4) || r.knows(3) {
		t.Error("somebody is missing, or too many are known")
	}
	r.set("", []Member{{2, "b:1"}})
	if r.knows(1) || !r.knows(2) {
		t.Error("a log that changed its members has both, or lost those of the other")
	}
	r.set("orders", nil)
	if r.knows(4) || !r.knows(2) {
		t.Error("the members of a log that was closed are still known, or others are not")
	}
}

// A member is replaced in one log after the other; the new one has the old one's address.
func TestTwoMembersMayBeAtOneAddressInDifferentLogs(t *testing.T) {
	a := access{serves: true, members: newRoster([]Member{{1, "a:1"}, {4, "c:1"}})}
	a.members.set("orders", []Member{{1, "a:1"}, {3, "c:1"}})
	for id, may := range map[log.ReplicaID]bool{1: false, 2: false, 3: true, 4: true, 5: false} {
		who := certificate.Identity{Role: certificate.Member, Member: id}
		if err := a.at("c:1", who); (err == nil) != may {
			t.Errorf("member %d at c:1: %v", id, err)
		}
		if fault := a.from(who, "c:1", rootOf("orders")+"/network"); (fault == "") != may {
			t.Errorf("member %d sends from c:1: %q", id, fault)
		}
	}
	if id, ok := a.members.member("c:1"); !ok || id != 4 {
		t.Errorf("the one that came last is %d", id)
	}
}
