package mutants

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Verdict is what one judge says of one mutant.
type Verdict struct {
	Judge  Judge
	Caught bool
	Seed   string // the first that failed; empty where the judge has none
	By     string // the first thing that was said against the mutant
	Took   time.Duration
}

// trial is how mutants are tried.
type trial struct {
	root  string
	seeds uint64
	limit time.Duration // for one judge
}

// build compiles a judge's test binary; with the mutant in it, unless that is nil.
func (t trial) build(m *Mutant, j Judge, dir string) (string, error) {
	binary := filepath.Join(dir, path.Base(j.Package)+".test")
	args := []string{"test", "-c", "-o", binary}
	if m != nil {
		overlay, err := m.Overlay(t.root, dir)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	build := exec.Command("go", append(args, "./"+j.Package)...)
	build.Dir = t.root
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", j.Package, err, output)
	}
	return binary, nil
}

// hear runs a judge until it says no, or to its end.
func (t trial) hear(binary string, j Judge, flags ...string) (Verdict, error) {
	ctx, cancel := context.WithTimeout(context.Background(), t.limit)
	defer cancel()
	args := append([]string{"-test.run=" + j.Run, "-test.failfast", "-test.timeout=0"}, flags...)
	run := exec.CommandContext(ctx, binary, args...)
	run.Dir = filepath.Join(t.root, filepath.FromSlash(j.Package))
	run.WaitDelay = time.Second
	began := time.Now()
	output, err := run.CombinedOutput()
	v := Verdict{Judge: j, Took: time.Since(began)}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		v.Caught, v.By = true, fmt.Sprintf("it does not end within %v", t.limit)
	case errors.As(err, &exit):
		v.Caught = true
		v.Seed, v.By = complaint(string(output))
	case err != nil:
		return v, fmt.Errorf("run %s: %w", binary, err)
	}
	return v, nil
}

// try has one judge look at one mutant. A seed that fails without the mutant, too, is an error: it says nothing.
func (t trial) try(m Mutant, j Judge) (Verdict, error) {
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return Verdict{}, fmt.Errorf("make a directory for the mutant: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // what stays behind is in the temporary directory
	binary, err := t.build(&m, j, dir)
	if err != nil {
		return Verdict{}, err
	}
	flags := j.flags()
	if j.Seeds {
		flags = append(flags, fmt.Sprintf("-seeds=%d", t.seeds))
	}
	return t.hear(binary, j, flags...)
}

// flags are what the judge is always told.
func (j Judge) flags() []string {
	if j.Story == "" {
		return nil
	}
	return []string{"-story=" + j.Story}
}

// innocent says whether a judge has nothing to say against the product as it is; of a judge with seeds, for the one that
// failed, or for all where nobody knows which one that was.
func (t trial) innocent(binary string, j Judge, seed string) (bool, error) {
	flags := j.flags()
	switch {
	case j.Seeds && seed != "":
		j.Run = "^TestSeed$"
		flags = append(flags, "-seed="+seed)
	case j.Seeds:
		flags = append(flags, fmt.Sprintf("-seeds=%d", t.seeds))
	}
	v, err := t.hear(binary, j, flags...)
	return !v.Caught, err
}

// complaint finds what a test that failed said first, and of which seed.
func complaint(output string) (seed, by string) {
	for _, said := range []string{
		`TestSeeds/seed=(\d+) .*\n.*\.go:\d+: (.*)`, // the simulation's own words
		`seed (\d+)(?:, after [^:]*)?: (.*)`,        // what it says of one seed alone
		`()(panic: .*)`,                             // what ended the binary
		`()\w+\.go:\d+:\s+(\S.*)`,                   // those of any test
		`()--- FAIL: (\S+)`,                         // its name
		`()(\S.*)`,                                  // anything
	} {
		if found := regexp.MustCompile(said).FindStringSubmatch(output); found != nil {
			return found[1], strings.TrimSpace(found[2])
		}
	}
	return "", "nothing"
}
