// Package tidy is the style guide as a test: which room may know which, how long a function may be, what nobody writes.
//
// Each rule is a function of the tree, and stands in the table below beside samples that break it, so that a rule which
// can no longer fail is found as well. A fault says where, what, and what to do instead.
package tidy

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// rule is one claim about the tree.
type rule struct {
	claim string
	check func(tree) []string // one sentence for each place that breaks the claim
	bad   []sample            // each of them alone breaks it
	good  []sample            // each of them alone keeps it
}

// sample is a tree of one file; a line "-- path --" in its text begins another one.
type sample struct{ path, text string }

func rules() []rule {
	return slices.Concat(arrowRules(), codeRules(), paperRules(), docRules(), nameRules(), exampleRules())
}

func TestTreeIsTidy(t *testing.T) {
	all, err := read(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("read %d files: this is not the repository", len(all))
	}
	for _, r := range rules() {
		t.Run(r.claim, func(t *testing.T) {
			for _, fault := range r.check(all) {
				t.Error(fault)
			}
		})
	}
}

func TestEveryRuleCanFail(t *testing.T) {
	for _, r := range rules() {
		t.Run(r.claim, func(t *testing.T) {
			if len(r.bad) == 0 {
				t.Error("the rule has no sample that breaks it")
			}
			for _, s := range r.bad {
				if faults := r.check(plant(t, s)); len(faults) == 0 {
					t.Errorf("no fault was found in %s:\n%s", s.path, excerpt(s.text))
				}
			}
		})
	}
}

func TestNoRuleRefusesWhatIsAllowed(t *testing.T) {
	for _, r := range rules() {
		t.Run(r.claim, func(t *testing.T) {
			for _, s := range r.good {
				for _, fault := range r.check(plant(t, s)) {
					t.Errorf("%s\nin:\n%s", fault, excerpt(s.text))
				}
			}
		})
	}
}

func TestFaultNamesFileLineAndRemedy(t *testing.T) {
	s := sample{"log/paxos/a.go", "package paxos\n\nimport \"time\"\n"}
	faults := strings.Join(purity(plant(t, s)), "\n")
	const want = `log/paxos/a.go:3: log/paxos must not import "time": a rule is a function of its arguments; ` +
		`hand it what it needs`
	if faults != want {
		t.Errorf("got  %s\nwant %s", faults, want)
	}
}

// plant is the tree that holds nothing but the sample.
func plant(t *testing.T, s sample) tree {
	t.Helper()
	files := fstest.MapFS{}
	name, text := s.path, s.text
	for found := true; found; {
		var rest string
		text, rest, found = strings.Cut(text, "-- ")
		files[name] = &fstest.MapFile{Data: []byte(text)}
		name, text, _ = strings.Cut(rest, " --\n")
	}
	planted, err := read(files)
	if err != nil {
		t.Fatal(err)
	}
	return planted
}

func excerpt(text string) string {
	const most = 200
	return text[:min(len(text), most)]
}
