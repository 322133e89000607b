package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"

	"understudy.dev/gateway"
	"understudy.dev/gateway/flag"
	"understudy.dev/gateway/stage"
	"understudy.dev/recorder"
	"understudy.dev/recorder/recordertest"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// block is what stands in the code that a comment marks on a page.
func block(t *testing.T, page, mark string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)<!-- " + mark + " -->\n```[a-z]+\n(.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatalf("%s has no block %s", page, mark)
	}
	return string(m[1])
}

// TestGatewayPage runs what docs/gateway.md shows.
func TestGatewayPage(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	t.Setenv("UNDERSTUDY_KAFKA", strings.Join(cluster.ListenAddrs(), ","))
	if code, _, errOut := run1(t, "migration", "status"); code != exitDependency || !strings.Contains(errOut, "run understudy topics apply") {
		t.Errorf("without topics: exit %d: %s", code, errOut)
	}
	if code, _, errOut := run1(t, "topics", "apply"); code != exitOK {
		t.Fatal(errOut)
	}
	all := ""
	for line := range strings.Lines(block(t, "gateway.md", "run")) {
		var words []string
		for _, m := range regexp.MustCompile(`"([^"]*)"|(\S+)`).FindAllStringSubmatch(line, -1) {
			words = append(words, m[1]+m[2])
		}
		code, out, errOut := run1(t, words[1:]...)
		if all += out; code != exitOK {
			t.Errorf("%sexit %d: %s", line, code, errOut)
		}
	}
	for _, want := range []string{
		"checkout: unknown -> off (step 1)", "checkout: shadow -> canary:1% (step 3)", "checkout, GET /carts/{id}: canary:1% -> canary:5% (step 4)",
		"checkout: canary:1% -> rolled back from canary:1% (step 5)", "checkout: rolled back from canary:1% -> shadow (step 6)",
		"checkout: canary:1% -> canary:0.1%, held (step 8)", "slow at noon", `"reason": "orders are late"`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("want %q in\n%s", want, all)
		}
	}

	if code, _, errOut := run1(t, "config", "validate", writeFile(t, block(t, "gateway.md", "config"))); code != exitOK {
		t.Errorf("configuration: %s", errOut)
	}
	path := filepath.Join(t.TempDir(), "flags.json")
	if err := os.WriteFile(path, []byte(block(t, "gateway.md", "flags")), 0o600); err != nil {
		t.Fatal(err)
	}
	if !flag.NewFile(path, path+".kept", "checkout", slog.New(slog.DiscardHandler)).Good() {
		t.Error("the file of flags is not good")
	}

	f := func(code int, want string, args ...string) {
		t.Helper()
		if got, out, errOut := run1(t, append([]string{"migration"}, args...)...); got != code || !strings.Contains(out+errOut, want) {
			t.Errorf("%v: exit %d, want %d and %q:\n%s%s", args, got, code, want, out, errOut)
		}
	}
	f(exitFailed, "exists, at canary:0.1%, held", "create", "checkout")
	f(exitFailed, "a rollback needs a reason", "rollback", "checkout")
	f(exitFailed, "resume it first", "promote", "checkout", "live")
	f(exitFailed, "there is no migration other", "hold", "other")
	f(exitFailed, "there is no migration other", "history", "other")
	f(exitUsage, "is not one of off, shadow", "promote", "checkout", "lve")
	f(exitUsage, "needs its share", "promote", "checkout", "canary")
	f(exitUsage, "is not a percentage", "promote", "checkout", "canary:0.001%")
	f(exitUsage, "want promote NAME STAGE, got 1 argument(s)", "promote", "checkout")
	f(exitUsage, "is not one of table, json", "status", "-o", "xml")
	f(exitFailed, "is no name of a migration", "create", "a b")
	f(exitOK, "(all)", "status")
}

// TestGatewayFaults: everything that it cannot do without is said at once.
func TestGatewayFaults(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		if code, _, errOut := run1(t, append([]string{"gateway"}, args...)...); code != exitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%v: exit %d, want %q:\n%s", args, code, want, errOut)
		}
	}
	two := []string{"--baseline", "http://127.0.0.1:1", "--candidate", "http://127.0.0.1:2"}
	f("gateway needs --baseline http://host:port, --candidate", "--baseline", "http://127.0.0.1:1")
	f("is no name of a migration", append(two, "--migration", "../etc", "--state-dir", t.TempDir())...)
	f("does not look like http://host:port", "--baseline", "http://127.0.0.1:1", "--candidate", "nobody", "--migration", "m", "--state-dir", t.TempDir())
	f("gateway.rules[0].side: \"blue\" is not one of baseline, candidate", append(two, "--migration", "m", "--state-dir", t.TempDir(),
		"--config", writeFile(t, "gateway: {rules: [{side: blue, header: x}]}\n"))...)
	f("is not one of on, off", "kill", "maybe")
	f("kill needs --migration NAME, --state-dir DIR and --reason TEXT", "kill", "on", "--migration", "m")
}

// TestALoginAtTheDoor: its session is known when it is answered. For the door it
// has none, or only that of its address, but it is recorded with what follows.
func TestALoginAtTheDoor(t *testing.T) {
	f := func(want string, rules ...string) {
		t.Helper()
		sink, reg, log := new(recordertest.Sink), prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
		cfg := recorder.DefaultConfig()
		cfg.Key, cfg.Session = "0123456789abcdef0123456789abcdef", rules
		rec, err := recorder.New(cfg, sink, log, reg)
		if err != nil {
			t.Fatal(err)
		}
		gate, err := gateway.New(gateway.Config{Migration: "m", StateDir: t.TempDir()}, rec.Sessions(), rec.Routes(), nil, log, reg)
		if err != nil {
			t.Fatal(err)
		}
		all, err := stage.Parse("canary:100%")
		if err != nil {
			t.Fatal(err)
		}
		var state *stage.State
		for _, o := range []stage.Order{{Action: "create"}, {Action: "promote", To: &all}} {
			o.Migration, o.Reason = "m", "r"
			step, err := state.Step(o)
			if err != nil {
				t.Fatal(err)
			}
			if state, err = state.Next(step); err != nil {
				t.Fatal(err)
			}
			gate.Step(step)
		}
		gate.Current(time.Now())
		h := (&sides{gate: gate}).door(rec.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Set-Cookie", "sid=alice")
		})))
		for _, cookie := range []string{"", "sid=alice"} {
			in := httptest.NewRequest(http.MethodPost, "/login", nil)
			if cookie != "" {
				in.Header.Set("Cookie", cookie)
			}
			h.ServeHTTP(httptest.NewRecorder(), in)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := errors.Join(rec.Run(ctx), gate.Run(ctx)); err != nil {
			t.Fatal(err)
		}
		got, sessions := "", map[string]bool{}
		for _, e := range sink.Exchanges() {
			got += understudyv1.Label(e.GetServedBy()) + " " + e.GetDecision() + " "
			sessions[e.GetSession()] = true
		}
		if got != want+" candidate bucket " || len(sessions) != 1 {
			t.Errorf("%v: served by %q, want %q and the candidate; sessions %v, want one", rules, got, want, sessions)
		}
	}
	f("baseline no_session", "cookie:sid")
	f("candidate bucket", "cookie:sid", "ip")
}
