package cluster

import (
	"strings"
	"testing"
)

func TestRepairNeedsAQuorumOfOthersAndMayBeSwitchedOff(t *testing.T) {
	for _, r := range []struct {
		members int
		repair  Repair
		want    bool
	}{
		{1, "", false}, {2, RepairAuto, false}, {3, "", true}, {3, RepairAuto, true}, {3, RepairNever, false}, {5, "", true},
	} {
		c := Config{Repair: r.repair, Members: make([]Member, r.members)}
		if got := c.repairs(); got != r.want {
			t.Errorf("%d members, repair %q: got %v", r.members, r.repair, got)
		}
	}
}

func TestRepairThatIsUnknownIsAFault(t *testing.T) {
	c := Config{ID: 1, Data: "data", Members: []Member{{1, "127.0.0.1:7101"}}, Repair: "maybe"}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), `repair is "maybe"`) {
		t.Errorf("got %v", err)
	}
}
