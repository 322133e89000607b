package replayer_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/exchange/message/messagetest"
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
	f("", "http://shop.example/a%2fb?c=//d", "/a%2fb?c=//d")
	f("/api", "HTTPS://u:p@shop.example:81?q", "/api/?q")
}

// TestFramingIsSentAsItWas: what had no length is sent in chunks, trailers follow
// a body, and a target for a proxy says whose it is.
func TestFramingIsSentAsItWas(t *testing.T) {
	var mu sync.Mutex
	var got []string
	candidate := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprintf("%s %s %s %d %v %q %v", r.Method, r.RequestURI, r.Host, r.ContentLength, r.TransferEncoding, body, r.Trailer))
	}
	f := func(want string, change func(q *understudyv1.Request)) {
		t.Helper()
		for _, engine := range []string{"wire", "net/http"} {
			got = nil
			e := exchange(0, func(e *understudyv1.Exchange) {
				e.Request.Method, e.Request.Authority, e.Request.Target = "POST", "shop.example", []byte("/x")
				change(e.Request)
			})
			run, err := replay(t.Context(), t, &source{list: []*understudyv1.Exchange{e}}, &sink{}, candidate, func(c *replayer.Config) { c.Engine, c.PreserveHost = engine, true })
			if err != nil || len(got) != 1 || got[0] != want {
				t.Errorf("%s: got %q, want %q; %v, %v", engine, got, want, run.Skipped, err)
			}
		}
	}
	hello := func(declared int64) *understudyv1.Body {
		return &understudyv1.Body{Content: []byte("hello"), Length: 5, DeclaredLength: declared}
	}
	f(`POST /x shop.example 5 [] "hello" map[]`, func(q *understudyv1.Request) { q.Body = hello(5) })
	f(`POST /x shop.example -1 [chunked] "hello" map[]`, func(q *understudyv1.Request) { q.Body = hello(-1) })
	f(`POST /x shop.example 0 [] "" map[]`, func(q *understudyv1.Request) { q.Body = &understudyv1.Body{DeclaredLength: -1} })
	f(`POST /x shop.example -1 [chunked] "hello" map[X-Sum:[7 8]]`, func(q *understudyv1.Request) {
		q.Body = hello(-1)
		for _, line := range []string{"x-sum: 7", "Content-Length: 3", "Host: h", "Transfer-Encoding: x", "X-Sum: 8", "X-Token: rdx_sid0000000000000000001"} {
			name, value, _ := strings.Cut(line, ": ")
			q.Trailers = append(q.Trailers, &understudyv1.Header{Name: name, Value: []byte(value)})
		}
	})
	f(`POST /y other.example:81 5 [] "hello" map[]`, func(q *understudyv1.Request) {
		q.Target, q.Body = []byte("http://u:p@other.example:81/y"), hello(5)
	})
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
	f(e("Proxy-Authorization: p", "Keep-Alive: 5", "Expect: 100-continue", "X-End: 1"), nil, "X-End: 1", "(?i)proxy|keep-alive|expect")
	f(e(":authority: x", "x-a: 1", "X-A: 2"), nil, "X-A: 1\r\nX-A: 2\r\n", "authority")
	f(e("Host: other"), nil, "Host: 127.0.0.1:", "shop|other")
	f(e(), func(c *replayer.Config) { c.PreserveHost = true }, "Host: shop.example\r\n", "127")
	f(e(), func(c *replayer.Config) { c.Headers = map[string]string{"host": "own.example"} }, "Host: own.example\r\n", "127")
	f(e("Idempotency-Key: k1"), nil, "(?i)idempotency-key: k1\r\n", "e0")
	f(e("X-Idempotency-Key: k1"), nil, "(?i)x-idempotency-key: k1\r\n", "e0")
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

// TestJSONIsRewrittenWhateverItsTypeIsCalled: the comparator takes the same
// bodies for JSON.
func TestJSONIsRewrittenWhateverItsTypeIsCalled(t *testing.T) {
	f := func(contentType, want string) {
		t.Helper()
		first := exchange(0, func(e *understudyv1.Exchange) {
			e.Session, e.Response = "s", &understudyv1.Response{Status: 200, Body: &understudyv1.Body{Content: []byte(`{"id":"ord_1"}`)}}
		})
		second := exchange(1, func(e *understudyv1.Exchange) {
			e.Session, e.Request.Method = "s", "POST"
			e.Request.Headers = []*understudyv1.Header{{Name: "Content-Type", Value: []byte(contentType)}}
			e.Request.Body = &understudyv1.Body{Content: []byte(`{"order":"ord_1"}`)}
		})
		got := ""
		_, err := replay(t.Context(), t, &source{list: []*understudyv1.Exchange{first, second}}, &sink{}, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				body, _ := io.ReadAll(r.Body)
				got = string(body)
				return
			}
			_, _ = io.WriteString(w, `{"id":"u-77"}`)
		}, func(c *replayer.Config) { c.Order = replayer.OrderCompleted })
		if err != nil || got != want {
			t.Errorf("%s: %v, sent %s, want %s", contentType, err, got, want)
		}
	}
	f("application/json", `{"order":"u-77"}`)
	f("Application/Vnd.Shop+JSON; charset", `{"order":"u-77"}`)
	f("text/json", `{"order":"u-77"}`)
	f("text/plain", `{"order":"u-77"}`)
}

// TestValuesAreLearnedFromWhereTheyAre: in a compressed answer, in the Location
// of the answer, and in forms.
func TestValuesAreLearnedFromWhereTheyAre(t *testing.T) {
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
		}, func(c *replayer.Config) { c.Order = replayer.OrderCompleted })
		if err != nil || asked != "/orders/u-77" || form != "order=u-77&n=1" {
			t.Errorf("%v: asked for %q with %q", err, asked, form)
		}
	}
	header := func(name, value string) []*understudyv1.Header {
		return []*understudyv1.Header{{Name: name, Value: []byte(value)}}
	}
	for _, coding := range []string{"gzip", "deflate", "deflate raw", "br", "zstd"} {
		name := strings.TrimSuffix(coding, " raw")
		recorded := messagetest.Encode(t, []byte(`{"id":"ord_1"}`), coding)
		f(&understudyv1.Response{Status: 200, Headers: header("content-encoding", name), Body: &understudyv1.Body{Content: recorded}},
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", name)
				_, _ = w.Write(messagetest.Encode(t, []byte(`{"id":"u-77"}`), coding))
			})
	}
	twice := messagetest.Encode(t, []byte(`{"id":"ord_1"}`), "br", "gzip")
	f(&understudyv1.Response{Status: 200, Headers: append(header("Content-Encoding", "br"), header("content-encoding", "gzip")...), Body: &understudyv1.Body{Content: twice}},
		func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"id":"u-77"}`) })
	f(&understudyv1.Response{Status: 201, Headers: header("Location", "/orders/ord_1")},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://"+httptest.DefaultRemoteAddr+"/orders/u-77")
			w.WriteHeader(http.StatusNoContent)
		})
}
