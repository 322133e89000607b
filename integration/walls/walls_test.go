package walls

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const ours = "understudy.dev/"

// mayImport says which rooms each room may reach, be it through another. What
// it does not name is forbidden, and a room that it does not name is a mistake.
// Any room but schemas may say with setting what is wrong with its settings.
// Of the replayer only its kafka package needs stream.
var mayImport = map[string][]string{
	"schemas":    {},
	"setting":    {},
	"exchange":   {"setting", "schemas"},
	"stream":     {"setting", "schemas", "exchange"},
	"recorder":   {"setting", "schemas", "exchange", "stream"},
	"gateway":    {"setting", "schemas", "exchange"},
	"replayer":   {"setting", "schemas", "exchange", "stream"},
	"comparator": {"setting", "schemas", "exchange", "stream"},
	"embedded":   {"setting"},
	"demo":       {},
	"cmd":        {"setting", "schemas", "exchange", "stream", "recorder", "gateway", "replayer", "comparator", "embedded", "demo"},
}

func TestImportWalls(t *testing.T) {
	seen := map[string]bool{}
	for _, pkg := range list(t, "./...") {
		name := room(pkg)
		if seen[name] {
			continue
		}
		seen[name] = true
		others, known := mayImport[name]
		if !known {
			t.Errorf("room %s has no walls: say here what it may import", name)
			continue
		}
		for _, dep := range list(t, "-deps", "-test", "./"+name+"/...") {
			if !strings.HasPrefix(dep, ours) {
				continue
			}
			if other := room(dep); other != name && !slices.Contains(others, other) {
				t.Errorf("%s must not depend on %s (docs/design.md: where things are)", name, dep)
			}
		}
	}
	for name := range mayImport {
		if !seen[name] {
			t.Errorf("there is no room %s", name)
		}
	}
}

// room is the first folder of a package's path. Test variants of a package look
// like "path [path.test]".
func room(pkg string) string {
	rest, _, _ := strings.Cut(strings.TrimPrefix(pkg, ours), " ")
	first, _, _ := strings.Cut(rest, "/")
	return strings.TrimSuffix(strings.TrimSuffix(first, ".test"), "_test")
}

// TestPureParts: what a comparison is made of knows nothing of what uses it.
func TestPureParts(t *testing.T) {
	for part, others := range map[string][]string{
		"comparator/diff":  {},
		"comparator/media": {"comparator/diff", "exchange/message", "schemas/understudy/v1"},
	} {
		for _, dep := range list(t, "-deps", "./"+part) {
			if path, is := strings.CutPrefix(dep, ours); is && path != part && !slices.Contains(others, path) {
				t.Errorf("%s must not depend on %s", part, path)
			}
		}
	}
}

// TestOneModuleForUsers: what a user imports is one module without replace, so
// that go install and go get work.
func TestOneModuleForUsers(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(root(t), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(mod, []byte("replace ")) || bytes.Contains(mod, []byte("replace (")) {
		t.Error("go.mod has a replace: go install of the command cannot work")
	}
	found, err := exec.Command("git", "-C", root(t), "ls-files", "*go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(string(found)); !slices.Equal(got, []string{"go.mod", "integration/go.mod"}) {
		t.Errorf("modules %v", got)
	}
}

// TestRecorderAsLibrary: a module of somebody else's can import the recorder.
func TestRecorderAsLibrary(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example.com/shop\n\ngo 1.26.0\n\nrequire understudy.dev v0.0.0\n\nreplace understudy.dev => "+root(t)+"\n")
	write("main.go", `package main

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/recorder"
)

func wrap(sink recorder.Sink, shop http.Handler) (http.Handler, error) {
	r, err := recorder.New(recorder.DefaultConfig(), sink, slog.Default(), prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	return r.Wrap(shop), nil
}

func main() { _, _ = wrap(nil, http.NotFoundHandler()) }
`)
	sum, err := os.ReadFile(filepath.Join(root(t), "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write("go.sum", string(sum))
	cmd := exec.Command("go", "build", "-mod=mod", "-o", os.DevNull, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("build a module that imports the recorder: %v\n%s", err, out)
	}
}

// TestSchemasStandAlone: what crosses a process boundary drags nothing along.
func TestSchemasStandAlone(t *testing.T) {
	for _, pkg := range list(t, "-deps", "./schemas/...") {
		first, _, _ := strings.Cut(pkg, "/")
		std := !strings.Contains(first, ".")
		if !std && !strings.HasPrefix(pkg, ours+"schemas/") && !strings.HasPrefix(pkg, "google.golang.org/protobuf/") {
			t.Errorf("schemas depends on %s; only protobuf and the standard library are allowed", pkg)
		}
	}
}

// TestOnlyMainExits: a library that ends the process takes the decision from
// its caller.
func TestOnlyMainExits(t *testing.T) {
	eachFile(t, func(path string, f *ast.File, _ *token.FileSet) {
		if strings.HasPrefix(path, "cmd/") || f.Name.Name == "main" || strings.HasSuffix(path, "_test.go") {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Obj == nil {
				switch pkg.Name + "." + sel.Sel.Name {
				case "os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln":
					t.Errorf("%s calls %s.%s", path, pkg.Name, sel.Sel.Name)
				}
			}
			return true
		})
	})
}

// TestPackageComments: every package says what it is for, once, in doc.go or
// in the file that bears its name, where a reader looks first.
func TestPackageComments(t *testing.T) {
	comments := map[string]int{}
	eachFile(t, func(file string, f *ast.File, _ *token.FileSet) {
		dir, name := path.Dir(file), strings.TrimSuffix(f.Name.Name, "_test")
		if strings.Contains(dir+"/", "/testdata/") {
			return
		}
		comments[dir] += 0
		if f.Doc == nil {
			return
		}
		comments[dir]++
		if base := path.Base(file); base != "doc.go" && base != name+".go" {
			t.Errorf("%s has the comment of package %s, which belongs into %s/doc.go", file, name, dir)
		}
		kind := "Package " + name
		if name == "main" {
			kind = "Command "
		}
		if !strings.HasPrefix(f.Doc.Text(), kind) {
			t.Errorf("%s: the package comment does not begin with %q", file, kind)
		}
	})
	for dir, n := range comments {
		if n != 1 {
			t.Errorf("%s has %d package comments", dir, n)
		}
	}
}

// TestBudgets prints what outgrew the house's budgets; it is a mirror, not a
// gate.
func TestBudgets(t *testing.T) {
	const fileLines, funcLines = 300, 60
	eachFile(t, func(path string, f *ast.File, fset *token.FileSet) {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".pb.go") {
			return
		}
		if n := fset.File(f.Pos()).LineCount(); n > fileLines {
			t.Logf("%s has %d lines (budget %d)", path, n, fileLines)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			if n := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line; n > funcLines {
				t.Logf("%s: %s has %d lines (budget %d)", path, fn.Name.Name, n, funcLines)
			}
		}
	})
}

// list is the packages that go list names in the root module.
func list(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-f", "{{.ImportPath}}"}, args...)...)
	cmd.Dir = root(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v\n%s", args, err, stderr.String())
	}
	pkgs := strings.Split(strings.TrimSpace(string(out)), "\n")
	if pkgs[0] == "" {
		t.Fatalf("go list %v found no package: this test would see nothing", args)
	}
	return pkgs
}

// eachFile calls f for every Go file of the project, with its path from the
// project's root.
func eachFile(t *testing.T, f func(path string, file *ast.File, fset *token.FileSet)) {
	t.Helper()
	base, files := root(t), 0
	err := filepath.WalkDir(base, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != base || d.Name() == "bin" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		files++
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(base, path)
		if err != nil {
			return err
		}
		f(filepath.ToSlash(rel), file, fset)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Fatalf("found only %d Go files below %s", files, base)
	}
}

// root is the folder that holds go.work.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.work above the test")
		}
		dir = up
	}
}
