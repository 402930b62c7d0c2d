package process

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// grownTo3 is a log that member 1 began, and that has three members. It has two entries. The list of each is the one that it was started
// with first.
func grownTo3(t *testing.T) *Cluster {
	t.Helper()
	c := New(t, 1)
	c.StartAll()
	expect(t, c.RunWith("first\n", "append"), 0, "1\n")
	c.lists = map[int]string{1: c.Members}
	for i, address := range FreePorts(t, 2) {
		id := i + 2
		c.lists[id] = fmt.Sprintf("%s,%d=%s", c.Members, id, address)
		adding := c.Start("members", "add", fmt.Sprintf("%d=%s", id, address), "--timeout", "30s")
		<-time.After(300 * time.Millisecond) // the member is started once it is one
		c.StartMember(id)
		if code := adding.Wait(); code != 0 {
			t.Fatalf("member %d is not added: %s", id, adding.Stderr)
		}
		c.Members = c.lists[id]
	}
	if r := c.RunWith("with three\n", "append"); r.Code != 0 {
		t.Fatalf("append: %s", r.Stderr)
	}
	return c
}

// The site loses its power, and one member its disk. It is up before the others, with the list that the log began with.
func TestALogThatAMemberBeganByMistakeIsNotMixedWithTheRealOne(t *testing.T) {
	c := grownTo3(t)
	now, old := c.Members, c.lists[1]
	for _, id := range []int{1, 2, 3} {
		c.Kill(id)
	}
	c.Wipe(1)
	c.Members, c.lists[1] = old, old
	p := c.StartMember(1)
	c.WaitVoting(1)
	expect(t, c.RunWith("astray\n", "append"), 0, "1\n")
	c.Members = now
	c.StartMember(2)
	c.StartMember(3)
	if code := p.Wait(); code != 4 {
		t.Errorf("it ends with %d", code)
	}
	delete(c.running, 1)
	for _, part := range []string{"begins a log alone", "holds another log", "[1, 1]", "read --data", "--members " + now, "--auto-initialize=false"} {
		if said := p.Stderr.String(); !strings.Contains(said, part) {
			t.Errorf("it does not say %q: %s", part, said)
		}
	}
	expect(t, c.Run("read", "--data", c.Data(1), "--text"), 0, "astray\n")
	c.WaitVoting(2, 3)
	expect(t, c.Run("read", "--text"), 0, "first\nwith three\n")
	c.Wipe(1)
	c.StartMember(1, "--auto-initialize=false")
	c.WaitVoting(1)
	c.Kill(2) // from now on the quorum needs the new disk
	if r := c.RunWith("again\n", "append"); r.Code != 0 {
		t.Errorf("append: %s", r.Stderr)
	}
	expect(t, c.Run("read", "--text"), 0, "first\nwith three\nagain\n")
}
