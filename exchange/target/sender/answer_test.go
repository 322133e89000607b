package sender_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"understudy.dev/exchange/target/sender"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// trial is an answer, and what each engine makes of it.
type trial struct {
	method, answer   string
	onWire, onOthers string // onOthers is "" where it is alike
}

func flood(text string, n int) string { return strings.Repeat(text, n) }

// trials are answers that a candidate may give, also one that means no good.
var trials = []trial{
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", `200 "ok" of 2`, ""},
	{"GET", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", `200 "ok" of 2`, ""},
	{"GET", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", `200 "ok" of 2`, ""},
	{"GET", "HTTP/1.0 200 OK\r\n\r\nto the end", `200 "to the end" of 10`, ""},
	{"GET", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end", `200 "to the end" of 10`, ""},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", `200 "" of 0`, ""},
	{"GET", "HTTP/1.1 204 No Content\r\n\r\n", `204 "" of 0`, ""},
	{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", `304 "" of 0`, ""},
	{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", `200 "" of 0`, ""},
	{"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", `200 "" of 0`, ""},
	{"GET", "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", `302 "" of 0`, ""},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n1\r\n!\r\n0\r\n\r\n", `200 "ok!" of 3`, ""},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 77\r\n\r\n2\r\nok\r\n0\r\n\r\n", `200 "ok" of 2`, ""},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n", `200 "ok" of 2 X-Sum=7`, ""},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", `200 "ok" of 2`, ""},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + flood("1\r\nx\r\n", 3000) + "0\r\n\r\n", fmt.Sprintf("200 %q of 3000", flood("x", 1024)), ""},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + flood("x", 100000), fmt.Sprintf("200 %q of 100000", flood("x", 1024)), ""},
	{"GET", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", `200 "ok" of 2`, ""},
	{"GET", "HTTP/1.1 200 OK\r\n" + flood("X: y\r\n", 3000) + "Content-Length: 2\r\n\r\nok", `200 "ok" of 2`, ""},

	{"GET", "", "RESET", ""},
	{"GET", "HTTP/1.1 2", "RESET", "PROTOCOL"},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "RESET", ""},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nshort", "RESET", ""},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", "RESET", ""},
	{"GET", "HTTP/1.1 100 Continue\r\n\r\n", "RESET", ""},
	{"GET", "nonsense\r\n\r\n", "PROTOCOL", ""},
	{"GET", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "PROTOCOL", `200 "ok" of 2`},
	{"GET", "HTTP/1.1 2x0 OK\r\n\r\n", "PROTOCOL", ""},
	{"GET", "HTTP/1.1 99 OK\r\n\r\n", "PROTOCOL", ""},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok", "PROTOCOL", ""},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok", "PROTOCOL", ""},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "PROTOCOL", ""},
	{"GET", "HTTP/1.1 200 OK\r\nNo colon\r\n\r\n", "PROTOCOL", ""},
	{"GET", "HTTP/1.1 200 OK\r\nA: b\x00c\r\nContent-Length: 0\r\n\r\n", "PROTOCOL", ""},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "PROTOCOL", ""},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n", "PROTOCOL", ""},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n", "PROTOCOL", ""},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;" + flood("x", 10000) + "\r\nok\r\n0\r\n\r\n", "PROTOCOL", ""},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + flood("X-Sum: "+flood("x", 1000)+"\r\n", 100) + "\r\n", "PROTOCOL", ""},
	{"GET", "HTTP/1.1 200 OK\r\nX: " + flood("x", 2<<20) + "\r\n\r\n", "PROTOCOL", ""},
	{"GET", "HTTP/1.1 200 OK\r\n" + flood("X: y\r\n", 300_000) + "\r\n", "PROTOCOL", ""},
	{"GET", flood("HTTP/1.1 102 Processing\r\n\r\n", 100_000) + ok, "PROTOCOL", ""},
	{"GET", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "PROTOCOL", ""},
}

// saying is a network whose servers read a request and say something, in pieces
// of a size, 0 at once, and close.
func saying(answer string, size int) func(context.Context, string, string) (net.Conn, error) {
	dial, _ := piped(func(_ int, c net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		for rest := answer; len(rest) > 0; {
			n := len(rest)
			if size > 0 {
				n = min(size, n)
			}
			if _, err := io.WriteString(c, rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
	})
	return dial
}

// TestAnswers: both engines understand the same, however it comes.
func TestAnswers(t *testing.T) {
	for _, x := range trials {
		for _, size := range []int{0, 1, 7} {
			if size > 0 && len(x.answer) > 20_000 {
				continue
			}
			for engine, want := range map[string]string{sender.EngineWire: x.onWire, sender.EngineNetHTTP: orElse(x.onOthers, x.onWire)} {
				client := sender.New(config(engine, func(c *sender.Config) { c.Dial = saying(x.answer, size) }))
				if got := told(client.Exchange(t.Context(), request(x.method, "h:80", "/"))); got != want {
					t.Errorf("%s, in pieces of %d: %s %.80q: got %.80s, want %.80s", engine, size, x.method, x.answer, got, want)
				}
				client.Close()
			}
		}
	}
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// TestFields are those that came, in their order and spelling, but for those of
// the connection.
func TestFields(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nset-cookie: b=2\r\nX-A:  1 \r\nConnection: X-Hop\r\nX-Hop: 1\r\nSet-Cookie: a=1\r\nX-Folded: a\r\n b\r\nContent-Length: 0\r\n\r\n"
	client := sender.New(config(sender.EngineWire, func(c *sender.Config) { c.Dial = saying(answer, 0) }))
	defer client.Close()
	r, err := client.Exchange(t.Context(), request("GET", "h:80", "/"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range r.GetHeaders() {
		got = append(got, h.GetName()+"="+string(h.GetValue()))
	}
	if want := []string{"set-cookie=b=2", "X-A=1", "Set-Cookie=a=1", "X-Folded=a   b", "Content-Length=0"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAnEarlyAnswer comes while the request is still being sent, or before.
func TestAnEarlyAnswer(t *testing.T) {
	both(t, func(t *testing.T, engine string) {
		s := serve(t, func(_ int, c net.Conn, in *bufio.Reader) {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!")
			_, _ = io.Copy(io.Discard, in)
		})
		client := sender.New(config(engine, nil))
		defer client.Close()
		for range 2 {
			q := request("POST", s.address(), "/")
			q.Body = make([]byte, 64<<20)
			if got := told(client.Exchange(t.Context(), q)); got != `413 "no!" of 3` {
				t.Error(got)
			}
		}
	})
}

// TestAnEndlessAnswer is cut by the timeout.
func TestAnEndlessAnswer(t *testing.T) {
	both(t, func(t *testing.T, engine string) {
		for _, begin := range []string{"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"} {
			s := serve(t, func(_ int, c net.Conn, in *bufio.Reader) {
				if _, err := http.ReadRequest(in); err != nil {
					return
				}
				_, err := io.WriteString(c, begin)
				for err == nil {
					_, err = c.Write([]byte("x"))
					time.Sleep(time.Millisecond)
				}
			})
			client := sender.New(config(engine, func(c *sender.Config) { c.Timeout = 50 * time.Millisecond }))
			if got := told(client.Exchange(t.Context(), request("GET", s.address(), "/"))); got != "TIMEOUT" {
				t.Errorf("%q: %s", begin, got)
			}
			client.Close()
		}
	})
}

// FuzzAnswer: whatever comes, in whatever pieces, no more is kept than is allowed,
// the exchange ends, and of what both engines take for an answer they have the
// same idea. What net/http refuses may be taken only where it is more strict than
// need be.
func FuzzAnswer(f *testing.F) {
	for _, x := range trials {
		if len(x.answer) < 2000 {
			f.Add([]byte(x.answer), uint8(0), x.method == "HEAD")
			f.Add([]byte(x.answer), uint8(3), x.method == "HEAD")
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, size uint8, isHead bool) {
		if len(data) > 16<<10 {
			return
		}
		method := http.MethodGet
		if isHead {
			method = http.MethodHead
		}
		var got [2]*understudyv1.Response
		for i, engine := range sender.Engines() {
			client := sender.New(config(engine, func(c *sender.Config) { c.Dial, c.CaptureLimit = saying(string(data), int(size)), 64 }))
			got[i], _ = client.Exchange(t.Context(), request(method, "h:80", "/"))
			client.Close()
			if len(got[i].GetBody().GetContent()) > 64 {
				t.Fatalf("%s kept %d bytes", engine, len(got[i].GetBody().GetContent()))
			}
		}
		ours, theirs := got[0], got[1]
		if ours == nil || theirs == nil {
			return
		}
		a, b := ours.GetBody(), theirs.GetBody()
		if ours.GetStatus() != theirs.GetStatus() || ours.GetProtocol() != theirs.GetProtocol() || a.GetLength() != b.GetLength() || !bytes.Equal(a.GetContent(), b.GetContent()) || !bytes.Equal(a.GetSha256(), b.GetSha256()) {
			t.Fatalf("%q: on wire %s, on net/http %s", data, told(ours, nil), told(theirs, nil))
		}
	})
}
