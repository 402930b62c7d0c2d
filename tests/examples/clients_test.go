package examples

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/quorumlog/quorumlog/log"
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
	one.Prints(`begins at 1\n`, `log \[\d+\]\n`, `a \[\d+ \d+\]\n`, `disk \[\d+\]\n`)
	one.Signal(syscall.SIGTERM)
	one.Ends()

	add("a member", "a quorum", "a vote")
	two := index("two.json", "-compact", "2")
	process.Eventually(t, "the log begins above the place of the first index", func() (bool, string) {
		begin, place := c.Status()[0].Begin, placeIn(t, filepath.Join(s.Data, "one.json"))
		return begin > place, fmt.Sprintf("it begins at %d, and the index is at %d", begin, place)
	})
	c.Kill(1)
	one = index("one.json")
	one.Prints(`begins at ([2-9]|\d\d+)\n`, `the log was truncated; rebuilt up to \d+\n`)
	three := index("three.json")
	three.Prints(`begins at 1\n`, `the log was truncated; rebuilt up to \d+\n`)
	add("a log")
	for _, line := range []string{`(a \[(?:\d+ ){5}\d+\]\n)`, `(log \[\d+ \d+\]\n)`} {
		all := two.Prints(line)
		one.Prints(regexp.QuoteMeta(all))
		three.Prints(regexp.QuoteMeta(all))
	}
}

// placeIn is up to where an index was saved.
func placeIn(t *testing.T, file string) log.Position {
	t.Helper()
	var saved struct{ Next log.Position }
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &saved)
	}
	if err != nil {
		t.Fatal(err)
	}
	return saved.Next
}
