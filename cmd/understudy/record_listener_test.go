package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certificateFiles are those of httptest's certificate, which is for example.com.
func certificateFiles(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	pair := s.TLS.Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pool = x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return write("tls.crt", "CERTIFICATE", pair.Certificate[0]), write("tls.key", "PRIVATE KEY", private), pool
}

// TestRecordSpeaksTLSBehindABalancer: either engine takes the client's address
// from the PROXY protocol, speaks what ALPN gives, and says both to the baseline.
func TestRecordSpeaksTLSBehindABalancer(t *testing.T) {
	t.Setenv("UNDERSTUDY_KAFKA", freeAddress(t))
	baseline := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "for "+r.Header.Get("X-Forwarded-For")+" over "+r.Header.Get("X-Forwarded-Proto"))
	}))
	defer baseline.Close()
	cert, key, pool := certificateFiles(t)
	for _, engine := range []string{"wire", "net/http"} {
		config := writeFile(t, "record: {drain_timeout: 100ms, drain_delay: 0s, upstream: {forwarded: append, engine: "+engine+"}}\n")
		traffic, admin, stop := recording(t, "--config", config, "--baseline", baseline.URL, "--tls-cert", cert, "--tls-key", key, "--proxy-protocol", "127.0.0.0/8")
		until(t, "http://"+admin+"/readyz", "ok")
		ask := func(protocol string) {
			t.Helper()
			c, err := net.Dial("tcp", traffic)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			io.WriteString(c, "PROXY TCP4 192.0.2.7 198.51.100.1 50000 443\r\n")
			over := tls.Client(c, &tls.Config{RootCAs: pool, ServerName: "example.com", NextProtos: []string{protocol}})
			if err := over.Handshake(); err != nil {
				t.Fatal(err)
			}
			var answer *http.Response
			request, _ := http.NewRequest("GET", "https://example.com/", nil)
			if protocol == "h2" {
				transport := &http.Transport{Protocols: new(http.Protocols), DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return over, nil }}
				transport.Protocols.SetHTTP2(true)
				defer transport.CloseIdleConnections()
				answer, err = transport.RoundTrip(request)
			} else {
				_ = request.Write(over)
				answer, err = http.ReadResponse(bufio.NewReader(over), request)
			}
			if err != nil {
				t.Fatalf("%s, %s: %v", engine, protocol, err)
			}
			defer answer.Body.Close()
			b, _ := io.ReadAll(answer.Body)
			if want := "for 192.0.2.7 over https"; string(b) != want || (protocol == "h2") != (answer.ProtoMajor == 2) {
				t.Errorf("%s: %s: %q over %s, want %q", engine, protocol, b, answer.Proto, want)
			}
		}
		ask("http/1.1")
		ask("h2")
		until(t, "http://"+admin+"/metrics", "\nunderstudy_recorder_served_total 2\n")
		_, _ = stop()
	}
}
