package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nameFile is the names that the machine of a test knows.
type nameFile string

// newNames lets the test say which names there are, in place of the machine's own file.
func newNames(t *testing.T) nameFile {
	t.Helper()
	if err := apart(); err != nil {
		t.Skip(err)
	}
	file := nameFile(filepath.Join(t.TempDir(), "hosts"))
	file.say(t, "localhost", "127.0.0.1")
	if err := syscall.Mount(string(file), "/etc/hosts", "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("no names of its own: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount("/etc/hosts", syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return file
}

// say gives a name an address, beside that of localhost.
func (h nameFile) say(t *testing.T, name, address string) {
	t.Helper()
	if err := os.WriteFile(string(h), fmt.Appendf(nil, "127.0.0.1 localhost\n%s %s\n", address, name), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The name of a member that moves stays. Members 1 and 2 run all the while, and must find the new address by themselves: once 2 is
// gone, nothing is appended without 3.
func TestAMemberThatMovesIsFoundUnderItsNameWithoutARestart(t *testing.T) {
	names := newNames(t)
	names.say(t, "member-3.test", "127.0.0.1")
	c := New(t, 3)
	_, port, _ := strings.Cut(c.Addresses[2], ":")
	c.Members = strings.Replace(c.Members, "3="+c.Addresses[2], "3=member-3.test:"+port, 1)
	for id := 1; id <= 3; id++ {
		c.StartMember(id, "--insecure") // a name may be anybody's
	}
	run := func(stdin string, args ...string) Result { return c.RunWith(stdin, append(args, "--insecure")...) }
	votes := func(id int) {
		Eventually(t, fmt.Sprintf("member %d votes", id), func() (bool, string) {
			r := run("", "status", "-o", "ndjson")
			for line := range strings.Lines(r.Stdout) {
				if strings.Contains(line, fmt.Sprintf(`"id":%d,`, id)) && strings.Contains(line, `"status":"VOTING"`) {
					return true, ""
				}
			}
			return false, r.Stdout + r.Stderr
		})
	}
	votes(3)
	if r := run("before\n", "append"); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	c.Stop(3)
	names.say(t, "member-3.test", "127.0.0.2")
	c.StartMember(3, "--insecure")
	votes(3)
	c.Kill(2)
	if r := run("after\n", "append", "--timeout", "10s"); r.Code != 0 {
		t.Fatalf("exit code %d: %s", r.Code, r.Stderr)
	}
}
