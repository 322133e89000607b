package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"understudy.dev/comparator/gate"
	"understudy.dev/setting"
	"understudy.dev/setting/source"
)

// TestPoliciesInTheDocs: every policy that the documentation shows is one, and the
// page names every key and every reason of a hold.
func TestPoliciesInTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/gate.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml gate\n(.*?)```").FindAllSubmatch(page, -1)
	if len(blocks) < 2 {
		t.Fatalf("found %d policies", len(blocks))
	}
	shown := map[string]bool{}
	for _, b := range blocks {
		file := filepath.Join(t.TempDir(), "gate.yaml")
		if err := os.WriteFile(file, b[1], 0o600); err != nil {
			t.Fatal(err)
		}
		_, origins, err := readPolicy(file)
		if err != nil {
			t.Errorf("%v\n%s", err, b[1])
		}
		for at := range origins {
			shown[regexp.MustCompile(`\[\d+\]`).ReplaceAllString(at, "")] = true
		}
	}
	var keys func(of reflect.Type, path string)
	keys = func(of reflect.Type, path string) {
		for _, f := range source.Fields(of) {
			at, inner := setting.Join(path, f.Key), f.Type
			if inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			switch {
			case source.IsSection(inner):
				keys(inner, at)
			case !shown[at] && !strings.HasPrefix(at, "routes.limits."): // as limits
				t.Errorf("docs/gate.md shows no %s", at)
			}
		}
	}
	keys(reflect.TypeFor[gate.Policy](), "")
	for _, name := range []string{
		gate.Exceeded, gate.NoData, gate.TooFew, gate.Close, gate.Unknown, gate.Different, gate.NoAudit, gate.Unbalanced, gate.Stale, gate.ExpiredRule, gate.Failed,
	} {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/gate.md does not say what %s is", name)
		}
	}
	first, _, err := readPolicy(func() string {
		file := filepath.Join(t.TempDir(), "gate.yaml")
		if err := os.WriteFile(file, blocks[0][1], 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}())
	if err != nil || !reflect.DeepEqual(first, gate.DefaultPolicy()) {
		t.Errorf("the first policy of docs/gate.md does not show the defaults: %+v, %v", first, err)
	}
}

// TestGateEnds: what a script gets.
func TestGateEnds(t *testing.T) {
	f := func(d gate.Decision, detailed bool, want int) {
		t.Helper()
		if got := finish(gateError(gate.Result{Decision: d}, detailed), io.Discard); got != want {
			t.Errorf("%s, detailed %v: exit %d, want %d", d, detailed, got, want)
		}
	}
	f(gate.Promote, false, exitOK)
	f(gate.Promote, true, exitOK)
	f(gate.Hold, false, exitThreshold)
	f(gate.Hold, true, exitHold)
	f(gate.RollBack, false, exitThreshold)
	f(gate.RollBack, true, exitThreshold)
}

// TestGateFiles: files that are none, or too long.
func TestGateFiles(t *testing.T) {
	huge := filepath.Join(t.TempDir(), "huge")
	file, err := os.Create(huge)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(file.Truncate(maxGateFile+1), file.Close()); err != nil {
		t.Fatal(err)
	}
	f := func(want string, args ...string) {
		t.Helper()
		code, out, errOut := run1(t, append([]string{"gate", "r"}, args...)...)
		if code != exitUsage || out != "" || !strings.Contains(errOut, want) {
			t.Errorf("%q: exit %d, %s", args, code, errOut)
		}
	}
	f("gate needs --policy FILE; docs/gate.md shows one")
	f("--policy: open /nowhere: no such file", "--policy", "/nowhere")
	f("--policy: "+huge+" is longer than", "--policy", huge)
	f("--audit: "+huge+" is longer than", "--policy", writeFile(t, "minimum: 1\n"), "--audit", huge)
	f("is not what understudy audit RUN -o json writes", "--policy", writeFile(t, "minimum: 1\n"), "--audit", writeFile(t, "x"))
	f(`-o "csv" is not one of table, json, markdown, junit`, "--policy", "x", "-o", "csv")
}
