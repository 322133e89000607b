package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"understudy.dev/comparator/gate"
	"understudy.dev/gateway/plan"
	"understudy.dev/setting"
	"understudy.dev/setting/source"
)

// TestPlansInTheDocs: every plan that docs/controller.md shows can be used, and
// all keys are shown.
func TestPlansInTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/controller.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml plan\n(.*?)```").FindAllSubmatch(page, -1)
	if len(blocks) < 2 {
		t.Fatalf("found %d plans", len(blocks))
	}
	shown := map[string]bool{}
	for _, b := range blocks {
		dir := t.TempDir()
		for _, name := range []string{"gate.yaml", "strict.yaml"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("minimum: 1\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(dir, "plan.yaml")
		if err := os.WriteFile(file, b[1], 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out, errOut := run1(t, "controller", "--plan", file, "--check"); code != exitOK || !strings.Contains(out, "for migration checkout") {
			t.Errorf("exit %d: %s\n%s", code, errOut, b[1])
		}
		p, origins := plan.Default(), source.Origins{}
		if err := source.Read(b[1], "plan.yaml", &p, origins); err != nil {
			t.Fatal(err)
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
			if source.IsSection(inner) {
				keys(inner, at)
			} else if !shown[at] {
				t.Errorf("docs/controller.md shows no %s", at)
			}
		}
	}
	keys(reflect.TypeFor[plan.Plan](), "")
}

func TestControllerFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("gate.yaml", "limits: {late: 2%}\n")
	f := func(text string, want ...string) {
		t.Helper()
		path := write("plan.yaml", text)
		code, _, errOut := run1(t, "controller", "--plan", path)
		if code != exitUsage {
			t.Errorf("exit %d: %s", code, errOut)
		}
		for _, w := range want {
			if !strings.Contains(errOut, strings.ReplaceAll(w, "DIR", dir)) {
				t.Errorf("%q is not in\n%s", w, errOut)
			}
		}
	}
	const rest = "\nsteps: [{stage: shadow}]\n"
	f("migration: m"+rest, "DIR/plan.yaml:1:1: gate: the file of a policy is needed")
	f("migration: m\ngate: gate.yaml\nsteps:\n  - {stage: shadow, form: 1h}\n", "DIR/plan.yaml:4:21: steps[0].form: unknown key; did you mean for?")
	f("migration: m\ngate: [\n", "DIR/plan.yaml:")
	f("migration: m\ngate: none.yaml"+rest, "open DIR/none.yaml: no such file")
	write("odd.yaml", "limits:\n  lost: 0%\n")
	f("migration: m\ngate: gate.yaml\nsteps: [{stage: shadow, gate: odd.yaml}]\n", `DIR/odd.yaml:2:9: limits.lost: "0%" is not a share`)
	write("audited.yaml", "audit: {recall: 99%}\n")
	f("migration: m\ngate: audited.yaml"+rest, "would hold for ever")
	if code, _, errOut := run1(t, "controller"); code != exitUsage || !strings.Contains(errOut, "controller needs --plan FILE") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}

// TestEvidenceOfAStep is bounded, and is JSON as long as it is there.
func TestEvidenceOfAStep(t *testing.T) {
	w := &walker{sum: "s"}
	f := func(routes, name int, whole bool) {
		t.Helper()
		e := gate.Evidence{Run: "r", Scope: &gate.Scope{Migration: "m", Since: 4}, Routes: []gate.Counts{{Route: "GET /fine", Requests: 20000}, {Route: "GET /rare", Requests: 2}}}
		for i := range routes {
			e.Routes = append(e.Routes, gate.Counts{Route: fmt.Sprint(strings.Repeat("x", name), i), First: uint64(i + 1), Requests: 1000, Findings: map[string]uint64{"mismatch": 500}})
		}
		got := evidenceOf(gate.Decide(gate.DefaultPolicy(), e), w, policyFile{sum: "p"})
		var r gate.Result
		if err := json.Unmarshal(got.GetResult(), &r); len(got.GetResult()) > 0 && err != nil {
			t.Error(err)
		}
		if got.GetDecision() != "roll_back" || got.GetSince() != 4 || got.GetPlanSha256() != "s" || got.GetPolicySha256() != "p" || got.GetRequests() != uint64(20002+1000*routes) ||
			len(got.GetResult()) > maxEvidence || whole && len(r.Routes) != routes || !whole && len(r.Routes) > 0 {
			t.Errorf("%d routes: %d bytes, %d routes, %v", routes, len(got.GetResult()), len(r.Routes), got.GetRequests())
		}
	}
	f(1, 10, true)
	f(400, 10, false)
	f(1, 100_000, false)
}

// TestControllerWithoutTables walks to the shadow, and no further: what cannot be
// asked is a hold.
func TestControllerWithoutTables(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	t.Setenv("UNDERSTUDY_KAFKA", strings.Join(cluster.ListenAddrs(), ","))
	dir := t.TempDir()
	for name, text := range map[string]string{"gate.yaml": "minimum: 1\n", "plan.yaml": "migration: m\ngate: gate.yaml\nevery: 1s\nsteps: [{stage: shadow}, {stage: canary:1%}]\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"topics", "apply"}, {"migration", "create", "m"}} {
		if code, _, errOut := run1(t, args...); code != exitOK {
			t.Fatal(errOut)
		}
	}
	errOut := startedUntil(t, "the gate holds: it cannot be asked", "controller", "--plan", filepath.Join(dir, "plan.yaml"), "--clickhouse", "127.0.0.1:1")
	if !strings.Contains(errOut, "steps are in Kafka, and not in ClickHouse yet") {
		t.Errorf("it does not say that the audit waits:\n%s", errOut)
	}
	// Two that walk other plans see each other.
	other := filepath.Join(dir, "other.yaml")
	if err := os.WriteFile(other, []byte("migration: m\ngate: gate.yaml\nevery: 2s\nsteps: [{stage: shadow}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		run(ctx, []string{"controller", "--plan", other, "--clickhouse", "127.0.0.1:1"}, strings.NewReader(""), io.Discard, io.Discard)
	}()
	startedUntil(t, "another controller walks another plan", "controller", "--plan", filepath.Join(dir, "plan.yaml"), "--clickhouse", "127.0.0.1:1")
	stop()
	<-over
	_, out, _ := run1(t, "migration", "status", "m")
	if !strings.Contains(out, "shadow") || !strings.Contains(out, "controller@") || !strings.Contains(out, time.Now().UTC().Format("2006-01-02")) {
		t.Errorf("status\n%s", out)
	}
}

// TestWatchOfAMigration: a line for each change in a pipe, and mistakes.
func TestWatchOfAMigration(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	t.Setenv("UNDERSTUDY_KAFKA", strings.Join(cluster.ListenAddrs(), ","))
	for _, args := range [][]string{{"topics", "apply"}, {"migration", "create", "m", "canary:10%"}} {
		if code, _, errOut := run1(t, args...); code != exitOK {
			t.Fatal(errOut)
		}
	}
	got := startedUntil(t, "\n", "migration", "status", "m", "--watch", "--every", "1s", "--clickhouse", "127.0.0.1:1")
	if !regexp.MustCompile(`^20\S+Z m canary:10% step 1; gate hold, it cannot be asked: .*127.0.0.1:1`).MatchString(got) || strings.Count(got, "\n") != 1 {
		t.Errorf("%q", got)
	}
	f := func(want string, args ...string) {
		t.Helper()
		if code, _, errOut := run1(t, append([]string{"migration", "status"}, args...)...); code != exitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%q: exit %d, %s", args, code, errOut)
		}
	}
	f("--watch needs the NAME", "--watch")
	f("--every: 10ms is less than 1s", "m", "--watch", "--every", "10ms")
	f("--watch is for people", "m", "--watch", "-o", "json")
	f("--policy goes with --watch", "m", "--policy", "x")
	f("--policy: open /nowhere", "m", "--watch", "--policy", "/nowhere")
}

// startedUntil runs a command until it has said something, stops it, and returns
// all that it has said.
func startedUntil(t *testing.T, said string, args ...string) string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	w := &watched{want: said, found: stop}
	run(ctx, args, strings.NewReader(""), w, w)
	if got := w.String(); !strings.Contains(got, said) {
		t.Errorf("%q is not said:\n%s", said, got)
	}
	return w.String()
}

// watched calls found when it has the text that is wanted.
type watched struct {
	mu    sync.Mutex
	text  strings.Builder
	want  string
	found func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	if strings.Contains(w.text.String(), w.want) {
		w.found()
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
