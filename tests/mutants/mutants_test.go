package mutants

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	scoreFlag  = flag.Bool("score", false, "try the mutants, which takes minutes")
	mutantFlag = flag.String("mutant", "", "names of the mutants to try, with commas between them; empty for all")
	judgeFlag  = flag.String("judge", "", "the only judge to ask; empty for all")
	seedsFlag  = flag.Uint64("seeds", 2000, "how many seeds of the simulation each mutant gets")
)

func all() []Mutant {
	return slices.Concat(ofRules(), ofReads(), ofLives(), ofLinks(), ofMembers(), ofSessions(), ofDamage(), ofJournals(), ofLogs(), ofShells(), ofSubscriptions(), ofSyncs())
}

func root(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestMutantsHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range all() {
		if seen[m.Name] || m.Bug == "" || len(m.Edits) == 0 || len(m.Judges) == 0 {
			t.Errorf("mutant %q: there are two, or it says or does nothing, or nobody judges it", m.Name)
		}
		seen[m.Name] = true
	}
}

// TestEveryMutantCompiles keeps the mutants alive while the product changes. Whoever changes a line that a mutant is made
// of has to say here where the same bug would be now.
func TestEveryMutantCompiles(t *testing.T) {
	c := newCompiler(t)
	for _, m := range all() {
		texts, err := m.Texts(c.root)
		if err != nil {
			t.Error(err)
			continue
		}
		for file := range texts {
			if err := c.check(path.Dir(file), texts); err != nil {
				t.Errorf("mutant %s: %v", m.Name, err)
			}
		}
	}
}

// compiler checks the types of mutated packages. What they import is compiled already, by whoever runs the test.
type compiler struct {
	root    string
	set     *token.FileSet
	imports types.Importer
	files   map[string][]string // of each package, by its directory
}

func newCompiler(t *testing.T) *compiler {
	t.Helper()
	c := &compiler{root: root(t), set: token.NewFileSet(), files: map[string][]string{}}
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Export,Dir,GoFiles"}
	for _, m := range all() {
		for _, e := range m.Edits {
			args = append(args, "./"+path.Dir(e.File))
		}
	}
	list := exec.Command("go", args...)
	list.Dir = c.root
	output, err := list.Output()
	if err != nil {
		t.Fatalf("list the packages: %v", err)
	}
	exports := map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p struct {
			ImportPath, Export, Dir string
			GoFiles                 []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("list the packages: %v", err)
		}
		exports[p.ImportPath] = p.Export
		if dir, err := filepath.Rel(c.root, p.Dir); err == nil {
			c.files[filepath.ToSlash(dir)] = p.GoFiles
		}
	}
	c.imports = importer.ForCompiler(c.set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	return c
}

// check checks one package, with mutated texts in place of its files.
func (c *compiler) check(dir string, texts map[string]string) error {
	var files []*ast.File
	for _, name := range c.files[dir] {
		var text any // from the disk
		if mutated, found := texts[dir+"/"+name]; found {
			text = mutated
		}
		f, err := parser.ParseFile(c.set, filepath.Join(c.root, filepath.FromSlash(dir), name), text, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parse it: %w", err)
		}
		files = append(files, f)
	}
	config := types.Config{Importer: c.imports}
	if _, err := config.Check(dir, c.set, files, nil); err != nil {
		return fmt.Errorf("compile it: %w", err)
	}
	return nil
}

// TestEveryMutantIsCaught is the score. A judge that would fail without the mutant, too, has noticed nothing.
func TestEveryMutantIsCaught(t *testing.T) {
	if !*scoreFlag {
		t.Skip("it takes minutes: make mutants")
	}
	began := time.Now()
	tr := trial{root: root(t), seeds: *seedsFlag, limit: 15 * time.Minute}
	chosen := slices.DeleteFunc(all(), func(m Mutant) bool {
		return *mutantFlag != "" && !slices.Contains(strings.Split(*mutantFlag, ","), m.Name)
	})
	if len(chosen) == 0 {
		t.Fatalf("there is no mutant %s: tests/mutants/README.md lists them", *mutantFlag)
	}
	sound := innocents(t, tr, chosen)
	results := make([][]Verdict, len(chosen))
	seats := make(chan struct{}, runtime.NumCPU())
	t.Run("mutants", func(t *testing.T) {
		for i, m := range chosen {
			t.Run(m.Name, func(t *testing.T) {
				t.Parallel()
				seats <- struct{}{}
				defer func() { <-seats }()
				results[i] = judge(t, tr, m, sound)
			})
		}
	})
	fmt.Print(table(chosen, results))
	fmt.Printf("\n%d mutants in %v\n", len(chosen), time.Since(began).Round(time.Second))
}

// innocents builds every judge without a mutant.
func innocents(t *testing.T, tr trial, mutants []Mutant) map[string]string {
	t.Helper()
	binaries := map[string]string{}
	for _, m := range mutants {
		for _, j := range m.Judges {
			if binaries[j.Package] != "" {
				continue
			}
			binary, err := tr.build(nil, j, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			binaries[j.Package] = binary
		}
	}
	return binaries
}

// judge asks the judges of a mutant.
func judge(t *testing.T, tr trial, m Mutant, sound map[string]string) []Verdict {
	t.Helper()
	var verdicts []Verdict
	caught := false
	for _, j := range m.Judges {
		if *judgeFlag != "" && *judgeFlag != j.Name {
			continue
		}
		v, err := tr.try(m, j)
		if err != nil {
			t.Fatal(err)
		}
		if v.Caught {
			fine, err := tr.innocent(sound[j.Package], j, v.Seed)
			if err != nil {
				t.Fatal(err)
			}
			if !fine {
				t.Errorf("%s: %s fails without the mutant as well (seed %s)", m.Name, j.Name, v.Seed)
				v.Caught = false
			}
		}
		caught = caught || v.Caught
		verdicts = append(verdicts, v)
		fmt.Println(line(m, v))
	}
	if len(verdicts) == 0 {
		t.Skip("the judge has no say in it")
	}
	if !caught {
		t.Errorf("%s survived: %s", m.Name, m.Bug)
	}
	return verdicts
}

// table is the score in the form of README.md.
func table(mutants []Mutant, results [][]Verdict) string {
	var text strings.Builder
	fmt.Fprintf(&text, "\n| mutant | what the code does wrong | judge | seed | seconds | what it said |\n|---|---|---|---|---|---|\n")
	for i, m := range mutants {
		for _, v := range results[i] {
			fmt.Fprintln(&text, line(m, v))
		}
	}
	return text.String()
}

func line(m Mutant, v Verdict) string {
	const most = 120
	said := strings.NewReplacer("|", "/", "\n", " ").Replace(v.By)
	if _, after, found := strings.Cut(said, ", invariant "); found { // what was before it changes with the seed
		said = "invariant " + after
	}
	if len(said) > most {
		said = said[:most] + "..."
	}
	if !v.Caught {
		said = "**nothing**"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %.0f | %s |", m.Name, m.Bug, v.Judge.Name, v.Seed, v.Took.Seconds(), said)
}

func TestComplaintIsWhatWasSaidFirst(t *testing.T) {
	for _, c := range []struct{ output, seed, by string }{
		{"--- FAIL: TestSeeds (1s)\n    a.go:7: seed 12, after 3s: two values\n", "12", "two values"},
		{"    a.go:7: seed 12: agreement: two values\n    a.go:7: seed 13: more\n", "12", "agreement: two values"},
		{"--- FAIL: TestSeeds (1s)\n    a.go:5: in 1s: 12 runs\n    --- FAIL: TestSeeds/seed=12 (0.00s)\n        a.go:7: two values\n", "12", "two values"},
		{"panic: broken\n\ngoroutine 1\n", "", "panic: broken"},
		{"--- FAIL: TestA (1s)\n    a_test.go:7: got 1, want 2\n", "", "got 1, want 2"},
		{"--- FAIL: TestA\n", "", "TestA"},
		{"what?\n", "", "what?"},
		{"", "", "nothing"},
	} {
		if seed, by := complaint(c.output); seed != c.seed || by != c.by {
			t.Errorf("of %q: seed %q, %q", c.output, seed, by)
		}
	}
}
