package tidy

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
)

// Limits of size. Longer means a missing name.
const (
	mostFunction   = 60
	mostFile       = 400
	mostTestFile   = 600
	mostParameters = 5
)

func codeRules() []rule {
	return []rule{
		{claim: "functions are short", check: functionsAreShort, bad: []sample{
			{"log/a.go", "package log\n\nfunc f() {" + strings.Repeat("\n", mostFunction) + "}\n"},
			{"log/b.go", "package log\n\nvar f = func() {" + strings.Repeat("\n", mostFunction) + "}\n"},
		}, good: []sample{{"log/a.go", "package log\n\nfunc f() {" + strings.Repeat("\n", mostFunction-1) + "}\n"}}},
		{claim: "files are short", check: filesAreShort, bad: []sample{
			{"log/a.go", "package log\n" + strings.Repeat("\n", mostFile)},
			{"log/a_test.go", "package log\n" + strings.Repeat("\n", mostTestFile)},
		}, good: []sample{{"log/a_test.go", "package log\n" + strings.Repeat("\n", mostFile)}}},
		{claim: "parameters are few", check: parametersAreFew, bad: []sample{
			{"log/a.go", "package log\n\nfunc f(a, b, c, d, e int, f string)\n"},
			{"log/b.go", "package log\n\ntype t interface{ f(int, int, int, int, int, int) }\n"},
		}, good: []sample{{"log/a.go", "package log\n\nfunc f(a, b, c, d, e int, _ string)\n"}}},
		{claim: "nothing happens before main", check: noInit, bad: []sample{
			{"log/a.go", "package log\n\nfunc init() {}\n"},
		}, good: []sample{{"log/a.go", "package log\n\ntype t int\n\nfunc (t) init() {}\n"}}},
		{claim: "packages hold no state", check: noGlobalState, bad: []sample{
			{"log/a.go", "package log\n\nvar n int\n"},
			{"log/a.go", "package log\n\nvar m = map[int]int{}\n\nfunc f() { m[1]++ }\n"},
			{"log/a.go", "package log\n\nvar s = struct{ n int }{1}\n\nfunc f() { s.n, _ = 2, 3 }\n"},
		}, good: []sample{
			{"log/a.go", "package log\n\nvar n = 1\n\nfunc f() { n := 2; n++ }\n\nvar _ error = nil\n"},
			{"log/a.go", "package log\n\nimport _ \"embed\"\n\n//go:embed a.txt\nvar text string\n"},
		}},
		{claim: "work that is left is not written into comments", check: nothingLeft, bad: []sample{
			{"log/a.go", "package log\n\n// TO" + "DO: later\n"},
			{"messages/log.proto", "// FIX" + "ME\n"},
		}, good: []sample{{"log/a.go", "package log\n\n// The word is mastodon.\nconst a = \"TO" + "DO\"\n"}}},
		{claim: "every package says what it is", check: packagesAreExplained, bad: []sample{
			{"log/a.go", "package log\n"},
			{"tests/a/a_test.go", "package a_test\n"},
		}, good: []sample{{"log/a.go", "// Package log is.\npackage log\n"}}},
		{claim: "zerolog is the only logger", check: oneLogger, bad: []sample{
			{"cluster/a.go", importing("cluster", "log")},
			{"cluster/a_test.go", importing("cluster", "log")},
			{"actors/replica/a.go", importing("replica", "log/slog")},
		}, good: []sample{{"cluster/a.go", importing("cluster", "log/slog")}}},
		{claim: "tests do not sleep", check: testsDoNotSleep, bad: []sample{
			{"log/a_test.go", timed("log", "time.Sleep(1)")},
			{"tests/scenario/a.go", timed("scenario", "time.Sleep(1)")},
		}, good: []sample{{"tests/process/a_test.go", timed("process", "time.Sleep(1)")}}},
		{claim: "actors see no clock but timer", check: actorsSeeNoClock, bad: []sample{
			{"actors/replica/a.go", timed("replica", "time.Now()")},
			{"actors/replica/a.go", "package replica\n\nimport clock \"time\"\n\nfunc f() { clock.AfterFunc(1, nil) }\n"},
		}, good: []sample{
			{"actors/timer/a.go", timed("timer", "time.Now()")},
			{"actors/replica/a.go", timed("replica", "_ = time.Second")},
		}},
		{claim: "rules and actors start no goroutine", check: noGoroutine, bad: []sample{
			{"actors/replica/a.go", "package replica\n\nfunc f() { go f() }\n"},
			{"log/paxos/a.go", "package paxos\n\nfunc f() { go f() }\n"},
		}, good: []sample{
			{"actors/actortest/a.go", "package actortest\n\nfunc f() { go f() }\n"},
			{"cluster/a.go", "package cluster\n\nfunc f() { go f() }\n"},
		}},
	}
}

func timed(name, statement string) string {
	return "package " + name + "\n\nimport \"time\"\n\nfunc f() { " + statement + " }\n"
}

func functionsAreShort(t tree) (faults []string) {
	for _, f := range t.goFiles() {
		ast.Inspect(f.code, func(n ast.Node) bool {
			name := "a function literal"
			switch fn := n.(type) {
			case *ast.FuncDecl:
				name = fn.Name.Name
			case *ast.FuncLit:
			default:
				return true
			}
			if lines := f.line(n.End()) - f.line(n.Pos()) + 1; lines > mostFunction {
				faults = append(faults, f.fault(n.Pos(), "%s has %d lines, at most %d: a name is missing in it",
					name, lines, mostFunction))
			}
			return true
		})
	}
	return faults
}

func filesAreShort(t tree) (faults []string) {
	for _, f := range t.goFiles() {
		most := mostFile
		if f.isTest() {
			most = mostTestFile
		}
		if f.lines() > most {
			faults = append(faults, f.fault(f.code.Package, "the file has %d lines, at most %d: split it by what it is about",
				f.lines(), most))
		}
	}
	return faults
}

func parametersAreFew(t tree) (faults []string) {
	for _, f := range t.goFiles() {
		ast.Inspect(f.code, func(n ast.Node) bool {
			if fn, ok := n.(*ast.FuncType); ok && parameters(fn) > mostParameters {
				faults = append(faults, f.fault(n.Pos(), "%d parameters, at most %d: some of them are one thing with a name",
					parameters(fn), mostParameters))
			}
			return true
		})
	}
	return faults
}

// parameters counts what a function is handed. What it calls _ is there for an interface of somebody else.
func parameters(fn *ast.FuncType) int {
	n := fn.Params.NumFields()
	for _, field := range fn.Params.List {
		for _, name := range field.Names {
			if name.Name == "_" {
				n--
			}
		}
	}
	return n
}

func noInit(t tree) (faults []string) {
	for _, f := range t.goFiles() {
		for _, d := range f.code.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				faults = append(faults, f.fault(fn.Pos(), "init runs unasked; call a function from where it is needed"))
			}
		}
	}
	return faults
}

// noGlobalState finds package variables that change: those without a value, and those that the same file assigns to.
func noGlobalState(t tree) (faults []string) {
	const remedy = "two nodes of one process would share it; put it into a type"
	for _, f := range t.goFiles() {
		if f.isTest() {
			continue
		}
		for _, spec := range f.variables() {
			if len(spec.Values) == 0 {
				faults = append(faults, f.fault(spec.Pos(), "the package variable %s is state; %s", spec.Names[0].Name, remedy))
			}
		}
		for _, name := range f.assigned() {
			if spec, ok := declaration(name).(*ast.ValueSpec); ok && slices.Contains(f.variables(), spec) {
				faults = append(faults, f.fault(name.Pos(), "the package variable %s changes; %s", name.Name, remedy))
			}
		}
	}
	return faults
}

func nothingLeft(t tree) (faults []string) {
	left := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|X` + `XX)\b`)
	const remedy = "do it, or open an issue and drop the note"
	for _, f := range t.goFiles() {
		for _, group := range f.code.Comments {
			for _, c := range group.List {
				if word := left.FindString(c.Text); word != "" {
					faults = append(faults, f.fault(c.Pos(), "%s in a comment; %s", word, remedy))
				}
			}
		}
	}
	for _, f := range t {
		if word := left.FindString(f.text); word != "" && strings.HasSuffix(f.path, ".proto") {
			faults = append(faults, f.path+": "+word+" in the schema; "+remedy)
		}
	}
	return faults
}

func packagesAreExplained(t tree) (faults []string) {
	explained := map[string]bool{}
	for _, f := range t.goFiles() {
		explained[f.dir()] = explained[f.dir()] || f.code.Doc != nil
	}
	for _, f := range t.goFiles() {
		if !explained[f.dir()] {
			faults = append(faults, f.fault(f.code.Package, "package %s has no comment; say in one file what it is for",
				f.code.Name.Name))
			explained[f.dir()] = true // once is enough
		}
	}
	return faults
}

func oneLogger(t tree) (faults []string) {
	for _, f := range t.goFiles() {
		forProtoactor := f.isTest() || under(f.dir(), "cluster", "actors/actortest")
		for _, i := range f.imports() {
			if i.path == "log" || i.path == "log/slog" && !forProtoactor {
				faults = append(faults, f.fault(i.at,
					"%q is not our logger; use zerolog (log/slog only where protoactor asks for it)", i.path))
			}
		}
	}
	return faults
}

func testsDoNotSleep(t tree) (faults []string) {
	for _, f := range t.goFiles() {
		if !f.isTest() || under(f.dir(), "tests/process") {
			continue
		}
		for _, use := range f.uses("time", "Sleep") {
			faults = append(faults, f.fault(use.Pos(), "a test that sleeps is slow and wrong by turns; wait for the event"))
		}
	}
	return faults
}

func actorsSeeNoClock(t tree) (faults []string) {
	for _, f := range t.goFiles() {
		if f.isTest() || !under(f.dir(), "actors") || under(f.dir(), "actors/timer") {
			continue
		}
		clock := f.uses("time", "Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker")
		for _, use := range clock {
			faults = append(faults, f.fault(use.Pos(), "time.%s in an actor; use the timer.Clock that it was given",
				use.Sel.Name))
		}
	}
	return faults
}

func noGoroutine(t tree) (faults []string) {
	for _, f := range t.goFiles() {
		quiet := under(f.dir(), pure()[1:]...) || under(f.dir(), "log/codec", "actors") || f.dir() == "log"
		if f.isTest() || !quiet || under(f.dir(), "actors/timer", "actors/actortest") {
			continue
		}
		ast.Inspect(f.code, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				faults = append(faults, f.fault(g.Pos(), "a goroutine here is seen by no test; send a message, or spawn an actor"))
			}
			return true
		})
	}
	return faults
}
