// Package mutants tests the tests: it puts known bugs into the product, one at a time, and counts who notices.
//
// A mutant is a small replacement of text in one or two files (rules.go, shell.go). No checkout is touched: the
// changed files lie in a temporary directory, and the compiler is told to read them instead (go build -overlay). The
// mutated code is built into the test binaries of its judges, which are the simulation, whose seeds run until one fails,
// and the suites that look closer at what the mutant breaks.
//
// A fast test, part of every run of all tests, checks that each mutant can still be made: its old text is in its file
// exactly once, and the package compiles with the new one. The score itself is a matter of minutes:
//
//	make mutants               # all of them; fails if one survives
//	make mutants MUTANT=M8     # one, or some: M8,M10
//	make mutants SEEDS=10000   # seeds of the simulation for each, instead of 2,000
//
// README.md has the table of the last run, and what each number stands for.
package mutants

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Mutant is one bug.
type Mutant struct {
	Name   string // M1 to M20 are those of the list that the project began with
	Bug    string // what the code does wrong
	Edits  []Edit
	Judges []Judge
}

// Edit is one replacement in one file.
type Edit struct {
	File     string // from the root of the repository, with slashes
	Old, New string // Old is in the file exactly once
}

// Judge is a suite of tests that should notice.
type Judge struct {
	Name    string
	Package string // its directory, from the root of the repository
	Run     string // which of its tests, as -test.run
	Seeds   bool   // it takes the flag -seeds
	Story   string // of the simulation, which is all that its seeds are about; empty for what each seed chooses
}

// simulation is the judge of every mutant that a cluster under faults can show.
func simulation() Judge {
	return Judge{Name: "simulation", Package: "tests/simulation", Run: "^TestSeeds$", Seeds: true}
}

// suite is a judge that looks at one thing.
func suite(name, pkg, run string) Judge { return Judge{Name: name, Package: pkg, Run: run} }

// apply returns the text of the file with the edit made.
func (e Edit) apply(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(e.File)))
	if err != nil {
		return "", fmt.Errorf("read what is to be mutated: %w", err)
	}
	return e.in(string(text))
}

func (e Edit) in(text string) (string, error) {
	if n := strings.Count(text, e.Old); n != 1 {
		return "", fmt.Errorf("%s has the text %d times that is to be replaced, not once:\n%s", e.File, n, e.Old)
	}
	return strings.Replace(text, e.Old, e.New, 1), nil
}

// Texts returns the mutated files by their paths from the root.
func (m Mutant) Texts(root string) (map[string]string, error) {
	texts := map[string]string{}
	for _, e := range m.Edits {
		text, changed := texts[e.File]
		var err error
		if changed {
			text, err = e.in(text)
		} else {
			text, err = e.apply(root)
		}
		if err != nil {
			return nil, fmt.Errorf("mutant %s: %w", m.Name, err)
		}
		texts[e.File] = text
	}
	return texts, nil
}

// Overlay writes the mutated files, and what tells the compiler of them, below dir, and returns the path of the latter.
func (m Mutant) Overlay(root, dir string) (string, error) {
	texts, err := m.Texts(root)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for file, text := range texts {
		mutated := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(mutated, []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("write the mutated file: %w", err)
		}
		replace[filepath.Join(root, filepath.FromSlash(file))] = mutated
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", fmt.Errorf("write the overlay: %w", err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}
