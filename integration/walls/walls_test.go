// Package walls tests the repository itself: which room may import which, and
// how large things have grown.
package walls

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const ours = "understudy.dev/"

// forbidden says what each room must never reach, not even through another.
var forbidden = map[string][]string{
	"schemas":     {"stream", "recorder", "gateway", "replayer", "comparator", "deployments", "integration", "cmd"},
	"stream":      {"recorder", "gateway", "replayer", "comparator", "deployments", "integration", "cmd"},
	"recorder":    {"gateway", "replayer", "comparator", "deployments", "integration", "cmd"},
	"gateway":     {"recorder", "replayer", "comparator", "deployments", "integration", "cmd"},
	"replayer":    {"recorder", "gateway", "comparator", "deployments", "integration", "cmd"},
	"comparator":  {"recorder", "gateway", "replayer", "deployments", "integration", "cmd"},
	"deployments": {"recorder", "gateway", "comparator", "integration", "cmd"},
}

func TestImportWalls(t *testing.T) {
	for room, others := range forbidden {
		for _, pkg := range list(t, room, "-deps", "-test", "./...") {
			rest, isOurs := strings.CutPrefix(pkg, ours)
			if !isOurs {
				continue
			}
			first, _, _ := strings.Cut(rest, "/")
			if slices.Contains(others, first) {
				t.Errorf("%s must not depend on %s (DESIGN: rooms and doors)", room, pkg)
			}
		}
	}
}

// TestNobodyImportsTheTop: cmd and integration import everything, so nothing
// may import them.
func TestNobodyImportsTheTop(t *testing.T) {
	for _, pkg := range list(t, "cmd/understudy", "-deps", "./...") {
		if strings.HasPrefix(pkg, ours+"integration") {
			t.Errorf("cmd/understudy must not depend on %s", pkg)
		}
	}
}

// TestSchemasStandAlone: what crosses a process boundary drags nothing along.
func TestSchemasStandAlone(t *testing.T) {
	for _, pkg := range list(t, "schemas", "-deps", "./...") {
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

func list(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-f", "{{.ImportPath}}"}, args...)...)
	cmd.Dir = filepath.Join(root(t), dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list in %s: %v\n%s", dir, err, stderr.String())
	}
	pkgs := strings.Fields(string(out))
	if len(pkgs) == 0 {
		t.Fatalf("go list in %s found no package: this test would see nothing", dir)
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
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
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
