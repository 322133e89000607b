package listener_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"understudy.dev/exchange/wire"
	"understudy.dev/gateway/listener"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func wrap(t *testing.T, cfg listener.Config, log *slog.Logger, reg prometheus.Registerer) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	ln, err := listener.Wrap(l, cfg, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// TestTheClientIsWhomTheBalancerNames: version 1 and 2 of the PROXY protocol, as
// its specification writes them, and who is believed.
func TestTheClientIsWhomTheBalancerNames(t *testing.T) {
	const v2 = "\r\n\r\n\x00\r\nQUIT\n"
	own := "127.0.0.1"
	f := func(trusted, sent, client, rest string) {
		t.Helper()
		ln := wrap(t, listener.Config{ProxyProtocol: []string{trusted}}, nil, nil)
		out, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		in, err := ln.Accept() // before a byte is sent
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		io.WriteString(out, sent)
		out.Close()
		if host, _, _ := net.SplitHostPort(in.RemoteAddr().String()); host != client {
			t.Errorf("%q from %s: the client is %s, want %s", sent, trusted, in.RemoteAddr(), client)
		}
		b, err := io.ReadAll(in)
		var fault *wire.Error
		got := string(b)
		if errors.As(err, &fault) && fault.Status == 400 {
			got = "400"
		} else if err != nil {
			t.Error(err)
		}
		if got != rest {
			t.Errorf("%q from %s: what follows is %q, want %q", sent, trusted, got, rest)
		}
	}
	f("127.0.0.1", "PROXY TCP4 192.0.2.7 198.51.100.1 50000 443\r\nGET /", "192.0.2.7", "GET /")
	f("127.0.0.0/8", "PROXY TCP6 2001:db8::7 2001:db8::1 50000 443\r\n", "2001:db8::7", "")
	f("127.0.0.1", "PROXY UNKNOWN\r\nGET /", own, "GET /")
	f("127.0.0.1", v2+"\x21\x11\x00\x0c\xc0\x00\x02\x07\xc6\x33\x64\x01\xc3\x50\x01\xbbGET /", "192.0.2.7", "GET /")
	f("::ffff:127.0.0.1", v2+"\x21\x11\x00\x10\xc0\x00\x02\x07\xc6\x33\x64\x01\xc3\x50\x01\xbb\x04\x00\x01xGET /", "192.0.2.7", "GET /")
	f("127.0.0.1", v2+"\x20\x00\x00\x00GET /", own, "GET /") // the balancer itself
	long := strings.Repeat("x", 9000)
	f("127.0.0.1", "PROXY TCP4 192.0.2.7 198.51.100.1 50000 443\r\n"+long, "192.0.2.7", long)
	// Not what was agreed on.
	f("127.0.0.1", "GET / HTTP/1.1\r\n", own, "400")
	f("127.0.0.1", "PROXY TCP4 192.0.2.7\r\nGET /", own, "400")
	f("127.0.0.1", "PROXY TCP4 "+strings.Repeat("1", 200)+"\r\n", own, "400")
	f("127.0.0.1", v2+"\x21\x11\xff\xff", own, "400")
	f("127.0.0.1", "", own, "") // a look whether the port is open
	// Nobody that is trusted: what it says of itself is no header but a bad request.
	f("10.0.0.0/8", "PROXY TCP4 192.0.2.7 198.51.100.1 50000 443\r\n", own, "PROXY TCP4 192.0.2.7 198.51.100.1 50000 443\r\n")
}

// writePair writes a certificate of a name and its key.
func writePair(t *testing.T, cfg listener.TLSConfig, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(int64(len(name))*1e9, 0), IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, cfg.CertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
	write(t, cfg.KeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCertificateIsReadAgain when its files change, and only then; what is not
// valid, as a new certificate beside the former key, changes nothing.
func TestCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	cfg := listener.TLSConfig{CertFile: filepath.Join(dir, "tls.crt"), KeyFile: filepath.Join(dir, "tls.key")}
	writePair(t, cfg, "first")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		reg := prometheus.NewRegistry()
		accepted := make(chan net.Conn, 1)
		ln, err := listener.Wrap(piped{accepted}, listener.Config{TLS: cfg}, slog.New(slog.NewTextHandler(&log, nil)), reg)
		if err != nil {
			t.Fatal(err)
		}
		name := func() string {
			t.Helper()
			time.Sleep(time.Second)
			client, server := net.Pipe()
			accepted <- server
			c, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			go func() { _ = c.(*tls.Conn).Handshake() }()
			over := tls.Client(client, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}, ServerName: "any"})
			defer client.Close()
			if err := over.Handshake(); err != nil {
				t.Fatal(err)
			}
			if p := over.ConnectionState().NegotiatedProtocol; p != "h2" {
				t.Errorf("ALPN agreed on %q", p)
			}
			return over.ConnectionState().PeerCertificates[0].Subject.CommonName
		}
		failed := func() (n float64) {
			t.Helper()
			all, err := reg.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range all {
				if m.GetName() == "understudy_gateway_certificate_errors_total" {
					n = m.GetMetric()[0].GetCounter().GetValue()
				}
			}
			return n
		}
		var got []any
		got = append(got, name())
		former, _ := os.ReadFile(cfg.KeyFile)
		writePair(t, cfg, "the second")
		latter, _ := os.ReadFile(cfg.KeyFile)
		write(t, cfg.KeyFile, append(former, '\n'))
		got = append(got, name(), failed(), name(), failed())
		write(t, cfg.KeyFile, latter)
		got = append(got, name(), failed())
		if want := []any{"first", "first", 1.0, "first", 1.0, "the second", 1.0}; !cmp.Equal(got, want) {
			t.Errorf("got %v, want %v; log:\n%s", got, want, log.String())
		}
		if err := testutil.GatherAndCompare(reg, strings.NewReader("# HELP understudy_gateway_certificate_not_after_seconds When the certificate in use expires, in seconds since the Unix epoch.\n"+
			"# TYPE understudy_gateway_certificate_not_after_seconds gauge\nunderstudy_gateway_certificate_not_after_seconds 1e+10\n"), "understudy_gateway_certificate_not_after_seconds"); err != nil {
			t.Error(err)
		}
	})
}

// piped is a listener of connections within this process.
type piped struct{ conns chan net.Conn }

func (p piped) Accept() (net.Conn, error) { return <-p.conns, nil }
func (piped) Close() error                { return nil }
func (piped) Addr() net.Addr              { return &net.TCPAddr{} }

func TestMistakesAreNamed(t *testing.T) {
	cfg := listener.Config{TLS: listener.TLSConfig{CertFile: "x"}, ProxyProtocol: []string{"10.0.0.0/8", "10.0.0.0/33", "balancer"}}
	err := cfg.Validate()
	for _, want := range []string{"tls.cert_file", "proxy_protocol[1]", "proxy_protocol[2]"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named: %v", want, err)
		}
	}
	if _, err := listener.Wrap(nil, listener.Config{TLS: listener.TLSConfig{CertFile: "/none", KeyFile: "/none"}}, nil, prometheus.NewRegistry()); err == nil || !strings.Contains(err.Error(), "/none") {
		t.Errorf("a certificate that is not there: %v", err)
	}
}
