package main

import (
	"bufio"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
)

const module = "github.com/quorumlog/quorumlog/"

// branch is a run of statements without a way out in between.
type branch struct {
	file     string // below the module
	line     int
	function string
	text     string // its first line
	reached  bool
}

// place is a file and a function, as the reports name them.
func (b branch) place() string { return b.file + " " + b.function }

// spot is what a line of a profile points at.
type spot struct{ line, column, endLine, endColumn int }

// read reads a profile, and the source files that it names.
func read(profile string, open func(name string) ([]byte, error)) ([]branch, error) {
	reached := map[string]map[spot]bool{} // of each file
	lines := bufio.NewScanner(strings.NewReader(profile))
	for lines.Scan() {
		name, rest, found := strings.Cut(strings.TrimPrefix(lines.Text(), module), ":")
		var s spot
		var statements, count int
		if !found || name == "mode" {
			continue
		}
		if _, err := fmt.Sscanf(rest, "%d.%d,%d.%d %d %d", &s.line, &s.column, &s.endLine, &s.endColumn, &statements, &count); err != nil {
			return nil, fmt.Errorf("read %q: %w", lines.Text(), err)
		}
		if statements == 0 {
			continue
		}
		if reached[name] == nil {
			reached[name] = map[spot]bool{}
		}
		reached[name][s] = reached[name][s] || count > 0
	}
	var all []branch
	for _, name := range slices.Sorted(maps.Keys(reached)) {
		source, err := open(name)
		if err != nil {
			return nil, fmt.Errorf("read the source: %w", err)
		}
		found, err := inFile(name, source, reached[name])
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, lines.Err()
}

// inFile finds the functions and the first lines of the branches of one file.
func inFile(name string, source []byte, spots map[spot]bool) ([]branch, error) {
	set := token.NewFileSet()
	code, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse the source: %w", err)
	}
	lines := strings.Split(string(source), "\n")
	var all []branch
	for s, reached := range spots {
		b := branch{file: name, line: s.line, reached: reached}
		b.text = strings.TrimSpace(lines[s.line-1][min(s.column-1, len(lines[s.line-1])):])
		if strings.HasPrefix(b.text, "{") {
			b.text = strings.TrimSpace(b.text[1:])
		}
		for b.text == "" && b.line < s.endLine {
			b.line++
			b.text = strings.TrimSpace(lines[b.line-1])
		}
		b.function = enclosing(set, code, s.line)
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b branch) int { return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.text, b.text)) })
	return all, nil
}

// enclosing names the function around a line, with its receiver's type.
func enclosing(set *token.FileSet, code *ast.File, line int) string {
	for _, d := range code.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || line < set.Position(f.Pos()).Line || line > set.Position(f.End()).Line {
			continue
		}
		if f.Recv == nil {
			return f.Name.Name
		}
		of := f.Recv.List[0].Type
		if star, ok := of.(*ast.StarExpr); ok {
			of = star.X
		}
		if id, ok := of.(*ast.Ident); ok {
			return id.Name + "." + f.Name.Name
		}
		return f.Name.Name
	}
	return "(no function)"
}

// exception is a branch that need not be reached, or all of a function, or of a file.
type exception struct {
	place, text string // text is empty for all
	why         string
	used        bool
}

// parse reads exceptions: lines that begin with # say why those below them need not be reached; the others are
// "file", "file function", or "file function | first line of the branch".
func parse(text string) ([]*exception, error) {
	var all []*exception
	why, reason := "", false
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "#"):
			if !reason {
				why = ""
			}
			why = strings.TrimSpace(why + " " + strings.TrimSpace(line[1:]))
		case why == "":
			return nil, fmt.Errorf("line %d of the exceptions: nothing says why", n+1)
		default:
			place, first, _ := strings.Cut(line, " | ")
			all = append(all, &exception{place: place, text: first, why: why})
		}
		reason = strings.HasPrefix(line, "#")
	}
	return all, nil
}

func (e *exception) covers(b branch) bool {
	return e.place == b.file && e.text == "" || e.place == b.place() && (e.text == "" || e.text == b.text)
}

// judge says what was reached, and counts what was not and is no exception, and exceptions that are not in the code.
func judge(branches []branch, except []*exception) (text string, missed int) {
	var out strings.Builder
	whole, total, reached, excused := 0, 0, 0, 0
	var unmet []branch
	for i, b := range branches {
		total++
		excuse := slices.IndexFunc(except, func(e *exception) bool { return e.covers(b) })
		if excuse >= 0 {
			except[excuse].used = true
		}
		switch {
		case b.reached:
			reached++
		case excuse >= 0:
			excused++
		default:
			unmet = append(unmet, b)
		}
		if last := i == len(branches)-1; last || branches[i+1].place() != b.place() {
			if of, met := count(branches, b); of == met {
				whole++
			} else {
				fmt.Fprintf(&out, "%3d/%-3d %s\n", met, of, b.place())
			}
		}
	}
	fmt.Fprintf(&out, "%d more functions have every branch reached\n", whole)
	fmt.Fprintf(&out, "%d branches, %d reached, %d excused, %d missed\n", total, reached, excused, len(unmet))
	for _, b := range unmet {
		fmt.Fprintf(&out, "missed: %s:%d: %s: %s\n", b.file, b.line, b.function, b.text)
		missed++
	}
	for _, e := range except {
		if !e.used {
			fmt.Fprintf(&out, "no such branch: %s | %s\n", e.place, e.text)
			missed++
		}
	}
	if missed > 0 {
		out.WriteString("have a story of tests/simulation reach it, or say in tests/simulation/coverage/exceptions.txt why it need not\n")
	}
	return out.String(), missed
}

// count counts the branches of one function, and those that were reached.
func count(branches []branch, of branch) (all, reached int) {
	for _, b := range branches {
		if b.place() == of.place() {
			all++
			if b.reached {
				reached++
			}
		}
	}
	return all, reached
}
