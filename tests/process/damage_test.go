package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rot is damage to one kind of file of a member that does not run.
type rot struct {
	kind   string
	damage func(t *testing.T, dir string)
}

var rots = []rot{
	{"write-ahead log", func(t *testing.T, dir string) { flipAt(t, largest(t, dir, "*.log"), 60) }},
	{"manifest", func(t *testing.T, dir string) { flipAt(t, largest(t, dir, "MANIFEST-*"), 30) }},
	{"options", func(t *testing.T, dir string) { flipAt(t, largest(t, dir, "OPTIONS-*"), 30) }},
	{"marks", func(t *testing.T, dir string) { zero(t, filepath.Join(dir, "SYNCED")) }},
	{"label", func(t *testing.T, dir string) { flipAt(t, filepath.Join(dir, "QUORUMLOG"), 50) }},
}

// largest returns the largest file of a pattern.
func largest(t *testing.T, dir, pattern string) (largest string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.Size() > size {
			largest, size = name, info.Size()
		}
	}
	if largest == "" {
		t.Fatalf("%s has no %s that is not empty", dir, pattern)
	}
	return largest
}

// flipAt changes one bit.
func flipAt(t *testing.T, name string, at int) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text[at] ^= 0x10
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func zero(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	clear(text)
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// aside is what a member keeps of a damaged directory.
func (c *Cluster) aside(id int) []string {
	c.t.Helper()
	names, err := filepath.Glob(filepath.Join(c.Data(id), "damaged-*"))
	if err != nil {
		c.t.Fatal(err)
	}
	return names
}

func TestDamagedReplicaRepairsItself(t *testing.T) {
	c := started(t)
	const lines = 3000
	c.RunWith(strings.Repeat("what must come back\n", lines), "append")
	log := c.Run("read", "--text").Stdout
	for _, r := range rots {
		c.Stop(3)
		c.StartMember(3) // writes what its log holds into a table
		c.WaitVoting(3)
		c.Stop(3)
		before := len(c.aside(3))
		r.damage(t, c.Data(3))
		p := c.StartMember(3)
		c.WaitVoting(3)
		if !strings.Contains(p.Stderr.String(), "damaged") || len(c.aside(3)) == 0 || before == 0 && len(c.aside(3)) != 1 {
			t.Errorf("%s: it keeps %v, and says %s", r.kind, c.aside(3), p.Stderr)
		}
		if r := c.Run("verify"); r.Code != 0 {
			t.Errorf("verify ends with %d: %s%s", r.Code, r.Stdout, r.Stderr)
		}
	}
	c.Stop(3)
	if text := c.Run("read", "--data", c.Data(3), "--text").Stdout; text != log || strings.Count(text, "\n") != lines {
		t.Errorf("replica 3 has %d of %d lines", strings.Count(text, "\n"), lines)
	}
	if names := c.aside(3); len(names) > 2 {
		t.Errorf("it keeps %v: the disk fills", names)
	}
}

func TestDamagedRecordsAreCopiedWhileTheMemberRuns(t *testing.T) {
	c := started(t)
	const lines = 3000
	c.RunWith(strings.Repeat("what must come back\n", lines), "append")
	log := c.Run("read", "--text").Stdout
	c.Stop(3)
	c.StartMember(3) // writes what its log holds into a table
	c.WaitVoting(3)
	c.Stop(3)
	flip(t, largest(t, c.Data(3), "*.sst"))
	p := c.StartMember(3)
	c.WaitVoting(3)
	Eventually(t, "the damage is found and mended", func() (bool, string) {
		seen := c.Run("events").Stdout
		return strings.Contains(seen, "found learned records damaged") && strings.Contains(seen, "has copied all damaged records"), seen + p.Stderr.String()
	})
	if p.HasEnded() || len(c.aside(3)) != 0 {
		t.Errorf("it has ended, or keeps %v: %s", c.aside(3), p.Stderr)
	}
	if r := c.Run("verify"); r.Code != 0 {
		t.Errorf("verify ends with %d: %s%s", r.Code, r.Stdout, r.Stderr)
	}
	c.Stop(3)
	if text := c.Run("read", "--data", c.Data(3), "--text").Stdout; text != log || strings.Count(text, "\n") != lines {
		t.Errorf("replica 3 has %d of %d lines", strings.Count(text, "\n"), lines)
	}
}

func TestDamageIsNotRepairedWhereThatIsSwitchedOff(t *testing.T) {
	c := started(t)
	c.Stop(3)
	rots[0].damage(t, c.Data(3))
	complain(t, c.Run("serve", "--id", "3", "--data", c.Data(3), "--repair", "maybe"), 2, "it is one of auto, never")
	complain(t, c.Run("serve", "--id", "3", "--data", c.Data(3), "--repair", "never"), 4, "corrupt", "delete it and start the replica")
	r := c.Run("verify", "--data", c.Data(3))
	if complain(t, r, 4, "verify: found"); !strings.Contains(r.Stdout, "fault: ") || !strings.Contains(r.Stdout, "corrupt") {
		t.Errorf("verify printed %s", r.Stdout)
	}
	if names := c.aside(3); len(names) != 0 {
		t.Errorf("it was moved to %v", names)
	}
	c.StartMember(3)
	c.WaitVoting(3)
}

func TestLogOfOneMemberKeepsItsDamagedDirectory(t *testing.T) {
	c := New(t, 1)
	c.StartAll()
	c.RunWith("line\n", "append")
	c.Stop(1)
	rots[0].damage(t, c.Data(1))
	complain(t, c.Run("serve", "--id", "1", "--data", c.Data(1)), 4, "corrupt", "keep the directory")
	if names := c.aside(1); len(names) != 0 {
		t.Errorf("it was moved to %v", names)
	}
}

// Where a quorum is damaged nobody can tell what the log was, so nobody starts another one in its place.

func TestTwoDamagedReplicasOfThreeWaitForAnOperator(t *testing.T) { waitForOperator(t, 2, 3) }

func TestThreeDamagedReplicasOfThreeWaitForAnOperator(t *testing.T) { waitForOperator(t, 1, 2, 3) }

func waitForOperator(t *testing.T, damaged ...int) {
	c := started(t)
	c.RunWith("line\n", "append")
	for id := range c.Addresses {
		c.Stop(id + 1)
	}
	for _, id := range damaged {
		rots[0].damage(t, c.Data(id))
	}
	for id := range c.Addresses {
		c.StartMember(id + 1)
	}
	Eventually(t, "all that were damaged say what to do", func() (bool, string) {
		waiting, seen := 0, c.Run("status").Stdout
		for _, s := range c.Status() {
			if s.Status == "RECOVERING" && strings.Contains(s.Error, "bring back the disks that 2 members lost") {
				waiting++
			}
		}
		return waiting == len(damaged), seen
	})
	for _, id := range damaged {
		if c.running[id].HasEnded() || len(c.aside(id)) != 1 {
			t.Errorf("member %d keeps %v and says %s", id, c.aside(id), c.running[id].Stderr)
		}
	}
}

func TestAcknowledgedEntriesSurviveDamage(t *testing.T) {
	c := startChaos(t)
	c.rounds(3, func() {
		id, r := c.anyone(), rots[c.random.IntN(len(rots))]
		c.kill(id)
		c.logf("damage its %s", r.kind)
		r.damage(t, c.Data(id))
		c.counts["damaged disks"]++
		c.back(id)
		if !strings.Contains(c.running[id].Stderr.String(), "damaged") {
			t.Errorf("member %d found nothing: %s", id, c.running[id].Stderr)
		}
		c.pause()
	})
	c.finish()
}
