package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestRefusalsAreCounted(t *testing.T) {
	r := newRefusals(prometheus.NewRegistry())
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		if in.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
		if in.URL.Path == "/hijack" {
			c, _, _ := http.NewResponseController(w).Hijack()
			c.Close()
		}
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.MaxHeaderBytes = 4 << 10
	r.watch(s.Config)
	s.Start()
	open := func() (n int) { r.conns.Range(func(any, any) bool { n++; return true }); return n }

	f := func(want int, raw, status string) {
		t.Helper()
		before := testutil.ToFloat64(r.count)
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		io.WriteString(c, raw)
		_ = c.(*net.TCPConn).CloseWrite()
		b, _ := io.ReadAll(c)
		c.Close()
		for end := time.Now().Add(20 * time.Second); open() > 0 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if got := testutil.ToFloat64(r.count) - before; got != float64(want) || !strings.Contains(string(b), status) {
			t.Errorf("%.40q: %v counted, answer %.60q", raw, got, b)
		}
	}
	const good = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	f(0, "", "")
	f(0, good, " 200 OK")
	f(0, good+good, " 200 OK")
	f(0, "GET /panic HTTP/1.1\r\nHost: h\r\n\r\n", "")
	f(0, "GET /hijack HTTP/1.1\r\nHost: h\r\n\r\n", "")
	f(1, "GET / HTTP/1.1\r\n\r\n", " 400 ")
	f(1, "GET / HTTP/3.0\r\nHost: h\r\n\r\n", " 505 ")
	f(1, "GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", " 417 ")
	f(1, "GET / HTTP/1.1\r\nHost: h\r\nX: "+strings.Repeat("x", 16<<10)+"\r\n\r\n", " 431 ")
	f(1, "GET / HTTP/1.1\r\nHo", "")
	f(0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", "")
	s.Close()
}
