package examples

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/quorumlog/quorumlog/tests/process"
)

// anIndexKeepsItsPlace runs the index beside a log of three members.
func anIndexKeepsItsPlace(t *testing.T, s *Stage) {
	c := process.New(t, 3)
	c.StartAll()
	add := func(lines ...string) {
		t.Helper()
		if r := c.RunWith(strings.Join(lines, "\n"), "append"); r.Code != 0 {
			t.Fatalf("append ended with %d: %s", r.Code, r.Stderr)
		}
	}
	index := func(file string, args ...string) *Player {
		return s.Run(append([]string{"-members", c.Members, "-file", filepath.Join(s.Data, file)}, args...)...)
	}
	add("a log", "a disk")
	one := index("one.json")
	one.Prints("begins at 1\n", "a [1]\n", "log [1]\n", "a [1 2]\n", "disk [2]\n")
	one.Signal(syscall.SIGTERM)
	one.Ends()

	add("a member", "a quorum", "a vote")
	other := index("other.json", "-compact", "2") // twice: the log begins behind where the first one is
	other.Prints("begins at 1\n", "a [1 2 3 4 5]\n")
	process.Eventually(t, "the log is truncated", func() (bool, string) {
		begin := c.Status()[0].Begin
		return begin > 3, fmt.Sprint(begin)
	})
	c.Kill(1)
	one = index("one.json")
	one.Prints("begins at 3\n", "the log was truncated; rebuilt up to 4\n")
	add("log")
	last := regexp.MustCompile(`log \[1 \d+\]\n`)
	process.Eventually(t, "both have the last entry at the same position", func() (bool, string) {
		seen := last.FindString(other.Stdout.String())
		return seen != "" && strings.Contains(one.Stdout.String(), seen), one.Stdout.String() + other.Stdout.String()
	})
}
