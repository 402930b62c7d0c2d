package main

import (
	"errors"
	"strings"
	"testing"
)

const source = `package a

func (t *rule) decide(x int) int {
	if x > 1 {
		return 1 // one
	}
	switch {
	case x == 0:
		return 2
	}
	return 3
}

func never() { println() }
`

const profile = `mode: set
github.com/quorumlog/quorumlog/log/a.go:3.34,4.11 1 1
github.com/quorumlog/quorumlog/log/a.go:4.11,6.3 1 0
github.com/quorumlog/quorumlog/log/a.go:7.2,7.9 1 1
github.com/quorumlog/quorumlog/log/a.go:8.14,9.11 1 1
github.com/quorumlog/quorumlog/log/a.go:11.2,11.10 1 0
github.com/quorumlog/quorumlog/log/a.go:11.2,11.10 1 1
github.com/quorumlog/quorumlog/log/a.go:14.14,14.27 1 0
`

// judged is what is said about the profile above.
func judged(t *testing.T, excepted string) (string, int) {
	t.Helper()
	branches, err := read(profile, func(name string) ([]byte, error) {
		if name != "log/a.go" {
			return nil, errors.New("no such file")
		}
		return []byte(source), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	except, err := parse(excepted)
	if err != nil {
		t.Fatal(err)
	}
	return judge(branches, except)
}

func TestBranchThatWasNotReachedIsNamed(t *testing.T) {
	text, missed := judged(t, "")
	for _, want := range []string{
		"4/5   log/a.go rule.decide", "0/1   log/a.go never", "6 branches, 4 reached, 0 excused, 2 missed",
		"missed: log/a.go:5: rule.decide: return 1 // one", "missed: log/a.go:14: never: println() }",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
	if missed != 2 {
		t.Errorf("%d are missed", missed)
	}
}

func TestExceptionsAreExcused(t *testing.T) {
	text, missed := judged(t, "# it is not called\n# by anybody\nlog/a.go never\n\n# seldom\nlog/a.go rule.decide | return 1 // one\n")
	if missed != 0 || !strings.Contains(text, "2 excused") {
		t.Errorf("%d missed:\n%s", missed, text)
	}
}

func TestAFileMayBeAnException(t *testing.T) {
	if text, missed := judged(t, "# nobody runs it here\nlog/a.go\n"); missed != 0 || !strings.Contains(text, "2 excused") {
		t.Errorf("%d missed:\n%s", missed, text)
	}
	if text, missed := judged(t, "# there is none\nlog/b.go\nlog/a.go never\nlog/a.go rule.decide\n"); missed != 1 {
		t.Errorf("%d missed:\n%s", missed, text)
	}
}

func TestExceptionThatIsNotInTheCodeIsNamed(t *testing.T) {
	text, missed := judged(t, "# gone\nlog/a.go never\nlog/a.go rule.decide | return 1 // one\nlog/a.go rule.decide | return 7\n")
	if missed != 1 || !strings.Contains(text, "no such branch: log/a.go rule.decide | return 7") {
		t.Errorf("%d missed:\n%s", missed, text)
	}
}

func TestExceptionNeedsAReason(t *testing.T) {
	if _, err := parse("log/a.go never"); err == nil {
		t.Error("none is asked for")
	}
}
