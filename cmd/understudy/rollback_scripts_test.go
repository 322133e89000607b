package main

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"

	"understudy.dev/exchange/access"
	"understudy.dev/exchange/kill"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// script runs one of deployments/rollback with this program as the binary.
func script(t *testing.T, name string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(t.Context(), "/bin/sh", append([]string{filepath.Join(deployments, "rollback", name)}, args...)...)
	c.Env = append(os.Environ(), "UNDERSTUDY_TEST_AS_COMMAND=1", "UNDERSTUDY="+os.Args[0])
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return ended.ExitCode(), stdout.String(), stderr.String()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, stdout.String(), stderr.String()
}

// TestRollbackScripts: each does what it says, and says why it cannot.
func TestRollbackScripts(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	t.Setenv("UNDERSTUDY_KAFKA", strings.Join(cluster.ListenAddrs(), ","))
	f := func(code int, want, name string, args ...string) {
		t.Helper()
		if got, out, errOut := script(t, name, args...); got != code || !strings.Contains(out+errOut, want) {
			t.Errorf("%s %v: exit %d, want %d and %q:\n%s%s", name, args, got, code, want, out, errOut)
		}
	}
	for _, name := range []string{"kill-http.sh", "kill-file.sh", "rollback.sh", "drain.sh", "back.sh"} {
		f(2, "usage: ", name)
	}
	f(2, "an argument is empty", "rollback.sh", "shop", "")
	f(1, "turn the kill switch at each gateway", "rollback.sh", "shop", "no topics yet")
	for _, args := range [][]string{{"topics", "apply"}, {"migration", "create", "shop", "canary:10%"}} {
		if code, _, errOut := run1(t, args...); code != exitOK {
			t.Fatal(errOut)
		}
	}
	f(0, "rolled back from canary:10%", "rollback.sh", "shop", "orders are late; \"$(exit 1)\"")
	if _, out, _ := run1(t, "migration", "history", "shop"); !strings.Contains(out, `orders are late; "$(exit 1)"`) {
		t.Errorf("the reason is not as it was given:\n%s", out)
	}

	// What is in flight: first awaited, then held, then nothing.
	p, err := stream.NewProducer(t.Context(), stream.Config{Brokers: cluster.ListenAddrs()}, tallyProducer())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	put := func(state understudyv1.InFlight_State) {
		t.Helper()
		r, err := stream.InFlightRecord(topic.NamesFor(""), &understudyv1.InFlight{Migration: "shop", Id: "aa", Route: "POST /orders", State: state})
		if err == nil {
			err = p.ProduceSync(t.Context(), r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f(0, "GATEWAY", "drain.sh", "shop", "0")
	put(understudyv1.InFlight_STATE_ACCEPTED)
	f(1, "there is still something in flight", "drain.sh", "shop", "0")
	put(understudyv1.InFlight_STATE_HELD)
	f(3, "these wait for a person", "drain.sh", "shop", "0")

	// The kill switch by file and by HTTP.
	state := t.TempDir()
	file := filepath.Join(state, "shop", "killed")
	f(1, "is no folder of a gateway's state", "kill-file.sh", state, "shop", "why")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	f(0, "on: ", "kill-file.sh", state, "shop", "orders are lost")
	log := slog.New(slog.DiscardHandler)
	if b, err := os.ReadFile(file); err != nil || !strings.Contains(string(b), "orders are lost") || !kill.New(file, "", log).On() {
		t.Errorf("%q, %v", b, err)
	}
	f(0, "shop: rolled back from canary:10% -> canary:1% (step 3)", "back.sh", "shop", "mended", "canary:1%", state)
	if kill.New(file, "", log).On() {
		t.Error("the kill switch is still on")
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl here")
	}
	s := kill.New(file, "", log)
	guarded := func(cfg access.Config) *httptest.Server {
		t.Helper()
		guard, err := access.New(cfg, log, prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		mux.Handle("/gateway/kill", s.Handler(guard))
		return httptest.NewServer(mux)
	}
	admin := guarded(access.Config{})
	defer admin.Close()
	f(0, "on: ", "kill-http.sh", strings.TrimPrefix(admin.URL, "http://"), "orders are lost")
	if !s.On() {
		t.Error("the kill switch is off")
	}
	admin.Close()
	f(7, "", "kill-http.sh", strings.TrimPrefix(admin.URL, "http://"), "orders are lost")

	// With tokens.
	if err := s.Set(false, ""); err != nil {
		t.Fatal(err)
	}
	token, looks := writeFile(t, "# on call\nann 0123456789abcdef\"'$(exit)\n"), writeFile(t, "fedcba9876543210")
	admin = guarded(access.Config{OperateTokenFile: token, ViewTokenFile: looks})
	defer admin.Close()
	f(22, "401", "kill-http.sh", admin.URL, "orders are lost")
	f(22, "403", "kill-http.sh", admin.URL, "orders are lost", looks)
	f(1, "cannot be read", "kill-http.sh", admin.URL, "orders are lost", token+".not")
	if s.On() {
		t.Error("the kill switch is on")
	}
	f(0, "on: ", "kill-http.sh", admin.URL, "orders are lost", token)
	if text, err := os.ReadFile(file); err != nil || !s.On() || string(text) != "ann: \"orders are lost\"\n" {
		t.Errorf("on is %t, the file says %q, %v", s.On(), text, err)
	}
}
