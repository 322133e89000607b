package access_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"understudy.dev/exchange/access"
)

const (
	viewToken = "vvvvvvvvvvvvvvvvvvvvvvvv"
	annToken  = "aaaaaaaaaaaaaaaaaaaaaaaa"
	bobToken  = "bbbbbbbbbbbbbbbbbbbbbbbb"
)

func put(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// served is a listener with a door for each role; what it logs goes to log.
func served(t *testing.T, cfg access.Config, log io.Writer) (*access.Guard, http.Handler, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	g, err := access.New(cfg, slog.New(slog.NewTextHandler(log, nil)), reg)
	if err != nil {
		t.Fatal(err)
	}
	say := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "who: ", access.Who(r)) })
	mux := http.NewServeMux()
	mux.Handle("/metrics", g.RequireAnyHost(access.View, say))
	mux.Handle("/view", g.Require(access.View, say))
	mux.Handle("/operate", g.Require(access.Operate, say))
	return g, mux, reg
}

// ask is one request: "METHOD PATH from ADDRESS at HOST", and header fields.
func ask(h http.Handler, method, path, from, host string, header ...string) (status int, body string) {
	r := httptest.NewRequest(method, path, http.NoBody)
	r.RemoteAddr, r.Host = from, host
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}

const here, there = "127.0.0.1:4711", "192.0.2.7:4711"

// TestWithoutCredentials: those on this machine do everything, nobody else does,
// and no web page, whatever it does.
func TestWithoutCredentials(t *testing.T) {
	_, h, reg := served(t, access.Config{}, io.Discard)
	f := func(want int, method, path, from, host string, header ...string) {
		t.Helper()
		if got, body := ask(h, method, path, from, host, header...); got != want {
			t.Errorf("%s %s from %s at %s %q: %d, want %d: %s", method, path, from, host, header, got, want, body)
		}
	}
	f(200, "POST", "/operate", here, "127.0.0.1:9090")
	f(200, "DELETE", "/operate", "[::1]:1", "localhost:9090")
	f(200, "GET", "/view", here, "[::1]:9090")
	f(200, "GET", "/metrics", there, "recorder.shop.svc:9090")
	f(403, "POST", "/operate", there, "127.0.0.1:9090")
	f(403, "GET", "/view", there, "192.0.2.1:9090")
	f(403, "POST", "/operate", here, "192.0.2.1:9090")
	f(403, "POST", "/operate", "not an address", "localhost")
	// What a proxy on this machine passes on does not come from it.
	f(403, "POST", "/operate", here, "localhost:9090", "X-Forwarded-For", "203.0.113.9")
	f(403, "POST", "/operate", here, "localhost:9090", "Forwarded", "for=203.0.113.9")
	// DNS rebinding: the page's own name leads here.
	f(403, "POST", "/operate", here, "evil.example:9090", "Origin", "http://evil.example:9090", "Sec-Fetch-Site", "same-origin")
	f(403, "GET", "/view", here, "evil.example:9090")
	f(403, "GET", "/view", here, "localhost.evil.example")
	// Forms and scripts of other origins, also of another port of this machine.
	f(403, "POST", "/operate", here, "localhost:9090", "Origin", "https://evil.example")
	f(403, "POST", "/operate", here, "localhost:9090", "Origin", "null")
	f(403, "POST", "/operate", here, "localhost:9090", "Origin", "http://localhost:3000")
	f(403, "GET", "/view", here, "localhost:9090", "Sec-Fetch-Site", "cross-site")
	f(403, "GET", "/view", here, "localhost:9090", "Sec-Fetch-Site", "same-site")
	f(200, "POST", "/operate", here, "localhost:9090", "Origin", "http://localhost:9090", "Sec-Fetch-Site", "same-origin")
	if n := testutil.ToFloat64(metric(t, reg, "elsewhere")); n != 6 {
		t.Errorf("%v refused as from elsewhere, want 6", n)
	}
}

// metric is the counter of refusals for a reason.
func metric(t *testing.T, reg *prometheus.Registry, reason string) prometheus.Collector {
	t.Helper()
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "x"})
	for _, family := range all {
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				if family.GetName() == "understudy_admin_refused_total" && l.GetValue() == reason {
					c.Add(m.GetCounter().GetValue())
				}
			}
		}
	}
	return c
}

// TestTokens: each file is a role, a line a person; who it was is known, and the
// token is nowhere in the log.
func TestTokens(t *testing.T) {
	var log bytes.Buffer
	operate := put(t, "# operators\nann "+annToken+"\n\nbob "+bobToken+"\n")
	_, h, reg := served(t, access.Config{ViewTokenFile: put(t, viewToken), OperateTokenFile: operate, Hosts: []string{"gateway.shop.svc"}}, &log)
	f := func(want int, body, method, path, host string, header ...string) {
		t.Helper()
		if got, text := ask(h, method, path, there, host, header...); got != want || !strings.Contains(text, body) {
			t.Errorf("%s %s at %s %q: %d %s, want %d %s", method, path, host, header, got, text, want, body)
		}
	}
	f(200, "who: ann", "POST", "/operate", "192.0.2.1:9090", "Authorization", "Bearer "+annToken)
	f(200, "who: bob", "GET", "/view", "gateway.shop.svc:9090", "Authorization", "bearer "+bobToken)
	f(200, "who: view", "GET", "/view", "localhost", "Authorization", "Bearer "+viewToken)
	f(200, "who: view", "GET", "/metrics", "any.name.svc", "Authorization", "Bearer "+viewToken)
	f(403, "may look", "POST", "/operate", "localhost", "Authorization", "Bearer "+viewToken)
	f(403, "admin_access.hosts", "POST", "/operate", "evil.example", "Authorization", "Bearer "+annToken)
	f(403, "web pages", "POST", "/operate", "localhost", "Authorization", "Bearer "+annToken, "Origin", "https://evil.example")
	for _, bad := range []string{"Bearer wrong-wrong-wrong-wrong", "Bearer " + annToken + "x", "Bearer " + annToken[1:], "Basic " + annToken, "Bearer", "Bearer ", annToken, "Bearer ann " + annToken} {
		f(401, "not one of those", "POST", "/operate", "localhost", "Authorization", bad)
	}
	f(401, "not one", "POST", "/operate", "localhost", "Authorization", "Bearer "+annToken, "Authorization", "Bearer "+annToken)
	f(401, "show a bearer token", "GET", "/metrics", "localhost")
	if got, _ := ask(h, "POST", "/operate", here, "localhost"); got != 401 {
		t.Errorf("on this machine, without a token where there are some: %d", got)
	}
	if n := testutil.ToFloat64(metric(t, reg, "token")); n != 9 {
		t.Errorf("%v bad tokens are counted, want 9", n)
	}
	for _, secret := range []string{viewToken, annToken, bobToken, "wrong-wrong", annToken[1:]} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has a token:\n%s", log.String())
		}
	}
	if !strings.Contains(log.String(), "who=ann") || !strings.Contains(log.String(), "refused") {
		t.Errorf("the log does not say who did it, or that somebody was refused:\n%s", log.String())
	}
}

// TestTokensChange: a file that is written anew counts within a second, one that
// cannot be used changes nothing.
func TestTokensChange(t *testing.T) {
	path := put(t, annToken)
	_, h, _ := served(t, access.Config{OperateTokenFile: path}, io.Discard)
	status := func(token string) int {
		got, _ := ask(h, "POST", "/operate", here, "localhost", "Authorization", "Bearer "+token)
		return got
	}
	until := func(token string, want int) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); status(token) != want; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the token is not at %d in 30 s", want)
			}
		}
	}
	until(annToken, 200)
	if err := os.WriteFile(path, []byte("name "+bobToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(bobToken, 200)
	until(annToken, 401)
	if err := os.WriteFile(path, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // it is looked at meanwhile
	until(bobToken, 200)
	until("short", 401)
}

// TestCertificates: a name of the certificate has a role, and a certificate of
// another authority is none.
func TestCertificates(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	cert, key := ca.issue(t, "server", "", true)
	cfg := access.Config{CertFile: cert, KeyFile: key, ClientCAFile: ca.file, View: []string{"prometheus"}, Operate: []string{"on-call"}, OperateTokenFile: put(t, annToken)}
	g, h, _ := served(t, cfg, io.Discard)
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.Listener = tls.NewListener(srv.Listener, g.TLS())
	srv.Start()
	defer srv.Close()
	f := func(want int, body, path string, by *authority, name, unit, token string) {
		t.Helper()
		cfg := &tls.Config{RootCAs: ca.pool()}
		if by != nil {
			pair, err := tls.LoadX509KeyPair(by.issue(t, name, unit, false))
			if err != nil {
				t.Fatal(err)
			}
			cfg.Certificates = []tls.Certificate{pair}
		}
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: cfg, DisableKeepAlives: true}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+srv.Listener.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		status, text := 0, ""
		if res, err := c.Do(r); err == nil {
			all, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			status, text = res.StatusCode, string(all)
		}
		if status != want || !strings.Contains(text, body) {
			t.Errorf("%s as %q of %q: %d %s, want %d %s", path, name, unit, status, text, want, body)
		}
	}
	f(200, `who: "CN=ann,OU=on-call"`, "/operate", ca, "ann", "on-call", "")
	f(200, `who: "CN=on-call"`, "/operate", ca, "on-call", "", "")
	f(200, "who", "/view", ca, "prometheus", "", "")
	f(403, "may look", "/operate", ca, "prometheus", "", "")
	f(403, "no name", "/view", ca, "stranger", "sales", "")
	f(0, "", "/view", other, "ann", "on-call", "")
	f(401, "show", "/operate", nil, "", "", "")
	f(200, "who: operate", "/operate", nil, "", "", annToken)
	// TLS is no TLS without its handshake.
	if got, _ := ask(h, "POST", "/operate", here, "localhost"); got != 401 {
		t.Errorf("without TLS: %d", got)
	}
}

// TestMistakes are said by their place, and without what may be a token.
func TestMistakes(t *testing.T) {
	f := func(want string, cfg access.Config) {
		t.Helper()
		_, err := access.New(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	f("view_token_file: ", access.Config{ViewTokenFile: "/nowhere"})
	f("line 2: the token has less than 16 characters", access.Config{OperateTokenFile: put(t, annToken+"\nhush\n")})
	f("line 1: want NAME TOKEN or TOKEN", access.Config{OperateTokenFile: put(t, "hush hush hush-hush-hush-hush\n")})
	f("it holds no token", access.Config{OperateTokenFile: put(t, "# none\n")})
	f("is longer than", access.Config{OperateTokenFile: put(t, strings.Repeat("x", 1<<17))})
	f("needs key_file", access.Config{CertFile: "x"})
	f("client certificates are part of TLS", access.Config{ClientCAFile: "x", View: []string{"a"}})
	f("needs view or operate", access.Config{ClientCAFile: "x", CertFile: "c", KeyFile: "k"})
	f("client_ca_file: is needed", access.Config{Operate: []string{"a"}})
	f("cert_file: ", access.Config{CertFile: "/nowhere", KeyFile: "/nowhere"})
}

// authority signs certificates for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	a.key = newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.file = put(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// issue makes a certificate and returns its files.
func (a *authority) issue(t *testing.T, name, unit string, server bool) (cert, key string) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if unit != "" {
		template.Subject.OrganizationalUnit = []string{unit}
	}
	if server {
		template.ExtKeyUsage, template.IPAddresses = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	own := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &own.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	return put(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))), put(t, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
}
