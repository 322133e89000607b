package replayer_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestUnsafeMethodsNeedARunThatSaysIsolated, wherever the candidate is: a tunnel to
// production ends on the loopback address, too.
func TestUnsafeMethodsNeedARunThatSaysIsolated(t *testing.T) {
	src := &source{}
	for i, method := range []string{"POST", "GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"} {
		src.list = append(src.list, exchange(i, func(e *understudyv1.Exchange) { e.Request.Method = method }))
	}
	f := func(isolated bool, skipped uint64) {
		t.Helper()
		run, err := replay(t.Context(), t, &source{list: src.list}, &sink{}, ok, func(c *replayer.Config) { c.Isolated = isolated })
		if err != nil || run.Skipped["method_not_safe"] != skipped || run.Replayed != 8-skipped {
			t.Errorf("isolated %t: %v, %v", isolated, err, run)
		}
	}
	f(false, 4)
	f(true, 0)
}

// TestTheMark is the user's choice, and so is none; what has it is not replayed.
func TestTheMark(t *testing.T) {
	f := func(mark, field string, skipped uint64) {
		t.Helper()
		var asked atomic.Pointer[http.Header]
		src := &source{list: []*understudyv1.Exchange{exchange(0), exchange(1, func(e *understudyv1.Exchange) {
			e.Request.Headers = []*understudyv1.Header{{Name: "x-rehearsal", Value: []byte("r")}}
		})}}
		run, err := replay(t.Context(), t, src, &sink{}, func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/x/0" {
				asked.Store(&r.Header)
			}
		}, func(c *replayer.Config) { c.Mark = mark })
		if err != nil || run.Skipped["replayed_request"] != skipped {
			t.Errorf("%s: %v, %v", mark, err, run.Skipped)
		}
		for _, name := range []string{"Understudy-Run", "X-Rehearsal"} {
			if got := asked.Load().Get(name); (got == "r") != (name == field) {
				t.Errorf("%s: %s is %q", mark, name, got)
			}
		}
	}
	f("Understudy-Run", "Understudy-Run", 0)
	f("x-rehearsal", "X-Rehearsal", 1)
	f("off", "", 0)
}

// TestARunOntoTheRecordedSystem ends before anything is sent, unless it is meant.
func TestARunOntoTheRecordedSystem(t *testing.T) {
	f := func(authority string, port func(string) string, meant, want bool) {
		t.Helper()
		var asked atomic.Int32
		src := &source{}
		var run *understudyv1.Run
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
		defer server.Close()
		_, number, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
		for i := range 3 {
			src.list = append(src.list, exchange(i, func(e *understudyv1.Exchange) { e.Request.Authority = authority + port(number) }))
		}
		run, err := replay(t.Context(), t, src, &sink{}, ok, func(c *replayer.Config) { c.Candidate, c.OntoBaseline = server.URL, meant })
		refused := (*replayer.Refusal)(nil)
		if errors.As(err, &refused) != want || (asked.Load() == 0) != want || want && (run.State != understudyv1.Run_STATE_FAILED || !strings.Contains(err.Error(), "--onto-baseline")) {
			t.Errorf("%s: %v, asked %d times, %v", authority, err, asked.Load(), run)
		}
	}
	same, other, none := func(p string) string { return ":" + p }, func(string) string { return ":1" }, func(string) string { return "" }
	f("127.0.0.1", same, false, true)
	f("LocalHost", same, false, true)
	f("[::1]", same, false, true)
	f("127.0.0.1", same, true, false)
	f("127.0.0.1", other, false, false)
	f("127.0.0.1", none, false, false)
	f("shop.example", same, false, false)
	f("", none, false, false)
}

// TestPreflight: what would be touched is found before anything is written.
func TestPreflight(t *testing.T) {
	file := filepath.Join(t.TempDir(), "killed")
	f := func(want string, baselines []string, change func(*replayer.Config)) {
		t.Helper()
		c := replayer.DefaultConfig()
		c.Candidate = "http://127.0.0.1:9002"
		change(&c)
		err := c.Preflight(t.Context(), baselines)
		refused := (*replayer.Refusal)(nil)
		if (err == nil) != (want == "") || err != nil && (!errors.As(err, &refused) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	as := func(*replayer.Config) {}
	f("", nil, as)
	f("", []string{"http://127.0.0.1:9001", "http://nowhere.invalid:9002"}, as)
	f("recorded http://localhost:9002", []string{"http://127.0.0.1:9001", "http://localhost:9002"}, as)
	f("", []string{"http://localhost:9002"}, func(c *replayer.Config) { c.OntoBaseline = true })
	f("recorded https://shop.invalid", []string{"https://shop.invalid"}, func(c *replayer.Config) { c.Candidate = "https://Shop.invalid:443/api" })
	f("candidate: ", nil, func(c *replayer.Config) { c.Allow = []string{"10.0.0.0/8"} })
	f("", nil, func(c *replayer.Config) { c.Allow = []string{"127.0.0.1:9002"} })
	f("control: ", nil, func(c *replayer.Config) {
		c.Allow, c.Control.URL, c.Control.Share = []string{"127.0.0.1:9002"}, "http://127.0.0.1:9003", 0.1
	})
	f("", nil, func(c *replayer.Config) { c.KillFile = file })
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f("kill switch", nil, func(c *replayer.Config) { c.KillFile = file })
}

// TestTheKillSwitchCutsARunOff: what is under way is not waited for, nothing is
// canceled, and nothing more is sent; the books hold.
func TestTheKillSwitchCutsARunOff(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "killed")
	src := &source{list: []*understudyv1.Exchange{exchange(0), exchange(1), exchange(3_600_000)}}
	var asked, canceled atomic.Int32
	out := &sink{}
	kill := func() {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(file, []byte("it does harm\n"), 0o600); err != nil {
			t.Error(err)
		}
	}
	run, err := replay(t.Context(), t, src, out, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodDelete:
			canceled.Add(1)
		case strings.HasPrefix(r.URL.Path, "/x/"):
			w.Header().Set("Location", "/op")
			w.WriteHeader(http.StatusAccepted)
			if asked.Add(1) == 2 {
				kill()
			}
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	}, func(c *replayer.Config) {
		c.KillFile, c.Drain, c.Completion.Cancel.Method = file, time.Hour, http.MethodDelete
	})
	if err == nil || !strings.Contains(err.Error(), file) || run.State != understudyv1.Run_STATE_CANCELED || run.Skipped["interrupted"] != 2 || run.Skipped["canceled"] != 1 || canceled.Load() != 0 {
		t.Errorf("%v, %v, canceled %d", err, run, canceled.Load())
	}

	// None begins while it is on.
	c := replayer.DefaultConfig()
	c.Run, c.Candidate, c.KillFile = "r", "http://127.0.0.1:1", file
	r, err := replayer.New(c, &understudyv1.RunSpec{}, &source{list: []*understudyv1.Exchange{exchange(0)}}, out, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	refused := (*replayer.Refusal)(nil)
	if _, err := r.Run(context.Background()); !errors.As(err, &refused) {
		t.Errorf("it began: %v", err)
	}
}

func TestValidateIsolation(t *testing.T) {
	c := replayer.DefaultConfig()
	c.Run, c.Candidate, c.Mark, c.Allow = "r", "http://h", "Host", []string{"h", "10.0.0.1/8"}
	err := c.Validate()
	for _, part := range []string{`mark: "Host"`, `allow[1]: "10.0.0.1/8"`} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not named: %v", part, err)
		}
	}
	c.Mark = "off"
	if err := c.Validate(); err == nil || strings.Contains(err.Error(), "mark") {
		t.Errorf("%v", err)
	}
}
