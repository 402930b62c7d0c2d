package process

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/cluster"
)

// logged is a cluster whose members have several logs.
type logged struct {
	*Cluster
	logs []string // with names
}

// startLogs starts members with these logs besides the one without a name, and waits until they vote in all of them.
func startLogs(c *Cluster, logs ...string) logged {
	c.t.Helper()
	l := logged{c, logs}
	for _, id := range c.ids {
		l.start(id)
	}
	l.wait(c.ids...)
	return l
}

func (l logged) start(id int) { l.StartMember(id, "--logs", strings.Join(l.logs, ",")) }

func (l logged) wait(ids ...int) {
	l.t.Helper()
	for _, name := range append([]string{""}, l.logs...) {
		Eventually(l.t, fmt.Sprintf("members %v vote in log %q", ids, name), func() (bool, string) {
			r := l.Run("status", "-o", "json", "--log", name)
			var list []cluster.Status
			if err := json.Unmarshal([]byte(r.Stdout), &list); err != nil {
				return false, r.Stdout + r.Stderr
			}
			voting := 0
			for _, s := range list {
				for _, id := range ids {
					if int(s.ID) == id && s.Status == "VOTING" {
						voting++
					}
				}
			}
			return voting == len(ids), r.Stdout + r.Stderr
		})
	}
}

// append appends lines to every log: each line says which log it is for.
func (l logged) append(lines ...string) {
	l.t.Helper()
	for _, name := range append([]string{""}, l.logs...) {
		var text strings.Builder
		for _, line := range lines {
			fmt.Fprintf(&text, "%s of %q\n", line, name)
		}
		if r := l.RunWith(text.String(), "append", "--log", name); r.Code != 0 {
			l.t.Fatalf("append to log %q ended with %d: %s", name, r.Code, r.Stderr)
		}
	}
}

// holds requires that every log has exactly these lines, and that all members have the same.
func (l logged) holds(lines ...string) {
	l.t.Helper()
	for _, name := range append([]string{""}, l.logs...) {
		var want strings.Builder
		for _, line := range lines {
			fmt.Fprintf(&want, "%s of %q\n", line, name)
		}
		if r := l.Run("read", "--text", "--log", name); r.Code != 0 || r.Stdout != want.String() {
			l.t.Errorf("read of log %q ended with %d: %q, want %q: %s", name, r.Code, r.Stdout, want.String(), r.Stderr)
		}
		if r := l.Run("verify", "--log", name); r.Code != 0 {
			l.t.Errorf("verify of log %q ended with %d: %s%s", name, r.Code, r.Stdout, r.Stderr)
		}
	}
}

func TestAMemberThatIsKilledAndLosesItsDiskComesBackInAllItsLogs(t *testing.T) {
	l := startLogs(NewSecure(t, 3), "orders", "users")
	l.append("one", "two")
	l.Kill(3)
	l.append("three")
	l.start(3) // with its disk
	l.wait(3)
	l.Kill(3)
	l.append("four")
	l.Wipe(3)
	l.start(3)
	l.wait(3)
	l.Kill(1) // a quorum needs the one that came back
	l.append("five")
	l.start(1)
	l.wait(1, 2, 3)
	l.holds("one", "two", "three", "four", "five")
	for id := range 3 {
		if code := l.Stop(id + 1); code != 0 {
			t.Errorf("member %d ended with %d", id+1, code)
		}
	}
}

func TestAMemberThatWasNotGivenALogIsNamedByTheCommands(t *testing.T) {
	c := New(t, 2)
	c.StartMember(1, "--logs", "orders")
	c.StartMember(2)
	c.WaitVoting(1, 2)
	const want = "member 2 does not have a log named orders: add it to its --logs"
	if r := c.Run("status", "--log", "orders"); r.Code != 3 || !strings.Contains(r.Stdout, want) {
		t.Errorf("status ended with %d: %s%s", r.Code, r.Stdout, r.Stderr)
	}
	if r := c.RunWith("x\n", "append", "--log", "nowhere"); r.Code != 1 || !strings.Contains(r.Stderr, "no such log") {
		t.Errorf("append to a log that nobody has ended with %d: %s", r.Code, r.Stderr)
	}
	if r := c.Run("status", "--log", "No Log"); r.Code != 2 {
		t.Errorf("a name that no log can have ended with %d: %s", r.Code, r.Stderr)
	}
	c.Stop(2)
	l := logged{c, []string{"orders"}}
	l.start(2)
	l.wait(1, 2)
	l.append("one")
	l.holds("one")
}
