package examples

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/tests/process"
)

// stories are what each example is put through. Those with a test of their own, and no program, have none.
var stories = map[string]func(t *testing.T, s *Stage){
	"bank":    noMoneyIsLost,
	"counter": aCounterGoesOnWhereItWas,
	"embed":   membersReadTheSame,
	"grain":   aGrainIsFoundElsewhere,
	"index":   anIndexKeepsItsPlace,
	"tls":     strangersAreRefused,
}

// tested are the examples that are tests themselves.
var tested = []string{"faults"}

// programs is the directory of the programs that TestMain has built.
var programs string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if programs, err = os.MkdirTemp("", "examples"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(programs), process.RemoveBuilt()) }()
	if err := Build(programs); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func TestEveryExampleDoesWhatItSays(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(stories)) {
		t.Run(name, func(t *testing.T) {
			stories[name](t, NewStage(t, filepath.Join(programs, name)))
		})
	}
}

func TestEveryExampleIsRunAndListed(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if _, told := stories[e.Name()]; !told && !slices.Contains(tested, e.Name()) {
			t.Errorf("%s has no story: nobody knows whether it works", e.Name())
		}
		if link := fmt.Sprintf("[%s](%s)", e.Name(), e.Name()); !strings.Contains(string(list), link) {
			t.Errorf("README.md does not list %s", link)
		}
	}
}

func TestEveryFileOfAnExampleCanBeReadAtOnce(t *testing.T) {
	const most = 80 // lines
	files, err := filepath.Glob("*/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(string(text), "\n"); lines > most && !strings.HasSuffix(name, ".pb.go") {
			t.Errorf("%s has %d lines, at most %d", name, lines, most)
		}
	}
}
