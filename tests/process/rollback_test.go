package process

import (
	"strings"
	"testing"
	"time"
)

// heard is longer than it takes until all members have heard of what another one synced.
const heard = 600 * time.Millisecond

func TestDirectoryThatWasRolledBackIsRefusedAndRecoversOnceItIsDeleted(t *testing.T) {
	c := started(t)
	c.RunWith("a\n", "append")
	<-time.After(heard)
	older := c.snapshot(3)
	c.RunWith("b\n", "append")
	<-time.After(heard)
	c.Kill(3)
	c.rollBack(3, older)
	for range 3 { // as by a supervisor that starts it again and again
		p := c.StartMember(3)
		if code := p.Wait(); code != 4 || !strings.Contains(p.Stderr.String(), "rolled back") || !strings.Contains(p.Stderr.String(), "delete the directory") {
			t.Fatalf("exit code %d: %s", code, p.Stderr)
		}
		c.Kill(3)
	}
	c.Wipe(3)
	c.StartMember(3)
	c.WaitVoting(3)
	c.Kill(1)
	expect(t, c.RunWith("c\n", "append"), 0, "3\n")
	expect(t, c.Run("read", "--text"), 0, "a\nb\nc\n")
}

func TestCopyOfADirectoryBesideTheOriginalDisturbsNobody(t *testing.T) {
	c := started(t)
	c.RunWith("a\n", "append")
	<-time.After(heard)
	copied := c.snapshot(3)
	c.RunWith("b\n", "append")
	<-time.After(heard)
	twin := c.Start("serve", "--id", "3", "--data", copied, "--listen", FreePorts(t, 1)[0])
	<-time.After(2 * time.Second)
	for id, p := range c.running {
		if p.HasEnded() {
			t.Errorf("member %d ended: %s", id, p.Stderr)
		}
	}
	c.Kill(1) // from now on the quorum needs the original
	expect(t, c.RunWith("c\n", "append"), 0, "3\n")
	expect(t, c.Run("read", "--text"), 0, "a\nb\nc\n")
	twin.Kill()
}
