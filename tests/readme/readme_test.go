// Package readme runs what the README shows.
package readme

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/tests/process"
)

const root = "../.."

func TestMain(m *testing.M) {
	code := m.Run()
	if err := process.RemoveBuilt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func TestTheFirstCommandRunsTheDemo(t *testing.T) {
	command := block(t, "sh", 0)
	if command != "go run ./cmd/quorumlog demo" {
		t.Fatalf("the README's first command is %q", command)
	}
	out := shell(t, command)
	if !strings.Contains(out, `"event":"finished","ok":true`) {
		t.Errorf("the demo ended with:\n%s", out)
	}
}

func TestTheSecondCommandIsTheOneThatTheGateRuns(t *testing.T) {
	command := block(t, "sh", 1)
	gate, err := os.ReadFile(filepath.Join(root, ".ci/run"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(gate), "test=("+command+")") {
		t.Errorf("the gate does not run %q", command)
	}
}

// The lines for three machines are run on one: with three loopback addresses and a temporary directory, and the lines that
// serve, and make a certificate for that, once per machine.
func TestTheLinesForThreeMachinesServeAppendAndRead(t *testing.T) {
	program := process.Build(t)
	addresses := process.FreePorts(t, 3)
	lines := block(t, "sh", 2)
	for i, address := range addresses {
		lines = strings.Replace(lines, fmt.Sprintf("10.0.0.%d:7101", i+1), address, 1)
	}
	place := t.TempDir()
	script := []string{"set -e; trap 'kill $(jobs -p)' EXIT", "PATH=" + filepath.Dir(program) + ":$PATH", "cd " + place}
	for line := range strings.SplitSeq(lines, "\n") {
		if !strings.Contains(line, "--id 1") {
			script = append(script, line)
			continue
		}
		for id := 1; id <= 3; id++ {
			if id > 1 { // what is made once is there
				line = strings.TrimPrefix(line, "quorumlog cert ca && quorumlog cert client --name me && ")
			}
			own := strings.NewReplacer("--id 1", fmt.Sprintf("--id %d", id), "member-1", fmt.Sprintf("member-%d", id),
				"/var/lib/quorumlog", filepath.Join(place, fmt.Sprint(id)), " &", " 2>/dev/null &")
			script = append(script, own.Replace(line))
		}
	}
	out := shell(t, strings.Join(script, "\n"))
	if !strings.Contains(out, "hello\n") || strings.Count(out, "VOTING") < 2 {
		t.Errorf("%s\nprinted:\n%s", strings.Join(script, "\n"), out)
	}
}

func TestTheGoBlockCompiles(t *testing.T) {
	body := strings.ReplaceAll(block(t, "go", 0), "\n", "\n\t")
	source := "package main\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\n\t\"github.com/quorumlog/quorumlog/cluster\"\n)\n\n" +
		"func run(ctx context.Context) error {\n\t" + body + "\n\treturn nil\n}\n\nfunc main() { fmt.Println(run(context.Background())) }\n"
	path := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	shell(t, "go vet "+path)
}

// block returns the nth block of a language in the README.
func block(t *testing.T, language string, n int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```"+language+"\n(.*?)\n```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) <= n {
		t.Fatalf("the README has %d blocks of %s, and number %d is wanted", len(blocks), language, n)
	}
	return blocks[n][1]
}

// shell runs a script in the root of the repository, and returns what it prints.
func shell(t *testing.T, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute) // what waits for something waits for ever
	defer cancel()
	command := exec.CommandContext(ctx, "bash", "-c", script)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) } // or its trap would not end what it has started
	command.WaitDelay = 20 * time.Second
	command.Dir = root
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}
