package process

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/quorumlog/quorumlog/cluster"
)

// saysVoting is in what a process has said once its replica votes.
const saysVoting = `"the replica is VOTING: clients are served"`

// Status returns what the members say of themselves, in the order of their ids, through the command.
func (c *Cluster) Status() []cluster.Status {
	c.t.Helper()
	r := c.Run("status", "-o", "json")
	var statuses []cluster.Status
	if err := json.Unmarshal([]byte(r.Stdout), &statuses); err != nil {
		c.t.Fatalf("status printed no JSON: %v\n%s%s", err, r.Stdout, r.Stderr)
	}
	return statuses
}

// WaitVoting waits until these members vote. A member that has ended will not, and ends the test.
func (c *Cluster) WaitVoting(ids ...int) {
	c.t.Helper()
	Eventually(c.t, fmt.Sprintf("members %v vote", ids), func() (bool, string) {
		for _, id := range ids {
			if p := c.running[id]; p == nil || p.HasEnded() {
				c.t.Fatalf("member %d does not run", id)
			}
		}
		voting := 0
		statuses := c.Status()
		for _, s := range statuses {
			if s.Status == "VOTING" && slices.Contains(ids, int(s.ID)) {
				voting++
			}
		}
		return voting == len(ids), fmt.Sprintf("%+v", statuses)
	})
}
