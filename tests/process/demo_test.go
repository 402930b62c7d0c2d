package process

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// demoEvent is what these tests read of the demo's events.
type demoEvent struct {
	Event   string `json:"event"`
	Replica int    `json:"replica"`
	Process int    `json:"process"`
	To      string `json:"to"`
	Writer  int    `json:"writer"`
	By      int    `json:"by"`
	Entries int    `json:"entries"`
	Holes   int    `json:"holes"`
	Error   string `json:"error"`
	SHA256  string `json:"sha256"`
	OK      bool   `json:"ok"`
}

// demo is a demo that runs, and the temporary directory that it may use.
type demo struct {
	*Process
	temporary string
}

func startDemo(t *testing.T, flags ...string) demo {
	t.Helper()
	c := New(t, 0) // the program is built outside of the directory that is watched
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	return demo{c.Start(append([]string{"demo", "-o", "ndjson"}, flags...)...), temporary}
}

// events are those that the demo has told so far.
func (d demo) events() []demoEvent {
	d.t.Helper()
	var events []demoEvent
	for line := range strings.Lines(d.Stdout.String()) {
		if !strings.HasSuffix(line, "\n") {
			break // the rest is on its way
		}
		var e demoEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			d.t.Fatalf("not an event: %v: %s", err, line)
		}
		events = append(events, e)
	}
	return events
}

func (d demo) await(event string) {
	d.t.Helper()
	Eventually(d.t, "the demo tells of "+event, func() (bool, string) {
		told := slices.ContainsFunc(d.events(), func(e demoEvent) bool { return e.Event == event })
		return told, d.Stdout.String() + d.Stderr.String()
	})
}

// leftNoProcess checks that the replicas' processes are gone. The demo has waited for them, if it could.
func (d demo) leftNoProcess() {
	d.t.Helper()
	for _, e := range d.events() {
		if e.Event != "started" {
			continue
		}
		Eventually(d.t, "the replicas' processes are gone", func() (bool, string) {
			process, err := os.FindProcess(e.Process)
			gone := err != nil || errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone)
			return gone, d.Stdout.String()
		})
	}
}

func (d demo) leftNothing() {
	d.t.Helper()
	d.leftNoProcess()
	names, err := os.ReadDir(d.temporary)
	if err != nil || len(names) > 0 {
		d.t.Errorf("the demo left %v (%v)", names, err)
	}
}

// plot is the events without progress and statuses, a word each.
func plot(events []demoEvent) string {
	var words []string
	for _, e := range events {
		switch e.Event {
		case "progress", "status":
		case "started", "killed", "deleted", "recovered", "elected", "fenced", "returned", "verified":
			words = append(words, e.Event+string(rune('0'+e.Replica)))
		default:
			words = append(words, e.Event)
		}
	}
	return strings.Join(words, " ")
}

func TestDemoTellsItsStory(t *testing.T) {
	d := startDemo(t, "--entries", "2000")
	if code := d.Wait(); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, d.Stdout, d.Stderr)
	}
	const want = "began started1 started2 started3 initialized elected1 appended killed3 appended " +
		"deleted3 started3 recovered3 elected2 fenced1 killed1 appended started1 returned1 " +
		"verified1 verified2 verified3 finished"
	events := d.events()
	if got := plot(events); got != want {
		t.Errorf("got  %s\nwant %s\n%s", got, want, d.Stdout)
	}
	for _, e := range events {
		first := events[slices.IndexFunc(events, func(e demoEvent) bool { return e.Event == "verified" })]
		if e.Event == "verified" && (e.Entries != 2520 || e.Holes != 0 || e.SHA256 != first.SHA256) {
			t.Errorf("replica %d: %+v", e.Replica, e)
		}
	}
	if last := events[len(events)-1]; !last.OK || last.Entries != 2520 {
		t.Errorf("the end: %+v", last)
	}
	d.leftNothing()
}

func TestDemoShowsEveryStatusOfTheRebuiltReplica(t *testing.T) {
	d := startDemo(t, "--entries", "100")
	if code := d.Wait(); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, d.Stdout, d.Stderr)
	}
	var statuses []string
	for _, e := range d.events() {
		if e.Event == "status" && e.Replica == 3 {
			statuses = append(statuses, e.To)
		}
	}
	const want = "EMPTY STARTING VOTING EMPTY RECOVERING VOTING"
	if got := strings.Join(statuses, " "); got != want {
		t.Errorf("got %s, want %s\n%s", got, want, d.Stdout)
	}
}

func TestInterruptedDemoLeavesNothing(t *testing.T) {
	for _, c := range []struct {
		when    string
		entries string
		signal  syscall.Signal
	}{
		{"began", "1000", syscall.SIGINT},
		{"started", "1000", syscall.SIGTERM},
		{"progress", "200000", syscall.SIGINT},
		{"killed", "40000", syscall.SIGINT},
		{"recovered", "30000", syscall.SIGHUP},
	} {
		t.Run(c.when, func(t *testing.T) {
			d := startDemo(t, "--entries", c.entries)
			d.await(c.when)
			d.Signal(c.signal)
			d.Signal(c.signal) // people are impatient
			if code := d.Wait(); code != 1 {
				t.Errorf("exit code %d, want 1\n%s", code, d.Stdout)
			}
			d.leftNothing()
		})
	}
}

func TestKilledDemoLeavesNoProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends the processes of a parent that was killed")
	}
	d := startDemo(t, "--entries", "100000")
	d.await("initialized")
	d.Kill()
	d.leftNoProcess()
}

func TestDemoSaysWhatIsWrong(t *testing.T) {
	d := startDemo(t, "--entries", "200000")
	d.await("progress")
	events := d.events()
	first := events[slices.IndexFunc(events, func(e demoEvent) bool { return e.Event == "started" })]
	victim, err := os.FindProcess(first.Process)
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Kill(); err != nil {
		t.Fatal(err)
	}
	if code := d.Wait(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	events = d.events()
	const want = "the process of replica 1"
	if last := events[len(events)-1]; last.Event != "failed" || !strings.Contains(last.Error, want) {
		t.Errorf("the last event is %+v, want that it failed, and why: %s", last, want)
	}
	if !strings.Contains(d.Stderr.String(), want) {
		t.Errorf("stderr does not name %q:\n%s", want, d.Stderr)
	}
	d.leftNothing()
}

func TestDemoAppendsEachLineOfAFile(t *testing.T) {
	lines := []string{"one", "two", "", "four"}
	file := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	place := filepath.Join(t.TempDir(), "kept")
	d := startDemo(t, "--input", file, "--dir", place, "--keep")
	if code := d.Wait(); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, d.Stdout, d.Stderr)
	}
	d.leftNothing()
	// The four lines, at once and so in any order. Then the first again, while replica 3 is away. The second is refused, of
	// a writer that is fenced. Then the third, while replica 1 is away.
	const want = "\nfour\none\ntwo\n" + "one\n" + "\n"
	c := New(t, 0)
	for _, replica := range []string{"replica-1", "replica-2", "replica-3"} {
		got := c.Run("read", "--text", "--data", filepath.Join(place, replica))
		read := slices.Collect(strings.Lines(got.Stdout))
		slices.Sort(read[:min(len(read), len(lines))])
		if got.Code != 0 || strings.Join(read, "") != want {
			t.Errorf("%s: exit code %d, %q, want %q\n%s", replica, got.Code, read, want, got.Stderr)
		}
	}
}

func TestDemoRefusesADirectoryThatIsNotEmpty(t *testing.T) {
	place := t.TempDir()
	precious := filepath.Join(place, "precious")
	if err := os.WriteFile(precious, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code := startDemo(t, "--dir", place).Wait(); code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}
