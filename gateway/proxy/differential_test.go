package proxy_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// trial is one odd request with the answer that the baseline gives to it.
type trial struct {
	request, answer string
	ends            bool // the baseline closes the connection after it
}

const (
	plainHead   = "GET /plain HTTP/1.1\r\nHost: h\r\n\r\n"
	plainAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
)

// oddTrials are the corpus: targets, methods, fields, bodies and answers.
func oddTrials() []trial {
	var all []trial
	add := func(request, answer string) { all = append(all, trial{request, answer, false}) }
	for _, target := range []string{
		"/", "//", "//a/b", "/a//b/", "/a/../b/./c", "/%2e%2e/", "/%zz", "/%u0041", "/%", "/a%00b", "/a%0d%0aX:%20y", "/a;b=c;d", "/a?b?c=d&&=&e", "/?", "/a?a=1;b=2&c=%zz",
		"/#f", "/a?b#c?d", `/"<>^|{}~[]` + "`\\", "/caf\xc3\xa9/\xff\xfe", "/" + strings.Repeat("x", 5000), "/a?" + strings.Repeat("q=1&", 3000), "*", "/*", "/:80", "/http://x/y",
		"http://other.example/abs?x=%2f", "http://other.example:81", "HTTP://Other.Example/x", "http://u:p@other.example/x", "https://other.example?q",
	} {
		for _, method := range []string{"GET", "OPTIONS"} {
			add(method+" "+target+" HTTP/1.1\r\nHost: h\r\n\r\n", plainAnswer)
		}
	}
	for _, method := range []string{"HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "M-SEARCH", "get", "X!#$%&'*+.^_`|~1", "PRI"} {
		answer := plainAnswer
		if method == "HEAD" {
			answer = "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n"
		}
		for _, fields := range []string{"", "Content-Length: 0\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"} {
			body := map[string]string{"Content-Length: 5\r\n": "hello", "Transfer-Encoding: chunked\r\n": "5\r\nhello\r\n0\r\n\r\n"}[fields]
			add(method+" /m HTTP/1.1\r\nHost: h\r\n"+fields+"\r\n"+body, answer)
		}
	}
	for _, fields := range []string{
		"", "hOST: h\r\n", "Host:h\r\n", "Host: \t h \t \r\n", "Host:\r\n", "Host: [::1]:80\r\n", "Host: h:0\r\n", "Host: A.b.C\r\n",
		"x-b: 2\r\nX-A: 1\r\nHost: h\r\nx-B: 3\r\n", "ACCEPT:*/*\r\nHost: h\r\naccept: b\r\n", "Host: h\r\nX:\r\nY: \r\nZ: a:b:c\r\n", "Host: h\r\nX: caf\xe9 \xff\r\n",
		"Host: h\r\nX: a\tb   c\r\n", "Host: h\r\nX: " + strings.Repeat("y", 20000) + "\r\n", "Host: h\r\n" + strings.Repeat("X: y\r\n", 400),
		"Host: h\r\nCookie: a=1\r\nCookie: b=2; c=\"3\"\r\n", "Host: h\r\n!#$%&'*+-.^_`|~: 1\r\n", "Host: h\r\nContent-Encoding: gzip\r\nContent-Type: a;b=\"c\r\n",
		"Host: h\r\nConnection: keep-alive\r\n", "Host: h\r\nConnection: close\r\n", "Host: h\r\nConnection: X-Hop, Keep-Alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nx-hop: 2\r\n",
		"Host: h\r\nConnection:\r\nX-A: 1\r\n", "Host: h\r\nConnection: ,,close,,\r\n", "Host: h\r\nConnection: host, cookie\r\nCookie: a\r\n", "Host: h\r\nConnection: a\r\nConnection: b\r\nA: 1\r\nB: 2\r\nC: 3\r\n",
		"Host: h\r\nProxy-Connection: keep-alive\r\n", "Host: h\r\nTE: trailers\r\n", "Host: h\r\nTE: gzip;q=0.5, Trailers\r\nConnection: TE\r\n", "Host: h\r\nTE: gzip\r\n",
		"Host: h\r\nUpgrade: websocket\r\n", "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", "Host: h\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n",
		"Host: h\r\nUpgrade: h2c, x/1\r\nConnection: upgrade\r\n", "Host: h\r\nUpgrade: TLS/1.0, HTTP/1.1\r\nConnection: Upgrade\r\n", "Host: h\r\nHTTP2-Settings: AAMAAABk\r\n",
		"Host: h\r\nIdempotency-Key: k\r\nX-idempotency-key: l\r\n", "Host: h\r\nForwarded: for=1\r\nX-Forwarded-For: 1, 2\r\nX-Forwarded-Proto: https\r\nVia: 1.1 a\r\n", "Host: h\r\nMax-Forwards: 0\r\n",
		"Host: h\r\nExpect: something\r\n", "Host: h\r\nRange: bytes=0-\r\nIf-Range: x\r\n", "Host: h\r\nDate: yesterday\r\nFrom: a\r\n", "Host: h\r\nAuthorization: Basic x\r\nProxy-Authorization: y\r\n",
		"Host: h\r\nPragma: no-cache\r\nCache-Control: no-store\r\n", "Host: h\r\nTrailer: X\r\n", "Host: h\r\nUser-Agent:\r\n", "Host: h\r\nAccept-Encoding: \r\n", "Host: h\nX: bare\nY: lf\n",
	} {
		if !strings.Contains(strings.ToLower(fields), "host:") {
			add("GET /old HTTP/1.0\r\n"+fields+"\r\n", plainAnswer)
			continue
		}
		add("GET /f HTTP/1.1\r\n"+fields+"\r\n", plainAnswer)
		add("POST /f HTTP/1.1\r\n"+fields+"Content-Length: 3\r\n\r\nabc", plainAnswer)
		add("GET /f HTTP/1.0\r\n"+fields+"\r\n", plainAnswer)
	}
	add("\r\n"+plainHead, plainAnswer)
	add("\n\r\n"+plainHead, plainAnswer)
	for _, body := range []string{
		"0\r\n\r\n", "1\r\nx\r\n0\r\n\r\n", "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", "00000005\r\nhello\r\n000\r\n\r\n", "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
		"5;a=b\r\nhello\r\n0;c=\"d;e\"\r\n\r\n", "5;\r\nhello\r\n0\r\n\r\n", "2\r\n\r\n\r\n0\r\n\r\n", "0\r\nX-Sum: 7\r\n\r\n", "3\r\nabc\r\n0\r\nx-a: 1\r\nX-A: 2\r\nB:\r\n\r\n", "0\r\n" + strings.Repeat("X: y\r\n", 500) + "\r\n",
		fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", 100000, strings.Repeat("z", 100000)), strings.Repeat("1\r\nx\r\n", 3000) + "0\r\n\r\n", "4\r\n\x00\xff\r\n\r\n0\r\nX: caf\xe9\r\n\r\n",
	} {
		for _, head := range []string{"POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "GET /c HTTP/1.1\r\nHost: h\r\nTrailer: X-Sum, x-a\r\nTRANSFER-ENCODING:  CHUNKED \r\n\r\n"} {
			add(head+body, plainAnswer)
		}
	}
	for _, n := range []int{1, 4095, 4096, 4097, 32768, 300000} {
		body := strings.Repeat("0123456789", 1+n/10)[:n]
		add(fmt.Sprintf("PUT /l HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", n, body), plainAnswer)
		add("GET /l HTTP/1.1\r\nHost: h\r\n\r\n", fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, body))
		add("GET /l HTTP/1.1\r\nHost: h\r\n\r\n", fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%X\r\n%s\r\n0\r\n\r\n", n, body))
	}
	answers := []string{
		"HTTP/1.1 200 Aye Aye\r\nx-b: 1\r\nX-A:2\r\nDATE: never\r\ncontent-length: 0\r\n\r\n", "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 200 caf\xe9\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\nContent-Type: a\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Type: a/b\r\nContent-Length: 9\r\nETag: \"x\"\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 302 Found\r\nLocation: /a b\xff\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 401 U\r\nWWW-Authenticate: a\r\nwww-authenticate: b\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 599 X\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nProxy-Connection: x\r\nUpgrade: x\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nmore: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding:chunked\r\n\r\n5  \r\nhello\r\n000\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nx\r\n", 2000) + "0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" + plainAnswer, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLINK: </b>\r\n\r\nHTTP/1.1 103 Again\r\n\r\n" + plainAnswer, "HTTP/1.1 102 Processing\r\n\r\n" + plainAnswer, "HTTP/1.1 199 X\r\nA: b\r\n\r\n" + plainAnswer,
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 50000) + "\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 1000) + "Content-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\nA: b\nContent-Length: 1\n\nx",
		"HTTP/1.1 200 OK\r\nServer:\r\nVia: 1.0 x\r\nAge: 0\r\nWarning: 199 - \"x\"\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-0/2\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x00",
	}
	for _, answer := range answers {
		for _, head := range []string{"GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", "DELETE /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"} {
			add(head, answer)
		}
	}
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\n\r\nto the end", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nto the end", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ncut",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 500 Oops\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx",
	} {
		for _, head := range []string{"GET /e HTTP/1.1\r\nHost: h\r\n\r\n", "POST /e HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", "GET /e HTTP/1.0\r\nHost: h\r\n\r\n"} {
			all = append(all, trial{head, answer, true})
		}
	}
	return all
}

// scripted is a baseline that keeps what it sees and answers by script.
type scripted struct {
	mu   sync.Mutex
	now  trial
	seen bytes.Buffer
}

func (s *scripted) begin(x trial) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = x
	s.seen.Reset()
}

func (s *scripted) serve(c net.Conn, r *bufio.Reader) {
	for {
		raw := readRequest(r)
		s.mu.Lock()
		s.seen.WriteString(raw)
		now := s.now
		s.mu.Unlock()
		if raw == "" {
			return
		}
		_, err := io.WriteString(c, now.answer)
		if err != nil || now.ends || strings.Contains(strings.SplitN(raw, "\n", 2)[0], "HTTP/1.0") {
			return
		}
	}
}

var (
	lengthLine = regexp.MustCompile(`(?im)^content-length:[ \t]*([0-9]+)[ \t]*\r?$`)
	codingLine = regexp.MustCompile(`(?im)^transfer-encoding:[ \t]*chunked[ \t]*\r?$`)
)

// readRequest is a reader of its own, which knows no more than it must.
func readRequest(r *bufio.Reader) string {
	var raw strings.Builder
	line := func() string {
		l, err := r.ReadString('\n')
		raw.WriteString(l)
		if err != nil {
			return ""
		}
		return strings.TrimRight(l, "\r\n") + "\n"
	}
	first := line()
	for first == "\n" {
		first = line()
	}
	for l := first; l != "\n"; l = line() {
		if l == "" {
			return raw.String()
		}
	}
	body := func(n int64) { _, _ = io.CopyN(&raw, r, n) }
	switch head := raw.String(); {
	case codingLine.MatchString(head):
		for {
			size, _, _ := strings.Cut(strings.TrimSpace(line()), ";")
			n, err := strconv.ParseInt(size, 16, 64)
			if err != nil || n == 0 {
				break
			}
			body(n + 2)
		}
		for l := line(); l != "\n" && l != ""; l = line() {
		}
	default:
		if m := lengthLine.FindStringSubmatch(head); m != nil {
			n, _ := strconv.ParseInt(m[1], 10, 64)
			body(n)
		}
	}
	return raw.String()
}

// changed applies what docs/record.md lists to a message that was sent directly.
func changed(t *testing.T, raw string, request bool) string {
	t.Helper()
	if request {
		raw = strings.TrimLeft(raw, "\r\n")
	}
	var head []string
	for {
		line, rest, ok := strings.Cut(raw, "\n")
		if !ok {
			return strings.Join(head, "") // cut within the head
		}
		raw = rest
		head = append(head, strings.TrimSuffix(line, "\r")+"\r\n")
		if head[len(head)-1] == "\r\n" {
			break
		}
	}
	h := http.Header{}
	names := make([]string, len(head))
	for i, line := range head[1 : len(head)-1] {
		name, value, _ := strings.Cut(line, ":")
		names[i+1] = textproto.CanonicalMIMEHeaderKey(name)
		h.Add(names[i+1], strings.Trim(value, " \t\r\n"))
	}
	drop := []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Upgrade", "Http2-Settings"}
	list := strings.ToLower(strings.Join(h["Connection"], ","))
	for name := range strings.SplitSeq(list, ",") {
		switch name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)); name {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer", "":
		default:
			drop = append(drop, name)
		}
	}
	upgrade := ""
	first := strings.Fields(head[0])
	if request {
		if strings.Contains(list, "upgrade") && first[2] == "HTTP/1.1" {
			var others []string
			for p := range strings.SplitSeq(strings.Join(h["Upgrade"], ","), ",") {
				if p = strings.TrimSpace(p); p != "h2c" && p != "" {
					others = append(others, p)
				}
			}
			upgrade = strings.Join(others, ", ")
		}
		if scheme, rest, ok := strings.Cut(first[1], "://"); ok && !strings.Contains(scheme, "/") {
			i := strings.IndexAny(rest+"/", "/?")
			authority, target := rest[:i], rest[i:]
			if !strings.HasPrefix(target, "/") {
				target = "/" + target
			}
			head[0] = first[0] + " " + target + " " + first[2] + "\r\n"
			for i, name := range names {
				if name == "Host" {
					head[i] = head[i][:4] + ": " + authority[strings.LastIndexByte(authority, '@')+1:] + "\r\n"
				}
			}
		}
	}
	var out strings.Builder
	te := false
	for i, line := range head[:len(head)-1] {
		switch {
		case names[i] == "Te" && !te && strings.Contains(strings.ToLower(line), "trailers"):
			te = true
			out.WriteString(line[:2] + ": trailers\r\n")
		case i == 0 || !slices.Contains(drop, names[i]):
			out.WriteString(line)
		}
	}
	if upgrade != "" {
		out.WriteString("Connection: Upgrade\r\nUpgrade: " + upgrade + "\r\n")
	}
	if code := first[1]; !request && code[0] == '1' {
		return out.String() + "\r\n" + changed(t, raw, false)
	}
	return out.String() + "\r\n" + raw
}

// exchange sends a request and reads until the connection ends or pauses, which
// it does when the answer is whole.
func exchangeRaw(t *testing.T, address, request string) (answer string, ended bool) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() { io.WriteString(c, request) }()
	var got bytes.Buffer
	buffer := make([]byte, 64<<10)
	for {
		pause := 20 * time.Second
		if whole(request, got.String()) && !strings.Contains(got.String(), "\r\nConnection: close\r\n") {
			pause = 2 * time.Millisecond
		}
		_ = c.SetReadDeadline(time.Now().Add(pause))
		n, err := c.Read(buffer)
		got.Write(buffer[:n])
		if err != nil {
			return got.String(), errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "timeout")
		}
	}
}

// whole reports whether net/http takes an answer for whole.
func whole(request, answer string) bool {
	r := bufio.NewReader(strings.NewReader(answer))
	method, _, _ := strings.Cut(strings.TrimLeft(request, "\r\n"), " ")
	for {
		response, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return false
		}
		if response.StatusCode >= 200 {
			_, err = io.Copy(io.Discard, response.Body)
			return err == nil && (response.ContentLength >= 0 || len(response.TransferEncoding) > 0 || response.Body == http.NoBody)
		}
	}
}

// TestNothingIsAltered sends every trial to the baseline directly and through
// the proxy. Both sides must see the same bytes, but for what docs/record.md
// lists.
func TestNothingIsAltered(t *testing.T) {
	onlyWire(t)
	base := new(scripted)
	direct := rawUpstream(t, base.serve)
	through := proxyTo(t, direct)
	trials := oddTrials()
	if len(trials) < 300 {
		t.Fatalf("only %d trials", len(trials))
	}
	look := func(address string, x trial) (saw, answer string, ended bool) {
		base.begin(x)
		answer, ended = exchangeRaw(t, address, x.request)
		base.mu.Lock()
		defer base.mu.Unlock()
		return base.seen.String(), answer, ended
	}
	shown := 0
	for i, x := range trials {
		saw, answer, _ := look(direct, x)
		sawToo, answerToo, endedToo := look(through, x)
		wantSaw, wantAnswer := changed(t, saw, true), changed(t, answer, false)
		// How long the connection lasts is between client and proxy.
		got := strings.Replace(strings.Replace(answerToo, "Connection: close\r\n", "", 1), "Connection: keep-alive\r\n", "", 1)
		if strings.Contains(answerToo, "\r\nConnection: close\r\n") && !endedToo {
			t.Errorf("trial %d, %.60q: it announced a close and did not", i, x.request)
		}
		if strings.HasPrefix(strings.Fields(x.request)[2], "HTTP/1.0") {
			wantAnswer = strings.Replace(wantAnswer, "Transfer-Encoding: chunked\r\n", "", 1)
			if before, body, chunked := strings.Cut(wantAnswer, "\r\n\r\n"); chunked && strings.Contains(answer, "Transfer-Encoding: chunked") {
				wantAnswer = before + "\r\n\r\n" + unchunked(body)
			}
		}
		if sawToo != wantSaw || got != wantAnswer {
			if shown++; shown < 15 {
				t.Errorf("trial %d: %.300q answered by %.200q\nbaseline saw %.500q\n        want %.500q\nclient saw %.500q\n      want %.500q", i, x.request, x.answer, sawToo, wantSaw, answerToo, wantAnswer)
			}
		}
	}
	t.Logf("%d trials", len(trials))
	if shown > 0 {
		t.Errorf("%d of %d trials are altered", shown, len(trials))
	}
}

// unchunked is the data of a chunked body, which may be cut.
func unchunked(body string) string {
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+body)), nil)
	if err != nil {
		return body
	}
	b, _ := io.ReadAll(response.Body)
	return string(b)
}

// TestSmugglingIsRefused: the baseline sees nothing of what two servers could
// understand in two ways.
func TestSmugglingIsRefused(t *testing.T) {
	onlyWire(t)
	base := new(scripted)
	base.begin(trial{answer: plainAnswer})
	address := proxyTo(t, rawUpstream(t, base.serve))
	const post = "POST / HTTP/1.1\r\nHost: h\r\n"
	f := func(request, status string) {
		t.Helper()
		base.begin(trial{answer: plainAnswer})
		c, r := dial(t, address)
		io.WriteString(c, request)
		got, _ := io.ReadAll(r)
		base.mu.Lock()
		defer base.mu.Unlock()
		if !strings.HasPrefix(string(got), "HTTP/1.1 "+status) || strings.Count(string(got), "HTTP/1.1") != 1 || base.seen.Len() > 0 {
			t.Errorf("%q: client got %q, baseline saw %q", request, got, base.seen.String())
		}
	}
	f(post+"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "400")
	f(post+"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"+plainHead, "400")
	f(post+"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400")
	f(post+"Transfer-Encoding: gzip\r\n\r\n", "501")
	f(post+"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "400")
	f(post+"X: a\rTransfer-Encoding: chunked\r\n\r\n", "400")
	f(post+"X: a\r\n Transfer-Encoding: chunked\r\n\r\n", "400")
	f("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400")
	f("GET / HTTP/1.1\r\n\r\n", "400")
	f("GET / HTTP/3.0\r\nHost: h\r\n\r\n", "505")
	f("GET / HTTP/1.1\r\nHost: h\r\nX: "+strings.Repeat("x", 2<<20)+"\r\n\r\n", "431")
	// The head is not known to be bad, so the baseline may see a head and the
	// beginning of a body, and never the end of one.
	g := func(body string) {
		t.Helper()
		base.begin(trial{answer: plainAnswer})
		c, r := dial(t, address)
		io.WriteString(c, post+"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"+body+plainHead)
		got, _ := io.ReadAll(r)
		base.mu.Lock()
		defer base.mu.Unlock()
		if strings.Contains(string(got), " 200 ") || strings.Contains(base.seen.String(), "/plain") || strings.Contains(base.seen.String(), "\r\n0\r\n") {
			t.Errorf("%q: client got %q, baseline saw %q", body, got, base.seen.String())
		}
	}
	g("0\r\nContent-Length: 3\r\n\r\n")
	g("0\n\n")
	g("+0\r\n\r\n")
	g("0x0\r\n\r\n")
	g("1\r\nabc\r\n0\r\n\r\n")
	g("1;a\nb\r\nx\r\n0\r\n\r\n")
}
