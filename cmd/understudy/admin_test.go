package main

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"understudy.dev/exchange/access"
	"understudy.dev/exchange/kill"
)

// TestWhoSeesWhatOfTheAdminListener: a web page whose owner points its name here
// gets no profiles, and neither does another machine; metrics are asked for by any
// name. With tokens only the probes need none.
func TestWhoSeesWhatOfTheAdminListener(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	const secret = "0123456789abcdef"
	if err := os.WriteFile(token, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	const here, there = "127.0.0.1:1", "192.0.2.7:1"
	for _, x := range []struct {
		from, host, path      string
		want, tokens, allowed int // without tokens configured, with them and shown none, with them and shown one
	}{
		{here, "evil.example:9090", "/debug/pprof/cmdline", 403, 403, 403},
		{here, "evil.example", "/debug/pprof/", 403, 403, 403},
		{here, "localhost.evil.example", "/debug/pprof/symbol", 403, 403, 403},
		{here, "localhost:9090", "/debug/pprof/cmdline", 200, 401, 200},
		{here, "[::1]:9090", "/debug/pprof/goroutine?debug=1", 200, 401, 200},
		{there, "192.0.2.1:9090", "/debug/pprof/cmdline", 403, 401, 200},
		{there, "recorder.shop.svc:9090", "/metrics", 200, 401, 200},
		{there, "recorder.shop.svc:9090", "/livez", 200, 200, 200},
		{there, "recorder.shop.svc:9090", "/readyz", 503, 503, 503},
	} {
		for i, want := range []int{x.want, x.tokens, x.allowed} {
			cfg := access.Config{}
			if i > 0 {
				cfg.OperateTokenFile = token
			}
			ad := newAdmin(cfg)
			guard, err := ad.guard(slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodGet, x.path, http.NoBody)
			r.Host, r.RemoteAddr = x.host, x.from
			if i == 2 {
				r.Header.Set("Authorization", "Bearer "+secret)
			}
			w := httptest.NewRecorder()
			ad.handler(guard).ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s of %s from %s (%d): %d, want %d: %s", x.path, x.host, x.from, i, w.Code, want, strings.TrimSpace(w.Body.String()))
			}
		}
	}
}

// TestAnOpenAdminListenerIsSaid, where others can reach it.
func TestAnOpenAdminListenerIsSaid(t *testing.T) {
	f := func(ip, want string, cfg access.Config) {
		t.Helper()
		var log bytes.Buffer
		sayIfOpen(&net.TCPAddr{IP: net.ParseIP(ip), Port: 9090}, cfg, slog.New(slog.NewTextHandler(&log, nil)))
		if got := log.String(); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", ip, got, want)
		}
	}
	f("127.0.0.1", "", access.Config{})
	f("::1", "", access.Config{})
	f("::", "asks nobody who they are", access.Config{})
	f("192.0.2.1", "admin_access.operate_token_file", access.Config{})
	f("0.0.0.0", "in clear", access.Config{ViewTokenFile: "x"})
	f("0.0.0.0", "", access.Config{ViewTokenFile: "x", CertFile: "c"})
}

// TestAdminMistakes end the start, with the key that is wrong.
func TestAdminMistakes(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		args = append([]string{"record", "--baseline", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--kafka", "127.0.0.1:1"}, args...)
		if code, _, errOut := run1(t, args...); code != exitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%v: exit %d, want %q:\n%s", args, code, want, errOut)
		}
	}
	f("admin_access.operate_token_file: ", "--admin-operate-token-file", "/nowhere")
	f("admin_access.client_ca_file: ", "--config", writeFile(t, "admin_access: {operate: [ann]}\n"))
}

// TestTheAdminListenerOverTLS: the script of the pager turns a kill switch there,
// with a token and the file of the authority.
func TestTheAdminListenerOverTLS(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl here")
	}
	cert, key, pool := certificateFiles(t)
	log := slog.New(slog.DiscardHandler)
	token := writeFile(t, "ann 0123456789abcdef\n")
	s := kill.New(filepath.Join(t.TempDir(), "killed"), "stop", log)
	ad := newAdmin(access.Config{CertFile: cert, KeyFile: key, OperateTokenFile: token})
	ad.also["/gateway/kill"] = s.Handler
	address := freeAddress(t)
	stop, err := ad.start(address, log)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	for path, want := range map[string]int{"/livez": 200, "/metrics": 401, "/gateway/kill": 401} {
		a, err := client.Get("https://" + address + path)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, a.StatusCode, want)
		}
	}
	t.Setenv("CURL_CA_BUNDLE", cert)
	if code, out, errOut := script(t, "kill-http.sh", "https://"+address, "orders are lost", token); code != 0 || !s.On() {
		t.Errorf("exit %d, on is %t: %s%s", code, s.On(), out, errOut)
	}
}
