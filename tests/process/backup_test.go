package process

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/log"
)

// foundedCluster is what restore and rescue say that they have made.
type foundedCluster struct {
	Cluster     string       `json:"cluster"`
	End         log.Position `json:"end"`
	Directories []string     `json:"directories"`
}

// move puts the directories of a new cluster where the members of c have theirs, and starts them.
func (f foundedCluster) start(t *testing.T, c *Cluster) {
	t.Helper()
	for i, dir := range f.Directories {
		if err := os.Rename(dir, c.Data(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	var ids []int
	for i := range f.Directories {
		c.StartMember(i+1, "--cluster", f.Cluster)
		ids = append(ids, i+1)
	}
	c.WaitVoting(ids...)
}

func decoded[T any](t *testing.T, r Result) (value T) {
	t.Helper()
	if r.Code != 0 {
		t.Fatalf("exit code %d: %s", r.Code, r.Stderr)
	}
	if err := json.Unmarshal([]byte(r.Stdout), &value); err != nil {
		t.Fatalf("%v: %s", err, r.Stdout)
	}
	return value
}

func numbered(first, last int) string {
	var lines strings.Builder
	for i := first; i <= last; i++ {
		fmt.Fprintf(&lines, "line %d\n", i)
	}
	return lines.String()
}

func TestABackupOfARunningLogBecomesANewClusterWithTheSamePositions(t *testing.T) {
	c := started(t)
	c.RunWith(numbered(1, 3000), "append")
	dir := filepath.Join(c.Dir, "backups") + "/"
	expectMade(t, c.Run("backup", "--to", dir, "-o", "json"), 1, 3000)
	c.RunWith(numbered(3001, 3005), "append")
	expectMade(t, c.Run("backup", "--to", dir, "-o", "json"), 3001, 3005)
	expect(t, c.Run("backup", "--to", dir), 0, "nothing is new: the backups hold all of the log\n")
	if r := c.Run("verify", "--backup", dir); r.Code != 0 || !strings.Contains(r.Stdout, "3005 positions from 1 to 3005 are whole in 2 files") {
		t.Errorf("exit code %d: %s%s", r.Code, r.Stdout, r.Stderr)
	}
	f := decoded[foundedCluster](t, c.Run("restore", "--from", dir, "--to", filepath.Join(c.Dir, "restored"), "-o", "json"))

	fresh := New(t, 3)
	f.start(t, fresh)
	expect(t, fresh.Run("read", "--text"), 0, numbered(1, 3005))
	expect(t, fresh.RunWith("more\n", "append"), 0, "3006\n")
	if r := fresh.Run("verify"); r.Code != 0 {
		t.Errorf("verify: %s%s", r.Stdout, r.Stderr)
	}
	complain(t, fresh.Run("backup", "--to", dir), 2, "are of cluster \"quorumlog\"")

	// A member of the old cluster is no member of the new one, even under its address.
	c.Stop(1)
	fresh.Stop(1)
	if err := os.RemoveAll(fresh.Data(1)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(c.Data(1), fresh.Data(1)); err != nil {
		t.Fatal(err)
	}
	complain(t, fresh.Run("serve", "--id", "1", "--data", fresh.Data(1), "--cluster", f.Cluster), 1, "belongs to somebody else")
	// One that lost its restored disk comes back by itself.
	fresh.Wipe(1)
	fresh.StartMember(1, "--cluster", f.Cluster)
	fresh.WaitVoting(1)
}

func expectMade(t *testing.T, r Result, first, last log.Position) {
	t.Helper()
	made := decoded[[]struct {
		First, Last      log.Position
		Source, Compared log.ReplicaID
		Cluster          string
	}](t, r)
	if len(made) != 1 || made[0].First != first || made[0].Last != last || made[0].Compared == 0 || made[0].Compared == made[0].Source ||
		made[0].Cluster != "quorumlog" {
		t.Fatalf("the backup is %+v, expected positions %d to %d", made, first, last)
	}
}

func TestABackupSaysWhyItIsNotMade(t *testing.T) {
	c := started(t)
	file := filepath.Join(c.Dir, "log.backup")
	r := c.Run("backup", "--to", file)
	if complain(t, r, 1, "the log is empty"); r.Stdout != "" {
		t.Errorf("it printed %q", r.Stdout)
	}
	c.RunWith(numbered(1, 100), "append")
	complain(t, c.Run("backup"), 2, "say --to FILE")
	complain(t, c.Run("backup", "--to", file, "--from", "200"), 1, "the log ends at 100")
	complain(t, c.Run("backup", "--to", file, "--data", c.Data(1)), 1, "stop the process that uses it")
	c.Run("truncate", "--to", "50")
	complain(t, c.Run("backup", "--to", file, "--from", "10"), 1, "the log begins at position 50")
	if r := c.Run("backup", "--to", file); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	complain(t, c.Run("backup", "--to", file), 2, "never overwritten")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	whole[len(whole)/3] ^= 1
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	complain(t, c.Run("verify", "--backup", file), 4, "verify: found 1 faults")
	complain(t, c.Run("restore", "--from", file, "--to", filepath.Join(c.Dir, "restored")), 4, "backup is damaged")
	if left, err := filepath.Glob(filepath.Join(c.Dir, "*partial*")); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	c.Kill(1)
	c.Kill(2)
	complain(t, c.Run("backup", "--to", filepath.Join(c.Dir, "late"), "--timeout", "2s"), 3, "no quorum")
}

func TestALogThatLostAQuorumIsRescuedFromOneDirectory(t *testing.T) {
	c := started(t)
	c.RunWith(numbered(1, 2000), "append")
	for id := 1; id <= 3; id++ {
		c.Kill(id)
	}
	c.Wipe(1)
	c.Wipe(2)
	to := filepath.Join(c.Dir, "rescued")
	if r := c.Run("rescue", "--keep", "3", "--data", c.Data(3)); r.Code != 0 || !strings.Contains(r.Stdout, "nothing was done") {
		t.Fatalf("exit code %d: %s%s", r.Code, r.Stdout, r.Stderr)
	}
	r := c.Run("rescue", "--keep", "3", "--data", c.Data(3), "--to", to, "--i-accept-data-loss", "-o", "json")
	f := decoded[struct{ New foundedCluster }](t, r).New
	fresh := New(t, 3)
	f.start(t, fresh)
	// What replica 3 had accepted is there: all of it, or all but what was sent to the others alone.
	read := fresh.Run("read", "--text").Stdout
	if !strings.HasPrefix(numbered(1, 2000), read) || len(read) == 0 {
		t.Errorf("the log has %d bytes that were not appended in this order:\n%s", len(read), read)
	}
	next := fmt.Sprintf("%d\n", f.End+1)
	expect(t, fresh.RunWith("more\n", "append"), 0, next)
	if !regexp.MustCompile(`^quorumlog@[0-9a-f]{8}$`).MatchString(f.Cluster) {
		t.Errorf("the new cluster is called %q", f.Cluster)
	}
}
