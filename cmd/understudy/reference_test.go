package main

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"understudy.dev/setting/source"
)

var update = flag.Bool("update", false, "write the generated files anew")

const configurationPage = "../../docs/configuration.md"

// TestReferenceIsCurrent: the meanings are the comments of the fields, and the
// page is made of them. make generate writes both anew.
func TestReferenceIsCurrent(t *testing.T) {
	t.Setenv("HOME", "/home/user")
	t.Setenv("XDG_DATA_HOME", "")
	about := map[string]string{}
	comments := commentReader{dirs: map[string]map[string]*ast.StructType{}, fset: token.NewFileSet()}
	eachKey(reflect.ValueOf(defaultConfig()), "", func(path string, f source.Field, _ reflect.Value) {
		about[path] = comments.meaning(t, f)
		if about[path] == "" {
			t.Errorf("%s has no meaning: write a comment at %s.%s", path, f.Owner, f.Name)
		}
	})
	text, err := json.MarshalIndent(about, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	current(t, "meanings.json", string(text)+"\n")
	if *update {
		meanings = text
	}
	_, page, _ := run1(t, "config", "reference", "-o", "markdown")
	current(t, configurationPage, page)
}

func current(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the code gives: run make generate (%v)", path, err)
	}
}

// commentReader finds the comments of struct fields in the sources.
type commentReader struct {
	dirs map[string]map[string]*ast.StructType
	fset *token.FileSet
}

// meaning is the comment of a field, with the keys of the file instead of the
// names in Go. A field without one that follows directly shares the comment of
// the one above.
func (r commentReader) meaning(t *testing.T, f source.Field) string {
	t.Helper()
	dir := strings.TrimSuffix(strings.TrimPrefix(f.Owner.PkgPath(), "understudy.dev/"), ".test")
	if dir == "main" {
		dir = "cmd/understudy"
	}
	decl := r.structs(t, dir)[f.Owner.Name()]
	if decl == nil {
		t.Fatalf("no source of %s", f.Owner)
	}
	doc, end := "", 0
	for _, field := range decl.Fields.List {
		switch line := r.fset.Position(field.Pos()).Line; {
		case field.Doc != nil:
			doc = field.Doc.Text()
		case line != end+1:
			doc = ""
		}
		end = r.fset.Position(field.End()).Line
		for _, name := range field.Names {
			if name.Name == f.Name {
				return inKeys(f.Owner, strings.Join(strings.Fields(doc), " "))
			}
		}
	}
	return ""
}

func (r commentReader) structs(t *testing.T, dir string) map[string]*ast.StructType {
	t.Helper()
	if found, ok := r.dirs[dir]; ok {
		return found
	}
	files, err := filepath.Glob(filepath.Join("../..", dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*ast.StructType{}
	for _, path := range files {
		file, err := parser.ParseFile(r.fset, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					found[spec.Name.Name] = s
				}
			}
			return true
		})
	}
	r.dirs[dir] = found
	return found
}

func inKeys(owner reflect.Type, doc string) string {
	for _, f := range source.Fields(owner) {
		if !f.Hidden && f.Owner == owner {
			// X-Forwarded-For and the Host header are names of their own.
			found := regexp.MustCompile(`(^|[^-"\w])` + f.Name + `([^-"\w]|$)`)
			doc = found.ReplaceAllString(doc, "${1}`"+f.Key+"`${2}")
		}
	}
	return doc
}
