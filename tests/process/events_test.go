package process

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestEventsTellWhatHappenedAndGoOn(t *testing.T) {
	t.Parallel()
	c := New(t, 3)
	c.StartAll()
	if r := c.RunWith("one\n", "append"); r.Code != 0 {
		t.Fatalf("append ended with %d: %s", r.Code, r.Stderr)
	}
	r := c.Run("events", "-o", "json")
	var events []struct {
		Member   int
		Sequence uint64
		Kind, To string
	}
	if err := json.Unmarshal([]byte(r.Stdout), &events); err != nil || r.Code != 0 {
		t.Fatalf("events ended with %d: %v\n%s%s", r.Code, err, r.Stdout, r.Stderr)
	}
	voting, elected := 0, 0
	for _, e := range events {
		if e.Kind == "status" && e.To == "VOTING" {
			voting++
		}
		if e.Kind == "elected" {
			elected++
		}
	}
	if voting != 3 || elected == 0 {
		t.Errorf("%d members came to vote, and %d were elected:\n%s", voting, elected, r.Stdout)
	}

	p := c.Start("events", "--follow", "-o", "ndjson")
	follows := func(what, want string) {
		t.Helper()
		Eventually(t, what, func() (bool, string) { return strings.Contains(p.Stdout.String(), want), p.Stdout.String() })
	}
	follows("it tells what was", `"kind":"elected"`)
	c.Kill(3)
	follows("the others miss the third", `"kind":"peer_absent"`)
	follows("it does not answer", `{"member":3,"sequence":0,`)
	c.Wipe(3)
	c.StartMember(3)
	follows("it answers again", `"kind":"reachable"`)
	follows("it recovers", `"kind":"status","from":"EMPTY","to":"RECOVERING"`)
	p.Terminate()
	if code := p.Wait(); code != 0 {
		t.Errorf("it ended with %d: %s", code, p.Stderr)
	}
}

func TestEventsWithoutAMemberThatAnswersAreNotReady(t *testing.T) {
	t.Parallel()
	c := New(t, 3)
	if r := c.Run("events", "--timeout", "1s"); r.Code != 3 || !strings.Contains(r.Stderr, "no member answers") {
		t.Errorf("it ended with %d: %s", r.Code, r.Stderr)
	}
}

func TestTopWithoutATerminalPrintsOneTable(t *testing.T) {
	t.Parallel()
	c := New(t, 3)
	c.StartAll()
	r := c.Run("top")
	if r.Code != 0 || !strings.Contains(r.Stdout, "all 3 members vote: 1 may fail; ") || strings.Count(r.Stdout, "VOTING") != 3 || strings.Contains(r.Stdout, "\x1b") {
		t.Errorf("top ended with %d and printed\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	c.Kill(2)
	c.Kill(3)
	var view struct {
		Voting, Quorum int
		Members        []struct {
			ID        int
			Reachable bool
		}
	}
	r = c.Run("top", "-o", "json")
	if err := json.Unmarshal([]byte(r.Stdout), &view); err != nil || r.Code != 3 {
		t.Fatalf("top ended with %d: %v\n%s%s", r.Code, err, r.Stdout, r.Stderr)
	}
	if view.Voting != 1 || view.Quorum != 2 || len(view.Members) != 3 || view.Members[1].Reachable {
		t.Errorf("it printed %s", r.Stdout)
	}
}
