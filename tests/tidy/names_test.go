package tidy

import (
	"go/ast"
	"path"
	"regexp"
	"strings"
)

// nameRules are about what is said of other places: it has to be there.
func nameRules() []rule {
	return []rule{
		{claim: "a comment names no file that is gone", check: namedFilesExist, bad: []sample{
			{"log/a.go", "// Package log is; see gone.go.\npackage log\n"},
			{"log/a.go", "package log\n\n// See docs/gone.md.\nconst a = 1\n"},
		}, good: []sample{
			{"log/a.go", "// Package log is; see a.go, and log/a.go, and b.go of log/x.\npackage log\n-- log/x/b.go --\npackage x\n"},
		}},
		{claim: "nothing is named that is gone from its package", check: namedThingsExist, bad: []sample{
			{"log/a.go", "package log\n\nconst A = 1\n\n// See log.B.\nconst C = 1\n"},
			{"log/a.go", "package log\n-- docs/a.md --\nAn entry is a `log.Gone`.\n"},
			{"messages/a.pb.go", "package messages\n\ntype Hello struct{}\n-- log/a.go --\n// Package log reads a messages.Gone.\npackage log\n"},
			{"log/a.go", "package log\n-- messages/doc.go --\n// Package messages (see log.Gone).\npackage messages\n"},
		}, good: []sample{
			{"log/a.go", "package log\n\nconst A = 1\n\n// See log.A, log.B, log.C, x.log.D, log.lower and stdlog.E.\ntype B struct{}\n\nfunc (B) C() {}\n"},
			{"messages/a.pb.go", "package messages\n\ntype Hello struct{}\n-- log/a.go --\n// Package log reads a messages.Hello.\npackage log\n"},
			{"log/a.go", "package log\n-- docs/a.md --\n```go\nlog.Gone()\n```\n"},
			{"tests/page/a.go", "package page\n-- docs/a.md --\nThen page.Turn turns it.\n"},
			{"log/a.go", "package log\n\nimport \"example.org/log\"\n\n// It is a log.Foreign.\nvar a = log.Foreign{}\n"},
		}},
	}
}

// namedFilesExist holds the names of files in comments against those beside it, and from the root.
func namedFilesExist(t tree) (faults []string) {
	name := regexp.MustCompile(`[\w./-]*\w\.(go|md)\b`)
	there := map[string]bool{}
	for _, f := range t {
		there[f.path], there[path.Base(f.path)] = true, true
	}
	for _, f := range t.goFiles() {
		for _, group := range f.code.Comments {
			for _, found := range name.FindAllString(group.Text(), -1) {
				if !there[found] && !there[path.Join(f.dir(), found)] {
					faults = append(faults, f.fault(group.Pos(), "there is no %s; name what is, or nothing", found))
				}
			}
		}
	}
	return faults
}

// namedThingsExist looks for what is written as package.Name, in the comments of programs and in papers.
func namedThingsExist(t tree) (faults []string) {
	name := regexp.MustCompile(`(?:^|[^\w./])([a-z]+)\.([A-Z]\w*)`)
	declared := t.declared()
	for _, f := range t {
		for _, said := range f.said() {
			for _, m := range name.FindAllStringSubmatch(said, -1) {
				if there, ours := declared[m[1]]; ours && !there[m[2]] && !f.isForeign(m[1]) {
					faults = append(faults, f.path+": there is no "+m[1]+"."+m[2]+"; name what is, or nothing")
				}
			}
		}
	}
	return faults
}

// said is what a file says to people: a paper, but for the programs in it, whose variables may have the name of a package, and the
// comments of a program.
func (f file) said() []string {
	if path.Ext(f.path) == ".md" {
		return []string{regexp.MustCompile("(?s)```.*?```").ReplaceAllString(f.text, "")}
	}
	if f.code == nil {
		return nil
	}
	var all []string
	for _, group := range f.code.Comments {
		all = append(all, group.Text())
	}
	return all
}

// isForeign says whether the file means a package of somebody else by a name.
func (f file) isForeign(name string) bool {
	if f.code == nil {
		return false
	}
	for _, i := range f.imports() {
		if path.Base(i.path) == name && !strings.HasPrefix(i.path, module) {
			return true
		}
	}
	return false
}

// declared is what the packages of each name declare at the top of their files, and their methods. Of a generated file it is each
// word that begins with a capital.
func (t tree) declared() map[string]map[string]bool {
	word := regexp.MustCompile(`\b[A-Z]\w*`)
	all := map[string]map[string]bool{}
	note := func(pkg, name string) {
		if all[pkg] == nil {
			all[pkg] = map[string]bool{}
		}
		all[pkg][name] = true
	}
	for _, f := range t {
		if f.isGenerated() {
			for _, w := range word.FindAllString(f.text, -1) {
				note(path.Base(f.dir()), w)
			}
		}
		if f.code == nil || f.room() == "tests" || f.room() == "cmd" { // nobody imports these
			continue
		}
		note(f.code.Name.Name, "")
		for _, d := range f.code.Decls {
			for _, n := range names(d) {
				note(f.code.Name.Name, n)
			}
		}
	}
	return all
}

// names are those that a declaration makes.
func names(d ast.Decl) (all []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		all = append(all, d.Name.Name)
	case *ast.GenDecl:
		for _, s := range d.Specs {
			for _, n := range named(s) {
				all = append(all, n.name.Name)
			}
		}
	}
	return all
}
