package tidy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// module is the import path of the repository, with the slash that its packages put behind it.
const module = "github.com/quorumlog/quorumlog/"

// tree is every text file of the repository, in the order of their paths.
type tree []file

// file is one text file.
type file struct {
	path string // from the root, with slashes
	text string
	code *ast.File // nil where the file is not Go, or is generated
	set  *token.FileSet
}

// elsewhere holds what is not part of the source: made by the build, or by git.
func elsewhere() []string { return []string{".git", "bin", "dist", "node_modules"} }

// read takes in the text files below the root. Binary files, and what elsewhere names, are left out.
func read(root fs.FS) (tree, error) {
	var all tree
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains(elsewhere(), name) {
				return fs.SkipDir
			}
			return nil
		}
		f, err := readFile(root, name)
		if err == nil && utf8.ValidString(f.text) {
			all = append(all, f)
		}
		return err
	})
	return all, err
}

func readFile(root fs.FS, name string) (file, error) {
	text, err := fs.ReadFile(root, name)
	f := file{path: name, text: string(text), set: token.NewFileSet()}
	if err != nil || path.Ext(name) != ".go" || f.isGenerated() {
		return f, err
	}
	f.code, err = parser.ParseFile(f.set, name, text, parser.ParseComments)
	return f, err
}

// dir is the directory of the file: the import path of its package, without the module.
func (f file) dir() string { return path.Dir(f.path) }

// room is the first directory of the file's path.
func (f file) room() string { return room(f.path) }

func room(name string) string {
	first, _, _ := strings.Cut(name, "/")
	return first
}

func (f file) isGenerated() bool { return strings.HasSuffix(f.path, ".pb.go") }

// isTest says whether the file is only there to test others.
func (f file) isTest() bool { return f.room() == "tests" || strings.HasSuffix(f.path, "_test.go") }

func (f file) lines() int { return strings.Count(strings.TrimSuffix(f.text, "\n"), "\n") + 1 }

func (f file) line(p token.Pos) int { return f.set.Position(p).Line }

// fault writes one sentence about a place in the file.
func (f file) fault(p token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", f.path, f.line(p), fmt.Sprintf(format, args...))
}

// goFiles are the files written in Go by people.
func (t tree) goFiles() []file {
	var found []file
	for _, f := range t {
		if f.code != nil {
			found = append(found, f)
		}
	}
	return found
}

// find returns the file at a path.
func (t tree) find(name string) (file, bool) {
	i := slices.IndexFunc(t, func(f file) bool { return f.path == name })
	if i < 0 {
		return file{}, false
	}
	return t[i], true
}

// imported is one import of a file.
type imported struct {
	path string
	at   token.Pos
}

func (f file) imports() []imported {
	var found []imported
	for _, spec := range f.code.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err == nil { // the parser accepts nothing else
			found = append(found, imported{name, spec.Pos()})
		}
	}
	return found
}

// uses returns where the file names one of a package's identifiers, as in time.Sleep.
func (f file) uses(pkg string, names ...string) []*ast.SelectorExpr {
	local := f.localName(pkg)
	if local == "" {
		return nil
	}
	var found []*ast.SelectorExpr
	ast.Inspect(f.code, func(n ast.Node) bool {
		use, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := use.X.(*ast.Ident); ok && x.Name == local && slices.Contains(names, use.Sel.Name) {
			found = append(found, use)
		}
		return true
	})
	return found
}

// localName is what the file calls a package that it imports; "" where it does not.
func (f file) localName(pkg string) string {
	for _, spec := range f.code.Imports {
		if spec.Path.Value != strconv.Quote(pkg) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(pkg)
	}
	return ""
}

// variables are the file's package variables; what the compiler fills in (go:embed) is not among them.
func (f file) variables() []*ast.ValueSpec {
	var found []*ast.ValueSpec
	for _, d := range f.code.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR || f.embeds(group) {
			continue
		}
		for _, s := range group.Specs {
			if v, ok := s.(*ast.ValueSpec); ok {
				found = append(found, v)
			}
		}
	}
	return found
}

func (f file) embeds(group *ast.GenDecl) bool {
	return group.Doc != nil && slices.ContainsFunc(group.Doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:embed ")
	})
}

// assigned are the variables that the file assigns to, whole or in part.
func (f file) assigned() []*ast.Ident {
	var found []*ast.Ident
	ast.Inspect(f.code, func(n ast.Node) bool {
		var targets []ast.Expr
		switch s := n.(type) {
		case *ast.AssignStmt:
			targets = s.Lhs
		case *ast.IncDecStmt:
			targets = []ast.Expr{s.X}
		}
		for _, target := range targets {
			if name := base(target); name != nil {
				found = append(found, name)
			}
		}
		return true
	})
	return found
}

// base is the variable that an assignment changes: m of m[1], s of s.n; nil where it is no plain variable.
func base(target ast.Expr) *ast.Ident {
	switch x := target.(type) {
	case *ast.Ident:
		return x
	case *ast.IndexExpr:
		return base(x.X)
	case *ast.SelectorExpr:
		return base(x.X)
	default:
		return nil
	}
}

// declaration is where the parser saw a name declared in the same file; nil if it did not. Knowing it for sure takes a
// type check of every package, which costs a minute and finds no more in files of this size.
func declaration(name *ast.Ident) any {
	if name.Obj == nil {
		return nil
	}
	return name.Obj.Decl
}

// under says whether a path is one of the directories or below it.
func under(name string, dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool { return name == d || strings.HasPrefix(name, d+"/") })
}
