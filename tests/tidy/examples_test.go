package tidy

import (
	"go/ast"
	"go/doc"
	"maps"
	"slices"
	"strings"
)

// silent lists the packages whose example prints nothing, and why. It compiles, and that is all that is known of it.
func silent() map[string]string {
	const test, server = "what it does wants a *testing.T, which no example has", "it needs a server that is not ours"
	return map[string]string{
		"cluster/discovery/consul":        server,
		"cluster/discovery/discoverytest": test,
		"cluster/discovery/etcd":          server,
		"cluster/discovery/kubernetes":    server,
		"cluster/discovery/zookeeper":     server,
		"log/storage/storagetest":         test,
	}
}

func exampleRules() []rule {
	const code = "// Package log is.\npackage log\n\n// F does.\nfunc F() {}\n-- log/example_test.go --\n"
	const body = "package log_test\n\nimport \"fmt\"\n\nfunc Example() {\n\tfmt.Println(1)\n"
	return []rule{
		{claim: "every package has an example whose output is checked", check: packagesAreShown, bad: []sample{
			{"log/a.go", "package log\n\nfunc F() {}\n"},
			{"log/a.go", code + body + "}\n"},
			{"log/a.go", code + "package log\n\nfunc Example() {\n\t// Output:\n}\n"},
			{"messages/doc.go", "package messages\n-- messages/a.pb.go --\n// Code generated. DO NOT EDIT.\n"},
			{"log/storage/storagetest/a.go", "package storagetest\n\nfunc F() {}\n"},
			{"log/storage/storagetest/a.go", "package storagetest\n\nfunc F() {}\n-- log/storage/storagetest/example_test.go --\n" +
				"package storagetest_test\n\nfunc Example() {\n\t// Output:\n}\n"},
		}, good: []sample{
			{"log/a.go", code + body + "\t// Output: 1\n}\n"},
			{"log/a.go", code + "package log_test\n\nfunc ExampleF() {\n\t// Output:\n}\n"},
			{"actors/doc.go", "package actors\n"},
			{"cmd/quorumlog/a.go", "package main\n\nfunc F() {}\n"},
			{"tests/kit/a.go", "package kit\n\nfunc F() {}\n"},
			{"log/a_test.go", "package log\n\nfunc F() {}\n"},
		}},
	}
}

// packagesAreShown looks at all packages that others import.
func packagesAreShown(t tree) (faults []string) {
	shown := t.shown()
	excused := silent()
	for _, dir := range slices.Sorted(maps.Keys(t.importable())) {
		why, isExcused := excused[dir]
		examples, found := shown[dir]
		switch {
		case !found:
			faults = append(faults, dir+": no example; show in example_test.go, in a package of its own, what the package is for")
		case isExcused && examples:
			faults = append(faults, dir+": its example has an Output, so tests/tidy need not excuse that it has none: "+why)
		case !isExcused && !examples:
			faults = append(faults, dir+": no example has an Output; without one nobody knows whether it is true")
		}
	}
	return faults
}

// importable are the directories of the packages that say anything to others.
func (t tree) importable() map[string]bool {
	found := map[string]bool{}
	for _, f := range t {
		if f.isTest() || f.room() == "cmd" {
			continue
		}
		if f.isGenerated() || f.code != nil && slices.ContainsFunc(f.code.Decls, exports) {
			found[f.dir()] = true
		}
	}
	return found
}

// exports says whether a declaration has a name that other packages can use.
func exports(d ast.Decl) bool {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Recv == nil && d.Name.IsExported()
	case *ast.GenDecl:
		return slices.ContainsFunc(d.Specs, func(s ast.Spec) bool {
			switch s := s.(type) {
			case *ast.TypeSpec:
				return s.Name.IsExported()
			case *ast.ValueSpec:
				return slices.ContainsFunc(s.Names, (*ast.Ident).IsExported)
			}
			return false
		})
	}
	return false
}

// shown are the directories that have an example of the package as others see it, and whether one of them has an output.
func (t tree) shown() map[string]bool {
	found := map[string]bool{}
	for _, f := range t.goFiles() {
		if f.room() == "tests" || !strings.HasSuffix(f.path, "_test.go") || !strings.HasSuffix(f.code.Name.Name, "_test") {
			continue
		}
		for _, e := range doc.Examples(f.code) {
			found[f.dir()] = found[f.dir()] || e.Output != "" || e.EmptyOutput
		}
	}
	return found
}
