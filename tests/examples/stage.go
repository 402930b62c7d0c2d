package examples

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/tests/process"
)

// Build builds all examples into a directory, each under the name of its own, and only once: linking is what takes long.
func Build(dir string) error {
	command := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", dir+string(filepath.Separator), "./...")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build the examples: %w: %s", err, out)
	}
	return nil
}

// Stage is what one example is run with.
type Stage struct {
	Members string // as -members takes it: three free addresses on the loopback
	Data    string // as -data takes it: each member has a directory of its own in it
	program string
	t       *testing.T
}

// NewStage returns the stage for a program. What runs on it ends with the test.
func NewStage(t *testing.T, program string) *Stage {
	t.Helper()
	var members []string
	for i, address := range process.FreePorts(t, 3) {
		members = append(members, fmt.Sprintf("%d=%s", i+1, address))
	}
	return &Stage{Members: strings.Join(members, ","), Data: t.TempDir(), program: program, t: t}
}

// Player is a process of an example.
type Player struct {
	*process.Process
	in io.Writer
	t  *testing.T
}

// Run starts the example. It shows what it wrote to stderr where the test fails.
func (s *Stage) Run(args ...string) *Player {
	s.t.Helper()
	command := exec.Command(s.program, args...)
	in, err := command.StdinPipe() // it is closed when the process has ended
	if err != nil {
		s.t.Fatal(err)
	}
	p := &Player{Process: process.Launch(s.t, command), in: in, t: s.t}
	s.t.Cleanup(func() {
		if p.Kill(); s.t.Failed() {
			s.t.Logf("%s:\n%s%s", command, p.Stdout, p.Stderr)
		}
	})
	return p
}

// Member runs the example as a member of the log, with more arguments if there are any.
func (s *Stage) Member(id int, args ...string) *Player {
	s.t.Helper()
	return s.Run(append([]string{"-id", fmt.Sprint(id), "-members", s.Members, "-data", s.Data}, args...)...)
}

// Wipe deletes the data of a member that does not run.
func (s *Stage) Wipe(id int) {
	s.t.Helper()
	if err := os.RemoveAll(filepath.Join(s.Data, fmt.Sprint(id))); err != nil {
		s.t.Fatal(err)
	}
}

// Type gives the process a line on its stdin.
func (p *Player) Type(line string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		p.t.Fatalf("type %q: %v", line, err)
	}
}

// Prints waits until what the process has printed matches each of these regular expressions, and returns what the first of them has in
// its first parentheses, if any.
func (p *Player) Prints(patterns ...string) (part string) {
	p.t.Helper()
	process.Eventually(p.t, fmt.Sprintf("it prints %q", patterns), func() (bool, string) {
		ended, out := p.HasEnded(), p.Stdout.String()
		for i, pattern := range patterns {
			found := regexp.MustCompile(pattern).FindStringSubmatch(out)
			if found == nil && ended {
				p.t.Fatalf("it ended without having printed %q", pattern)
			}
			if found == nil {
				return false, out
			}
			if i == 0 && len(found) > 1 {
				part = found[1]
			}
		}
		return true, out
	})
	return part
}

// Ends waits for the end of a process that ends by itself, or was told to, and wants it to be a good one.
func (p *Player) Ends() {
	p.t.Helper()
	if code := p.Wait(); code != 0 {
		p.t.Fatalf("it ended with %d", code)
	}
}
