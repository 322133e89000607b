package replayer_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// heads listens for requests, answers each with 200 and closes, and keeps the
// heads as they came over the wire.
func heads(t *testing.T) (address string, got func() []string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all []string
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(c)
			head := ""
			for line := "x"; err == nil && line != "\r\n"; {
				line, err = r.ReadString('\n')
				head += line
			}
			mu.Lock()
			all = append(all, head)
			mu.Unlock()
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			c.Close()
		}
	})
	t.Cleanup(func() { ln.Close(); serving.Wait() })
	return "http://" + ln.Addr().String(), func() []string { mu.Lock(); defer mu.Unlock(); return all }
}

// TestTheTargetIsSentAsItWas, byte for byte, behind the candidate's own path.
func TestTheTargetIsSentAsItWas(t *testing.T) {
	f := func(prefix, target, want string) {
		t.Helper()
		address, got := heads(t)
		src := &source{list: []*understudyv1.Exchange{exchange(0, func(e *understudyv1.Exchange) { e.Request.Target = []byte(target) })}}
		run, err := replay(t.Context(), t, src, &sink{}, ok, func(c *replayer.Config) { c.Candidate = address + prefix })
		line := ""
		if h := got(); len(h) == 1 {
			line, _, _ = strings.Cut(h[0], "\r\n")
		}
		if err != nil || line != "GET "+want+" HTTP/1.1" {
			t.Errorf("%s%s: sent %q, skipped %v, %v", prefix, target, line, run.Skipped, err)
		}
	}
	f("", "/a%2Fb/../c;x=%zz?a=1;b=2&&c", "/a%2Fb/../c;x=%zz?a=1;b=2&&c")
	f("", "/a?", "/a?")
	f("", "/\xff\"<>", "/\xff\"<>")
	f("", "//host/x//y", "//host/x//y")
	f("", "//", "//")
	f("/api/", "//x", "/api//x")
	f("/api", "/x", "/api/x")
}

func TestHeads(t *testing.T) {
	e := func(fields ...string) *understudyv1.Exchange {
		return exchange(0, func(e *understudyv1.Exchange) {
			e.Id, e.Request.Authority = "e0", "shop.example"
			for _, f := range fields {
				name, value, _ := strings.Cut(f, ": ")
				e.Request.Headers = append(e.Request.Headers, &understudyv1.Header{Name: name, Value: []byte(value)})
			}
		})
	}
	f := func(x *understudyv1.Exchange, change func(*replayer.Config), has, lacks string) {
		t.Helper()
		address, got := heads(t)
		_, err := replay(t.Context(), t, &source{list: []*understudyv1.Exchange{x}}, &sink{}, ok, func(c *replayer.Config) {
			c.Candidate = address
			if change != nil {
				change(c)
			}
		})
		h := got()
		if err != nil || len(h) != 1 || !regexp.MustCompile(has).MatchString(h[0]) || lacks != "" && regexp.MustCompile(lacks).MatchString(h[0]) {
			t.Errorf("%v: sent %q, want %q and not %q", err, h, has, lacks)
		}
	}
	f(e("Connection: X-Hop, close", "X-Hop: 1", "X-End: 1"), nil, "X-End: 1", "X-Hop|close")
	f(e(":authority: x", "x-a: 1", "X-A: 2"), nil, "X-A: 1\r\nX-A: 2\r\n", "authority")
	f(e("Host: other"), nil, "Host: 127.0.0.1:", "shop|other")
	f(e(), func(c *replayer.Config) { c.PreserveHost = true }, "Host: shop.example\r\n", "127")
	f(e(), func(c *replayer.Config) { c.Headers = map[string]string{"host": "own.example"} }, "Host: own.example\r\n", "127")
	f(e("Idempotency-Key: k1"), nil, "(?i)idempotency-key: k1\r\n", "e0")
	f(e(), nil, "(?i)idempotency-key: e0\r\n", "(?i)traceparent")
	f(e("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate: a=b"), nil,
		"Traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01\r\n", "4bf9|00f067|(?i)tracestate")
}

func TestUnsendableHeaders(t *testing.T) {
	list := []*understudyv1.Exchange{}
	for i, h := range []*understudyv1.Header{{Name: "X Y", Value: []byte("1")}, {Name: "", Value: nil}, {Name: "X", Value: []byte("1\r\nY: 2")}, {Name: "X", Value: []byte("\t\xfe")}} {
		list = append(list, exchange(i, func(e *understudyv1.Exchange) { e.Request.Headers = []*understudyv1.Header{h} }))
	}
	list = append(list, exchange(9, func(e *understudyv1.Exchange) { e.Request.Method = "G\x00T" }))
	run, err := replay(t.Context(), t, &source{list: list}, &sink{}, ok, nil)
	want := map[string]uint64{"header_not_sendable": 3, "target_not_sendable": 1}
	if diff := cmp.Diff(want, run.Skipped); diff != "" || err != nil || run.Replayed != 1 {
		t.Errorf("%v, replayed %d\n%s", err, run.Replayed, diff)
	}
}

// TestValuesAreLearnedFromWhereTheyAre: in a compressed answer, in the Location
// of the answer, and in forms.
func TestValuesAreLearnedFromWhereTheyAre(t *testing.T) {
	zip := func(s string) []byte {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		_, _ = io.WriteString(z, s)
		_ = z.Close()
		return out.Bytes()
	}
	f := func(recorded *understudyv1.Response, answer http.HandlerFunc) {
		t.Helper()
		first := exchange(0, func(e *understudyv1.Exchange) { e.Session, e.Response = "s", recorded })
		second := exchange(1, func(e *understudyv1.Exchange) {
			e.Session, e.Request.Method, e.Request.Target = "s", "POST", []byte("/orders/ord_1")
			e.Request.Headers = []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/x-www-form-urlencoded")}}
			e.Request.Body = &understudyv1.Body{Content: []byte("order=ord_1&n=1")}
		})
		var asked, form string
		_, err := replay(t.Context(), t, &source{list: []*understudyv1.Exchange{first, second}}, &sink{}, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				body, _ := io.ReadAll(r.Body)
				asked, form = r.RequestURI, string(body)
				return
			}
			answer(w, r)
		}, func(c *replayer.Config) { c.Order = true })
		if err != nil || asked != "/orders/u-77" || form != "order=u-77&n=1" {
			t.Errorf("%v: asked for %q with %q", err, asked, form)
		}
	}
	header := func(name, value string) []*understudyv1.Header {
		return []*understudyv1.Header{{Name: name, Value: []byte(value)}}
	}
	f(&understudyv1.Response{Status: 200, Headers: header("content-encoding", "gzip"), Body: &understudyv1.Body{Content: zip(`{"id":"ord_1"}`)}},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zip(`{"id":"u-77"}`))
		})
	f(&understudyv1.Response{Status: 201, Headers: header("Location", "/orders/ord_1")},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://"+httptest.DefaultRemoteAddr+"/orders/u-77")
			w.WriteHeader(http.StatusNoContent)
		})
}
