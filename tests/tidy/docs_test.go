package tidy

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
)

// docRules are about what people read beside the code. That there is a docstring at all, at what is declared at the top of a file,
// is revive's to say (.golangci.yml); what it begins with, and what stands inside of types, is said here.
func docRules() []rule {
	return []rule{
		{claim: "a docstring begins with the name", check: docsNameTheirs, bad: []sample{
			{"log/a.go", "package log\n\n// Does it.\nfunc F() {}\n"},
			{"log/a.go", "package log\n\n// Old is.\ntype New int\n"},
			{"log/a.go", "package log\n\ntype T int\n\n// This is.\nfunc (*T) M() {}\n"},
			{"log/a.go", "package log\n\ntype (\n\t// Old is.\n\tNew int\n)\n"},
			{"log/a.go", "package log\n\n// All.\nconst (\n\t// Old is.\n\tNew = 1\n)\n"},
			{"log/a.go", "package log\n\n// Old is.\nconst New = 1\n"},
		}, good: []sample{
			{"log/a.go", "package log\n\n// F does it.\nfunc F() {}\n\n// E: it is.\nvar E = 1\n"},
			{"log/a.go", "package log\n\n// The sizes.\nconst (\n\t// A, of all.\n\tA = 1\n\tB = 2 // of some\n)\n"},
			{"log/a.go", "package log\n\n// of nobody's concern\nfunc f() {}\n\ntype t int\n\n// the same\nfunc (t) M() {}\n"},
		}},
		{claim: "each constant, field and method of an interface says what it is", check: partsAreExplained, bad: []sample{
			{"log/a.go", "package log\n\n// The sizes.\nconst (\n\tA = 1\n)\n"},
			{"log/a.go", "package log\n\n// T is.\ntype T struct {\n\tA uint64\n\tB int // of it\n}\n"},
			{"log/a.go", "package log\n\n// T is.\ntype T struct {\n\tA, B func()\n}\n"},
			{"log/a.go", "package log\n\n// T is.\ntype T struct {\n\tA []string\n\tB map[int]T\n}\n"},
			{"log/a.go", "package log\n\n// T is.\ntype T interface{ A() }\n"},
			{"log/a.go", "package log\n\n// T is at an end.\ntype T struct {\n\tAt  int64\n\tEnd int64\n}\n"},
		}, good: []sample{
			{"log/a.go", "package log\n\n// The sizes. A is that of all.\nconst (\n\tA = 1\n\tB = 2 // of some\n\tc = 3\n)\n"},
			{"log/a.go", "package log\n\n// T is an A and a B.\ntype T struct {\n\tA uint64\n\tB int\n\tc int\n}\n"},
			{"log/a.go", "package log\n\n// T is.\ntype T struct {\n\tRange Range\n\tProposals []Proposal\n}\n"},
			{"log/a.go", "package log\n\n// T is how old it is.\ntype T struct{ Age uint64 }\n"},
			{"cmd/quorumlog/a.go", "package main\n\ntype T interface{ A() }\n"},
		}},
	}
}

// explained are the files whose names other packages read in the documentation.
func (t tree) explained() []file {
	return slices.DeleteFunc(t.goFiles(), func(f file) bool { return f.isTest() || f.room() == "cmd" })
}

// text is something with a name, and what is written of it.
type text struct {
	name *ast.Ident
	doc  string // above it
	side string // beside it
	// group is what is written above it and others, or of what it is a part of.
	group string
}

func docsNameTheirs(t tree) (faults []string) {
	for _, f := range t.explained() {
		for _, n := range append(f.functions(), f.declared()...) {
			first, _, _ := strings.Cut(strings.TrimSpace(n.doc), " ")
			if n.doc != "" && strings.TrimRight(first, ":,.") != n.name.Name {
				faults = append(faults, f.fault(n.name.Pos(), "the docstring of %s begins with %q; begin with the name", n.name.Name, first))
			}
		}
	}
	return faults
}

func partsAreExplained(t tree) (faults []string) {
	for _, f := range t.explained() {
		for _, n := range append(f.declared(), f.parts()...) {
			if n.doc == "" && n.side == "" && !mentions(n.group, n.name.Name) {
				faults = append(faults, f.fault(n.name.Pos(), "nothing says what %s is; say it: its unit, what 0 means", n.name.Name))
			}
		}
	}
	return faults
}

// mentions says whether a text speaks of a name, written as it is in the code: "at" is a word of many sentences.
func mentions(text, word string) bool {
	return regexp.MustCompile(`\b` + word + `\b`).MatchString(text)
}

// functions are the exported functions, and methods of exported types, of a file.
func (f file) functions() []text {
	var found []text
	for _, d := range f.code.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || !fn.Name.IsExported() {
			continue
		}
		if fn.Recv != nil {
			if of := receiver(fn.Recv.List[0].Type); of != nil && !of.IsExported() {
				continue
			}
		}
		found = append(found, text{name: fn.Name, doc: fn.Doc.Text()})
	}
	return found
}

// receiver is the name of a method's type; nil where it is none of ours.
func receiver(e ast.Expr) *ast.Ident {
	switch e := e.(type) {
	case *ast.Ident:
		return e
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	}
	return nil
}

// declared are the exported types, constants and variables of a file.
func (f file) declared() []text {
	var found []text
	for _, d := range f.code.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range group.Specs {
			for _, n := range named(s) {
				if n.group = group.Doc.Text(); !group.Lparen.IsValid() {
					n.doc = n.group
				}
				if n.name.IsExported() {
					found = append(found, n)
				}
			}
		}
	}
	return found
}

func named(s ast.Spec) []text {
	switch s := s.(type) {
	case *ast.TypeSpec:
		return []text{{name: s.Name, doc: s.Doc.Text(), side: s.Comment.Text()}}
	case *ast.ValueSpec:
		var found []text
		for _, name := range s.Names {
			found = append(found, text{name: name, doc: s.Doc.Text(), side: s.Comment.Text()})
		}
		return found
	}
	return nil
}

// parts are the fields and methods inside of the exported types of a file that their types say nothing of.
func (f file) parts() []text {
	var found []text
	for _, d := range f.code.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.TYPE {
			continue
		}
		for _, s := range group.Specs {
			if s := s.(*ast.TypeSpec); s.Name.IsExported() {
				found = append(found, partsOf(s, group.Doc.Text()+s.Doc.Text())...)
			}
		}
	}
	return found
}

// partsOf leaves out a field that is all of its type, as its text is the type's, and one whose own type has a docstring.
func partsOf(s *ast.TypeSpec, doc string) (found []text) {
	var fields []*ast.Field
	switch of := s.Type.(type) {
	case *ast.StructType:
		if of.Fields.NumFields() > 1 {
			fields = slices.DeleteFunc(slices.Clone(of.Fields.List), func(f *ast.Field) bool { return !isPlain(f.Type) })
		}
	case *ast.InterfaceType:
		fields = of.Methods.List
	}
	for _, field := range fields {
		for _, name := range field.Names {
			if name.IsExported() {
				found = append(found, text{name: name, doc: field.Doc.Text(), side: field.Comment.Text(), group: doc})
			}
		}
	}
	return found
}

// isPlain says whether a type says nothing of what it is for: a number, a text, a time, a function.
func isPlain(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return types.Universe.Lookup(e.Name) != nil
	case *ast.ArrayType:
		return isPlain(e.Elt)
	case *ast.StarExpr:
		return isPlain(e.X)
	case *ast.SelectorExpr:
		of, ok := e.X.(*ast.Ident)
		return ok && of.Name == "time"
	}
	return true
}
