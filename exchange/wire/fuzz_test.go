package wire_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"understudy.dev/exchange/wire"
)

// FuzzRequest: what net/http refuses, but for its own rules about URLs, is
// refused; of what both take they have the same idea; and it does not matter in
// which pieces a head comes.
func FuzzRequest(f *testing.F) {
	for raw := range refusedRequests {
		if len(raw) < 1000 {
			f.Add([]byte(raw))
		}
	}
	f.Add([]byte("POST /a?b HTTP/1.1\r\nHost: h\r\nX-A:  b \r\nContent-Length: 3\r\n\r\nabc"))
	f.Add([]byte("GET / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := new(wire.Request)
		r.Reset()
		n, err := r.Parse(bytes.Clone(data))
		slow := new(wire.Request)
		slow.Reset()
		for i := range len(data) + 1 {
			k, slowErr := slow.Parse(data[:i])
			if k == 0 && slowErr == nil {
				continue
			}
			if k != n || err != nil != (slowErr != nil) {
				t.Fatalf("at once %d, %v; byte by byte %d, %v", n, err, k, slowErr)
			}
			break
		}
		theirs, theirErr := http.ReadRequest(bufio.NewReader(bytes.NewReader(data)))
		if n == 0 {
			return
		}
		if theirErr != nil {
			if strings.HasPrefix(theirErr.Error(), "parse ") || strings.Contains(theirErr.Error(), "invalid URI") {
				return // an odd escape, say
			}
			t.Fatalf("net/http refuses it: %v", theirErr)
		}
		if theirs.Method != string(r.Method) || theirs.RequestURI != string(r.Target) || theirs.ProtoMinor != r.Minor {
			t.Fatalf("request line: %s %s 1.%d", theirs.Method, theirs.RequestURI, theirs.ProtoMinor)
		}
		chunked := len(theirs.TransferEncoding) > 0
		if chunked != (r.Body == wire.Chunked) || !chunked && theirs.ContentLength != max(r.Length, 0) {
			t.Fatalf("net/http: length %d, coding %v; ours: %d, %d", theirs.ContentLength, theirs.TransferEncoding, r.Body, r.Length)
		}
		ours := http.Header{}
		for i := range r.Len() {
			if k := r.Kind(i); k != wire.Host && k != wire.TransferEncoding && k != wire.Trailer && k != wire.ContentLength {
				ours.Add(string(r.Name(i)), string(r.Value(i)))
			}
		}
		theirs.Header.Del("Content-Length")
		for name, values := range theirs.Header {
			if strings.Join(values, "\n") != strings.Join(ours[name], "\n") {
				t.Fatalf("%s: net/http has %q, we %q", name, values, ours[name])
			}
		}
		for name := range ours {
			if _, ok := theirs.Header[name]; !ok && name != "Pragma" {
				t.Fatalf("%s: net/http has it not", name)
			}
		}
	})
}

// FuzzResponse: of what both take net/http has the same idea.
func FuzzResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"))
	f.Add([]byte("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nA: b\r\n c\r\n\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		theirs, theirErr := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), nil)
		r := new(wire.Response)
		r.Reset()
		n, err := r.Parse(data)
		if n == 0 || err != nil || theirErr != nil {
			return
		}
		r.Frame(false)
		want := map[wire.Framing]int64{wire.None: 0, wire.Length: r.Length, wire.Chunked: -1, wire.Close: -1}[r.Body]
		if theirs.StatusCode != r.Status || theirs.ContentLength != want || (len(theirs.TransferEncoding) > 0) != (r.Body == wire.Chunked) {
			t.Fatalf("net/http: %d, length %d, coding %v; ours: %d, %d, %d", theirs.StatusCode, theirs.ContentLength, theirs.TransferEncoding, r.Status, r.Body, r.Length)
		}
	})
}

// FuzzChunks: what net/http refuses is refused, and what is taken is the same
// data, in whatever pieces it comes.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\n\r\n"), uint8(3))
	f.Add([]byte("5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n"), uint8(1))
	f.Add([]byte("1 \r\na\r\n0\r\n\r\n"), uint8(2))
	f.Fuzz(func(t *testing.T, body []byte, size uint8) {
		data, n, c, err := chunks(string(body), len(body)+1, false)
		again, k, d, againErr := chunks(string(body), int(size)+1, false)
		if (err != nil) != (againErr != nil) || err == nil && (data != again || n != k || c.Done() != d.Done()) {
			t.Fatalf("at once %q, %d, %v; in pieces %q, %d, %v", data, n, err, again, k, againErr)
		}
		if err != nil || !c.Done() {
			return
		}
		raw := "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + string(body[:n])
		theirs, theirErr := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if theirErr != nil {
			t.Fatal(theirErr)
		}
		b, theirErr := io.ReadAll(theirs.Body)
		if theirErr != nil && strings.Contains(theirErr.Error(), "too much non-data") {
			return
		}
		if theirErr != nil && !errors.Is(theirErr, io.EOF) || string(b) != data {
			t.Fatalf("net/http reads %q, %v; we %q", b, theirErr, data)
		}
	})
}
