package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"understudy.dev/exchange/access"
	"understudy.dev/exchange/kill"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// TestARunThatMustNotBe is refused before anything of it is written: its name is free
// afterwards. So are workers' runs and those that are resumed.
func TestARunThatMustNotBe(t *testing.T) {
	_, broker, p := recordingPlatform(t)
	candidate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	defer candidate.Close()
	// The recorder's first life is closed by a successor, who does not know the baseline.
	for i, baseline := range []string{candidate.URL, ""} {
		r, err := stream.TallyRecord(topic.NamesFor(defaultConfig().Kafka.Prefix), &understudyv1.Tally{
			Recorder: "front", Number: uint64(i + 1), StartUnixNano: 1, TimeUnixNano: time.Now().UnixNano(), Closed: i == 1, Baseline: baseline,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.ProduceSync(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	killed := filepath.Join(t.TempDir(), "killed")
	replay := func(args ...string) (int, string) {
		t.Helper()
		code, out, errOut := run1(t, append(args, "--kafka", broker, "--candidate", candidate.URL)...)
		return code, out + errOut
	}
	f := func(want string, wantCode int, args ...string) {
		t.Helper()
		if code, out := replay(args...); code != wantCode || !strings.Contains(out, want) {
			t.Errorf("%v: exit %d\n%s", args, code, out)
		}
	}
	f("the candidate "+candidate.URL+" is the recorded baseline", exitUsage, "replay", "--run", "a")
	f("is the recorded baseline", exitUsage, "runs", "start", "a")
	f("selected 2 = replayed 1 + skipped 1 (method_not_safe 1)", exitOK, "replay", "--run", "other", "--recorder", "web")
	f("is not among what allow", exitUsage, "replay", "--run", "a", "--onto-baseline", "--allow", "10.0.0.0/8,shop.example:443")
	f(`--allow: "10.1.2.3/8" is not a network`, exitUsage, "replay", "--run", "a", "--allow", "10.0.0.0/8,10.1.2.3/8")

	if code, out, errOut := run1(t, "replay", "kill", "on", "--kill-file", killed, "--reason", "it does harm"); code != exitOK || out != "on "+killed+"\n" {
		t.Errorf("%d %s %s", code, out, errOut)
	}
	f("the kill switch "+killed+" is on", exitUsage, "replay", "--run", "a", "--onto-baseline", "--kill-file", killed)
	if code, _, errOut := run1(t, "replay", "kill", "off"); code != exitUsage || !strings.Contains(errOut, "needs --kill-file FILE and --reason TEXT") {
		t.Errorf("exit %d, %s", code, errOut)
	}
	if code, _, _ := run1(t, "replay", "kill", "off", "--kill-file", killed, "--reason", "mended"); code != exitOK {
		t.Error("not off")
	}
	f("selected 2 = replayed 1 + skipped 1 (method_not_safe 1)", exitOK, "replay", "--run", "a", "--onto-baseline", "--kill-file", killed, "--allow", "127.0.0.1")
	f("--isolated sends them", exitOK, "replay", "--run", "b", "--onto-baseline")
	f("selected 2 = replayed 2 + skipped 0", exitOK, "replay", "--run", "c", "--onto-baseline", "--isolated", "--mark", "off")
}

// TestMistakesInRewritingHaveAPlace, and secrets in them are not shown.
func TestMistakesInRewritingHaveAPlace(t *testing.T) {
	path := writeFile(t, "replay:\n  rewrite:\n    - route: POST /x\n      body: .a =\n    - path: {match: \"(\"}\n      heads: 1\n")
	code, _, errOut := run1(t, "config", "validate", path)
	if code != exitUsage || !strings.Contains(errOut, "understudy.yaml:4:13: replay.rewrite[0].body: \".a =\" is not a jq filter") ||
		!strings.Contains(errOut, "understudy.yaml:6:7:") || !strings.Contains(errOut, "heads") {
		t.Errorf("exit %d\n%s", code, errOut)
	}
	path = writeFile(t, "replay:\n  rewrite:\n    - path: {match: \"(\"}\n")
	if code, _, errOut := run1(t, "config", "validate", path); code != exitUsage || !strings.Contains(errOut, "understudy.yaml:3:21: replay.rewrite[0].path.match: \"(\"") {
		t.Errorf("exit %d\n%s", code, errOut)
	}
	path = writeFile(t, "replay:\n  rewrite:\n    - headers: {set: {Authorization: Bearer hush}}\n")
	for _, format := range []string{"yaml", "json", "table"} {
		code, out, errOut := run1(t, "config", "show", "--config", path, "-o", format)
		if code != exitOK || strings.Contains(out, "hush") || !strings.Contains(out, "Authorization") {
			t.Errorf("%s: exit %d, %s\n%s", format, code, errOut, out)
		}
	}
}

// TestTheKillSwitchOfAReplayByHTTP is the gateway's, at an address of its own.
func TestTheKillSwitchOfAReplayByHTTP(t *testing.T) {
	a := newApp(strings.NewReader(""), io.Discard, io.Discard)
	ad := newAdmin(access.Config{}, a.logs)
	a.openKill(t.Context(), nil, ad)()
	if len(ad.also) != 0 {
		t.Errorf("a run without a switch has one: %v", ad.also)
	}
	s := kill.New(filepath.Join(t.TempDir(), "killed"), "stop", a.log)
	defer a.openKill(t.Context(), s, ad)()
	r := httptest.NewRequest(http.MethodPost, "http://localhost/replay/kill", nil)
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set(kill.ReasonHeader, "it does harm")
	w := httptest.NewRecorder()
	guard, err := ad.guard(a.log)
	if err != nil {
		t.Fatal(err)
	}
	ad.handler(guard).ServeHTTP(w, r)
	if w.Code != http.StatusOK || !s.On() {
		t.Errorf("status %d, on %t: %s", w.Code, s.On(), w.Body)
	}
}
