package wire_test

import (
	"errors"
	"strings"
	"testing"

	"understudy.dev/exchange/wire"
)

func request(t *testing.T, raw string) (*wire.Request, int, error) {
	t.Helper()
	r := new(wire.Request)
	r.Reset()
	n, err := r.Parse([]byte(raw))
	return r, n, err
}

// refusedRequests are what two readers could understand in two ways, and what
// is no HTTP/1 at all, with the status that they get.
var refusedRequests = map[string]int{
	"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n":             400,
	"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n":             400,
	"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\n":                               400,
	"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n":                                 400,
	"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n":                                 400,
	"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\n":                                400,
	"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1 2\r\n\r\n":                                400,
	"GET / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n":                                    400,
	"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n":               400,
	"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n":    400,
	"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n":    400,
	"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n": 400,
	"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n":                   501,
	"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n":                501,
	"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n":                        501,
	"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n":                        501,
	"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked;q=1\r\n\r\n":                     501,
	"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n":                                 501,
	"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0bchunked\r\n\r\n":                     400,
	"GET / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n":                         400,
	"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n":                        400,
	"GET / HTTP/1.1\r\nHost: h\r\nTransfer\xc2\xa0Encoding: chunked\r\n\r\n":                  400,
	"GET / HTTP/1.1\r\nHost: h\r\n Transfer-Encoding: chunked\r\n\r\n":                        400,
	"GET / HTTP/1.1\r\n Host: h\r\n\r\n":                                                      400,
	"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n":                                         400,
	"GET / HTTP/1.1\r\nHost: h\r\nA: b\rTransfer-Encoding: chunked\r\n\r\n":                   400,
	"GET / HTTP/1.1\r\nHost: h\r\nA: b\x00c\r\n\r\n":                                          400,
	"GET / HTTP/1.1\r\nHost: h\r\nA: b\x7f\r\n\r\n":                                           400,
	"GET / HTTP/1.1\r\nHost: h\r\nA\r\n\r\n":                                                  400,
	"GET / HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n":                                                400,
	"GET / HTTP/1.1\r\nHost: h\r\nA\x00: b\r\n\r\n":                                           400,
	"GET / HTTP/1.1\r\nHost: h\r\n\r":                                                         0,
	"GET / HTTP/1.1\r\nHost: h\r\n\rX":                                                        0,
	"GET / HTTP/1.1\r\nHost: h\r\n\rX\r\n\r\n":                                                400,
	"GET / HTTP/1.1\r\n\r\n":                                                                  400,
	"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n":                                            400,
	"GET / HTTP/1.1\r\nHost: a b\r\n\r\n":                                                     400,
	"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n":                                                     400,
	"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n":                                                     400,
	"GET /\r\nHost: h\r\n\r\n":                                                                400,
	"GET  / HTTP/1.1\r\nHost: h\r\n\r\n":                                                      400,
	"GET / HTTP/1.1 \r\nHost: h\r\n\r\n":                                                      400,
	"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n":                                                    400,
	"GET /\ta HTTP/1.1\r\nHost: h\r\n\r\n":                                                    400,
	"GET /\x00 HTTP/1.1\r\nHost: h\r\n\r\n":                                                   400,
	"GET /\ra HTTP/1.1\r\nHost: h\r\n\r\n":                                                    400,
	" GET / HTTP/1.1\r\nHost: h\r\n\r\n":                                                      400,
	"G\x00T / HTTP/1.1\r\nHost: h\r\n\r\n":                                                    400,
	"G(T / HTTP/1.1\r\nHost: h\r\n\r\n":                                                       400,
	"GET / http/1.1\r\nHost: h\r\n\r\n":                                                       400,
	"GET / HTTP/1.1x\r\nHost: h\r\n\r\n":                                                      400,
	"GET / HTTP/01.1\r\nHost: h\r\n\r\n":                                                      400,
	"GET / HTTP/1.2\r\nHost: h\r\n\r\n":                                                       505,
	"GET / HTTP/2.0\r\nHost: h\r\n\r\n":                                                       505,
	"GET / HTTP/0.9\r\nHost: h\r\n\r\n":                                                       505,
	"\x16\x03\x01\x02\x00\x01\r\n":                                                            400,
	"GET / HTTP/1.1\r\nHost: h\r\nConnection: " + strings.Repeat("a,", 101) + "\r\n\r\n":      431,
	"GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("a:\r\n", 10_000) + "\r\n":               431,
	"GET / HTTP/1.1\r\nHost: h\r\nA: " + strings.Repeat("x", wire.DefaultLimit) + "\r\n\r\n":  431,
	"GET / HTTP/1.1\r\nHost: h\r\nA: " + strings.Repeat("x", wire.DefaultLimit):               431,
}

func TestRefusedRequests(t *testing.T) {
	for raw, status := range refusedRequests {
		_, n, err := request(t, raw)
		var fault *wire.Error
		switch {
		case status == 0 && (n != 0 || err != nil):
			t.Errorf("%.80q: want more bytes, got %d, %v", raw, n, err)
		case status != 0 && (!errors.As(err, &fault) || fault.Status != status):
			t.Errorf("%.80q: want %d, got %d, %v", raw, status, n, err)
		}
	}
}

func TestRequests(t *testing.T) {
	f := func(raw, method, target string, minor int, body wire.Framing, length int64, keep, upgrade bool) {
		t.Helper()
		r, n, err := request(t, raw+"next")
		if err != nil || n != len(raw) || string(r.Bytes()) != raw {
			t.Fatalf("%q: %d, %v", raw, n, err)
		}
		if string(r.Method) != method || string(r.Target) != target || r.Minor != minor || r.Body != body || r.Length != length || r.KeepAlive != keep || r.Switch != upgrade {
			t.Errorf("%q: got %+v", raw, r)
		}
	}
	f("GET /%zz HTTP/1.1\r\nhOST: h\r\n\r\n", "GET", "/%zz", 1, wire.None, -1, true, false)
	f("GET / HTTP/1.1\nHost: h\n\n", "GET", "/", 1, wire.None, -1, true, false)
	f("get * HTTP/1.1\r\nHost:\r\nConnection: Close\r\n\r\n", "get", "*", 1, wire.None, -1, false, false)
	f("POST / HTTP/1.0\r\nContent-Length: 007\r\n\r\n", "POST", "/", 0, wire.Length, 7, false, false)
	f("POST / HTTP/1.0\r\nConnection: a, Keep-Alive\r\nContent-Length: 0\r\n\r\n", "POST", "/", 0, wire.Length, 0, true, false)
	f("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \t Chunked \r\nConnection: x, upgrade\r\n\r\n", "POST", "/", 1, wire.Chunked, -1, true, true)
}

// TestNominated: what Connection names is about the connection, but never the
// framing or the host.
func TestNominated(t *testing.T) {
	r, _, err := request(t, "POST / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nContent-Length: 3\r\nx-a: 2\r\nConnection: X-A, host, content-length\r\nX-B: 3\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for i := range r.Len() {
		if !r.Kind(i).HopByHop() {
			kept = append(kept, string(r.Name(i)))
		}
	}
	if got := strings.Join(kept, " "); got != "Host Content-Length X-B" || r.Length != 3 {
		t.Errorf("kept %s, length %d", got, r.Length)
	}
}

func TestAddress(t *testing.T) {
	f := func(line, target, authority string, ok bool) {
		t.Helper()
		r, _, err := request(t, line+" HTTP/1.1\r\nHost: h\r\n\r\n")
		if err != nil {
			t.Fatal(err)
		}
		gotTarget, gotAuthority, _, gotOK := r.Address()
		if string(gotTarget) != target || string(gotAuthority) != authority || gotOK != ok {
			t.Errorf("%s: %s at %s, %t", line, gotTarget, gotAuthority, gotOK)
		}
	}
	f("GET /a", "/a", "h", true)
	f("GET //a/b", "//a/b", "h", true)
	f("OPTIONS *", "*", "h", true)
	f("GET http://o.example:8/x?y", "/x?y", "o.example:8", true)
	f("GET http://u:p@o?y", "/?y", "o", true)
	f("GET http://o", "/", "o", true)
	f("GET http:///x", "/x", "", false)
	f("GET http://a\\b/x", "/x", `a\b`, false)
	f("GET a", "a", "h", false)
	f("CONNECT h:1", "h:1", "h", false)
}

func response(raw string) (*wire.Response, int, error) {
	r := new(wire.Response)
	r.Reset()
	n, err := r.Parse([]byte(raw))
	return r, n, err
}

func TestResponses(t *testing.T) {
	f := func(raw string, head bool, status int, body wire.Framing, length int64, keep bool) {
		t.Helper()
		r, n, err := response(raw)
		if err != nil || n != len(raw) {
			t.Fatalf("%q: %d, %v", raw, n, err)
		}
		r.Frame(head)
		if r.Status != status || r.Body != body || r.Length != length || r.KeepAlive != keep {
			t.Errorf("%q: status %d, body %d, length %d, keep %t", raw, r.Status, r.Body, r.Length, r.KeepAlive)
		}
	}
	f("HTTP/1.1 200\r\n\r\n", false, 200, wire.Close, -1, true)
	f("HTTP/1.1 200 \xe4 fine\r\nContent-Length: 3\r\n\r\n", false, 200, wire.Length, 3, true)
	f("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", false, 200, wire.Length, 3, true)
	f("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", false, 200, wire.Chunked, -1, true)
	f("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", false, 304, wire.None, 3, true)
	f("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, 200, wire.None, 3, true)
	f("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", false, 200, wire.Length, 3, false)
	f("HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\n", false, 200, wire.Length, 3, true)
	f("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n", false, 200, wire.Length, 3, false)
	for _, raw := range []string{
		"HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
		"ICY 200 OK\r\n\r\n", "HTTP/1.1 200 O\rK\r\n\r\n", "HTTP/1.1 200 OK\r\n a: b\r\n\r\n", "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\n \x00\r\n\r\n",
	} {
		if _, n, err := response(raw); err == nil {
			t.Errorf("%q: taken, %d", raw, n)
		}
	}
}

// TestAnswersThatClientsTake although their fields are not as they should be.
func TestAnswersThatClientsTake(t *testing.T) {
	f := func(line, want, name, value string) {
		t.Helper()
		r, _, err := response("HTTP/1.1 200 OK\r\nA: b\r\n" + line + "Content-Length: 3\r\n\r\n")
		if err != nil || r.Len() != 3 || r.Length != 3 {
			t.Fatalf("%q: %d fields, length %d, %v", line, r.Len(), r.Length, err)
		}
		if got := string(r.Line(1)); got != want || string(r.Name(1)) != name || string(r.Value(1)) != value {
			t.Errorf("%q: line %q, name %q, value %q", line, got, r.Name(1), r.Value(1))
		}
	}
	f("X-Old : v\r\n", "X-Old:  v\r\n", "X-Old", "v")
	f("X-Old \t :\r\n", "X-Old:   \r\n", "X-Old", "")
	f("Connection : close\r\n", "Connection:  close\r\n", "Connection", "close")
	f("X: a\x01b\x7f\x1b[0m\r\n", "X: a\x01b\x7f\x1b[0m\r\n", "X", "a\x01b\x7f\x1b[0m")
	f("X: a\r\n b\x02\r\n", "X: a   b\x02\r\n", "X", "a   b\x02")
	if r, _, err := response("HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n"); err != nil || r.Body != wire.Chunked {
		t.Errorf("a blank before the colon hides the framing: %v", err)
	}
	for _, line := range []string{" : a\r\n", "X y : a\r\n", "X: a\x00b\r\n", "X: a\rb\r\n", "X\x01: a\r\n", "X\x01 : a\r\n"} {
		if _, _, err := response("HTTP/1.1 200 OK\r\n" + line + "\r\n"); err == nil {
			t.Errorf("%q: taken", line)
		}
	}
}

// TestTrailersOfAnswers: what does not belong there is left out.
func TestTrailersOfAnswers(t *testing.T) {
	f := func(section, want string) {
		t.Helper()
		for _, size := range []int{1, 2, 5, 1000} {
			data, n, c, err := chunks("3\r\nabc\r\n0\r\n"+section+"next", size, true)
			if err != nil || data != "abc" || n != 11+len(section) || !c.Done() {
				t.Fatalf("%q in %d: %q, %d bytes, done %t, %v", section, size, data, n, c.Done(), err)
			}
			var got strings.Builder
			for i := range c.Fields().Len() {
				got.Write(c.Fields().Line(i))
			}
			if got.String()+"\r\n" != want || string(c.Held()) != want {
				t.Errorf("%q in %d: fields %q, held %q, want %q", section, size, got.String(), c.Held(), want)
			}
		}
	}
	f("Content-Length: 3\r\n\r\n", "\r\n")
	f("A: 1\r\nTransfer-Encoding: chunked\r\nB: 2\r\nHost: h\r\nConnection: A\r\nKeep-Alive: x\r\n\r\n", "A: 1\r\nB: 2\r\n\r\n")
	f("A: 1\nB: 2\r\n\n", "A: 1\r\nB: 2\r\n\r\n")
	f("Set-Cookie: a=b\r\n\r\n", "Set-Cookie: a=b\r\n\r\n")
	for _, section := range []string{"A b: c\r\n\r\n", "a\r\n\r\n", "a: \x00\r\n\r\n"} {
		if _, _, _, err := chunks("0\r\n"+section, 1000, true); err == nil {
			t.Errorf("%q: taken", section)
		}
	}
}

// TestFoldedFieldIsUnfolded in place, so that it is passed on in one line.
func TestFoldedFieldIsUnfolded(t *testing.T) {
	f := func(lines, want, value string) {
		t.Helper()
		r, _, err := response("HTTP/1.1 200 OK\r\n" + lines + "B: c\r\n\r\n")
		if err != nil {
			t.Fatal(err)
		}
		if got := string(r.Line(0)); r.Len() != 2 || got != want || string(r.Value(0)) != value {
			t.Errorf("%q: %d fields, line %q, value %q", lines, r.Len(), got, r.Value(0))
		}
	}
	f("A: b\r\n\tc \r\n", "A: b  \tc \r\n", "b  \tc")
	f("A:\r\n b\r\n  c\r\n", "A:   b    c\r\n", "b    c")
	f("A: b\r\n \r\n", "A: b   \r\n", "b")
	f("A:\n b\n", "A:  b\n", "b")
}

// chunks decodes in pieces of a size.
func chunks(body string, size int, answer bool) (data string, n int, c *wire.Chunks, err error) {
	c = &wire.Chunks{Answer: answer}
	for n < len(body) && !c.Done() {
		piece := []byte(body[n:min(n+size, len(body))])
		for len(piece) > 0 && !c.Done() {
			d, k, err := c.Next(piece)
			data, n, piece = data+string(d), n+k, piece[k:]
			if err != nil {
				return data, n, c, err
			}
		}
	}
	return data, n, c, nil
}

func TestChunks(t *testing.T) {
	f := func(body, want, trailer string) {
		t.Helper()
		for _, size := range []int{1, 2, 3, 7, 1000} {
			data, n, c, err := chunks(body+"next", size, false)
			if err != nil || data != want || n != len(body) || !c.Done() {
				t.Errorf("%q in %d: %q, %d bytes, done %t, %v", body, size, data, n, c.Done(), err)
				continue
			}
			var got strings.Builder
			for i := range c.Fields().Len() {
				got.Write(c.Fields().Line(i))
			}
			if got.String() != trailer || trailer != "" && string(c.Held()) != trailer+"\r\n" {
				t.Errorf("%q in %d: trailer %q, held %q", body, size, got.String(), c.Held())
			}
		}
	}
	f("0\r\n\r\n", "", "")
	f("000\r\n\r\n", "", "")
	f("5\r\nhello\r\n0\r\n\r\n", "hello", "")
	f("00a;x=\"y\";z\r\n0123456789\r\n1\r\n\n\r\n0;last\r\nX-Sum: 7\r\nX-B:\r\n\r\n", "0123456789\n", "X-Sum: 7\r\nX-B:\r\n")
}

func TestRefusedChunks(t *testing.T) {
	for _, body := range []string{
		"\r\n", "x\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1 \r\na\r\n", "1\na\n", "1\r\nab\r\n", "1\r\na\n", "1\r\na\rX", "1\rX", ";x\r\n",
		"1;a\nb\r\na", "1;\x00\r\na", "00000000000000001\r\na", "fffffffffffffffff\r\n", "1;" + strings.Repeat("x", 5000) + "\r\n",
		"0\r\nContent-Length: 1\r\n\r\n", "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nHost: h\r\n\r\n", "0\r\nTrailer: x\r\n\r\n", "0\r\nConnection: x\r\n\r\n",
		"0\r\nA b: c\r\n\r\n", "0\r\n a: c\r\n\r\n", "0\r\na\r\n\r\n", "0\r\na: b\r\n c\r\n\r\n", "0\r\na: b\n\n", "0\r\n\n", "0\r\na: \x00\r\n\r\n",
		"0\r\na: " + strings.Repeat("x", 70<<10) + "\r\n\r\n",
	} {
		for _, size := range []int{1, 3, 1 << 20} {
			if data, n, _, err := chunks(body, size, false); err == nil {
				t.Errorf("%.60q in %d: taken to %d, %q", body, size, n, data)
			}
		}
	}
	if data, _, _, err := chunks("5 \t ;x\r\nhello\r\n0  \r\n\r\n", 1, true); data != "hello" || err != nil {
		t.Errorf("padded: %q, %v", data, err)
	}
	if _, _, _, err := chunks("5 5\r\nhello\r\n0\r\n\r\n", 100, true); err == nil {
		t.Error("two sizes: taken")
	}
}
