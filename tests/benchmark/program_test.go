package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/tests/process"
)

// nothingIn fails where something was left in a directory.
func nothingIn(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left in the directory, %v", left, err)
	}
}

func TestTheProgramMeasuresMembersOfItsOwnAndLeavesNothing(t *testing.T) {
	o := options{program: process.Build(t), dir: t.TempDir()}
	for _, c := range []struct {
		args string
		is   func(answer) bool
	}{
		{"append --entries 300 --outstanding 16 --warm-up 0s --local", func(a answer) bool { return a.Rate > 0 && a.P50 > 0 && a.Writer > 0 }},
		{"append --entries 300 --outstanding 16 --warm-up 0s --local --embedded", func(a answer) bool { return a.Rate > 0 && a.P99 > 0 }},
		{"recover --entries 300 --runs 1", func(a answer) bool { return a.Rate > 0 && len(a.Runs) == 1 && a.Runs[0].Restart > 0 }},
		{"read --entries 300 --size 1KiB --runs 2 --local", func(a answer) bool { return a.Rate > 0 }},
		{"start --runs 1", func(a answer) bool { return a.Seconds > 0 }},
	} {
		args := append([]string{"benchmark"}, strings.Fields(c.args)...)
		a, err := o.ask(t.Context(), append(args, "--dir", o.dir, "-o", "ndjson"))
		if err != nil || !c.is(a) {
			t.Errorf("%s: %+v, %v", c.args, a, err)
		}
		nothingIn(t, o.dir)
	}
}

func TestTheProgramMeasuresALogThatRuns(t *testing.T) {
	c := process.New(t, 3)
	c.StartAll()
	trace := filepath.Join(t.TempDir(), "sizes")
	if err := os.WriteFile(trace, []byte("100B\n1KB\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := c.Run("benchmark", "append", "--trace", trace, "--entries", "100", "--warm-up", "0s", "-o", "json")
	var appended struct{ Entries, Bytes int }
	if err := json.Unmarshal([]byte(got.Stdout), &appended); err != nil || got.Code != 0 || appended.Entries != 100 || appended.Bytes != 50*(100+1024) {
		t.Errorf("%+v, %v: %+v", got, err, appended)
	}
	got = c.Run("benchmark", "read", "--runs", "1", "-o", "json")
	var found struct{ Entries int }
	if err := json.Unmarshal([]byte(got.Stdout), &found); err != nil || got.Code != 0 || found.Entries < appended.Entries {
		t.Errorf("%+v, %v: %+v", got, err, found)
	}
	if got := c.Run("benchmark", "append", "--entries", "10"); got.Code != 0 || !strings.Contains(got.Stdout, "ENTRIES/S") {
		t.Errorf("%+v", got)
	}
}

func TestAnInterruptedBenchmarkTellsWhatItSawAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	command := exec.CommandContext(t.Context(), process.Build(t), "benchmark", "append", "--local", "--duration", "1h", "--warm-up", "0s", "--dir", dir, "-o", "ndjson")
	var out bytes.Buffer
	command.Stdout = &out
	complaints, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(complaints)
	first, _ := said.ReadString('\n') // it measures
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(said)
	err = command.Wait()
	var seen struct {
		Entries     int
		Interrupted bool
	}
	if unread := json.Unmarshal(out.Bytes(), &seen); unread != nil || !seen.Interrupted || seen.Entries == 0 || command.ProcessState.ExitCode() != 1 ||
		!strings.HasSuffix(string(rest), "quorumlog: interrupted\n") {
		t.Errorf("%v, %v; it printed %sand said:\n%s%s", err, unread, &out, first, rest)
	}
	nothingIn(t, dir)
}

func TestMembersWriteProfilesWhereTheyAreAsked(t *testing.T) {
	o := options{program: process.Build(t), dir: t.TempDir()}
	profiles := t.TempDir()
	w := workload{args: []string{"append", "--local", "--entries", "50", "--warm-up", "0s"}}
	if _, err := o.call(t.Context(), w, profiles); err != nil {
		t.Fatal(err)
	}
	for id := 1; id <= 3; id++ {
		if info, err := os.Stat(filepath.Join(profiles, fmt.Sprintf("member-%d-process-1.pprof", id))); err != nil || info.Size() == 0 {
			t.Errorf("member %d: %v", id, err)
		}
	}
}
