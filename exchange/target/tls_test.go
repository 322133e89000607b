package target_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"understudy.dev/exchange/target"
)

// TestTLS: roots and the client's certificate come from files; the certificate is
// shown to the candidate and to no other host; HTTP/2 is spoken where it is
// offered.
func TestTLS(t *testing.T) {
	start := func(h2 bool) *httptest.Server {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprint(w, r.Proto, " ", len(r.TLS.PeerCertificates), " ", r.TLS.ServerName)
		}))
		s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
		s.EnableHTTP2 = h2
		s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	}
	plain, newer := start(false), start(true)
	dir := t.TempDir()
	file := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pair := plain.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	whole := target.TLS{CAFile: file("ca", "CERTIFICATE", plain.Certificate().Raw), CertFile: file("cert", "CERTIFICATE", pair.Certificate[0]), KeyFile: file("key", "PRIVATE KEY", key)}

	connection := target.ConnectionPooled
	f := func(engine string, server *httptest.Server, change func(*target.TLS), want string) {
		t.Helper()
		client, stop := newClient(t, server.URL, func(c *target.Config) {
			c.Engine, c.TLS, c.Connection = engine, whole, connection
			change(&c.TLS)
		})
		defer stop()
		for range 2 {
			q := post(client)
			q.URL.Opaque = "/"
			o := observe(t, client, q, "x")
			if got := summary(o) + ": " + string(o.GetAck().GetBody().GetContent()) + o.GetError().GetMessage(); got != want {
				t.Errorf("%s: got %q, want %q", engine, got, want)
			}
		}
	}
	for _, engine := range []string{"wire", "net/http"} {
		f(engine, plain, func(*target.TLS) {}, "immediate 200: HTTP/1.1 1 ")
		f(engine, newer, func(*target.TLS) {}, "immediate 200: HTTP/2.0 1 ")
		f(engine, plain, func(c *target.TLS) { c.CertFile, c.KeyFile = "", "" }, "immediate 200: HTTP/1.1 0 ")
		f(engine, plain, func(c *target.TLS) { c.ServerName = "example.com" }, "immediate 200: HTTP/1.1 1 example.com")
		f(engine, plain, func(c *target.TLS) { c.ServerName = "shop.example" }, "error CONNECT: no connection: the TLS handshake failed")
		f(engine, plain, func(c *target.TLS) { c.CAFile = "" }, "error CONNECT: no connection: the TLS handshake failed")
	}

	connection = target.ConnectionSession
	f("wire", newer, func(*target.TLS) {}, "immediate 200: HTTP/1.1 1 ")

	// A poll of another host is shown nothing.
	var shown string
	other := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown += fmt.Sprint(len(r.TLS.PeerCertificates))
		_, _ = io.WriteString(w, "there")
	}))
	other.TLS = plain.TLS.Clone()
	other.StartTLS()
	defer other.Close()
	first := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", other.URL+"/op")
		w.WriteHeader(http.StatusAccepted)
	}))
	first.TLS = plain.TLS.Clone()
	first.StartTLS()
	defer first.Close()
	client, stop := newClient(t, first.URL, func(c *target.Config) {
		c.TLS, c.Locations = whole, []string{strings.TrimPrefix(other.URL, "https://")}
	})
	defer stop()
	if o := observe(t, client, post(client), "x"); shown != "0" || summary(o) != "poll 200 there" {
		t.Errorf("%s, certificates shown: %q", summary(o), shown)
	}

	for _, c := range []target.TLS{{CAFile: filepath.Join(dir, "none")}, {CAFile: whole.KeyFile}, {CertFile: whole.KeyFile, KeyFile: whole.KeyFile}} {
		cfg := target.DefaultConfig()
		cfg.URL, cfg.TLS = plain.URL, c
		if _, err := target.NewDirect(cfg); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
