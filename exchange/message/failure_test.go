package message_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"understudy.dev/exchange/message"
)

// raw answers every connection with f and returns its address.
func raw(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); f(c) }()
		}
	}()
	return "http://" + l.Addr().String()
}

// says reads the head of a request and answers with bytes.
func says(answer string) func(net.Conn) {
	return answers(func(c net.Conn) { _, _ = c.Read(make([]byte, 4<<10)) }, answer)
}

// answers takes a request as it is told to and answers with bytes.
func answers(take func(net.Conn), answer string) func(net.Conn) {
	return func(c net.Conn) {
		take(c)
		_, _ = io.WriteString(c, answer)
		// What is unread when a connection is closed resets it, and the answer
		// may be lost with it.
		if half, ok := c.(*net.TCPConn); ok && half.CloseWrite() == nil {
			_ = c.SetReadDeadline(time.Now().Add(time.Second))
			_, _ = io.Copy(io.Discard, c)
		}
	}
}

// takesHTTP2 reads what a client of HTTP/2 sends up to its first request: a
// connection that breaks before that fails for a reason of its own.
func takesHTTP2(c net.Conn) {
	_, _ = io.CopyN(io.Discard, c, int64(len(http2.ClientPreface)))
	for frames := http2.NewFramer(io.Discard, c); ; {
		f, err := frames.ReadFrame()
		if err != nil || f.Header().Type == http2.FrameHeaders {
			return
		}
	}
}

// failure is what net/http says of a request to an address, be it when the
// answer is asked for or when its body is read.
func failure(ctx context.Context, t *testing.T, address string, h2c bool) error {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!h2c)
	protocols.SetUnencryptedHTTP2(h2c)
	transport := &http.Transport{Protocols: protocols, ResponseHeaderTimeout: 200 * time.Millisecond, MaxResponseHeaderBytes: 4 << 10}
	defer transport.CloseIdleConnections()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := transport.RoundTrip(q)
	if err == nil {
		_, err = io.ReadAll(a.Body)
		a.Body.Close()
	}
	return err
}

// TestTransportErrors on the errors that net/http makes of real faults.
func TestTransportErrors(t *testing.T) {
	ctx := t.Context()
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	expired, cancel := context.WithTimeout(ctx, time.Nanosecond)
	defer cancel()
	f := func(what string, err error, want string) {
		t.Helper()
		e := message.TransportError(err)
		got := strings.TrimPrefix(e.GetKind().String(), "KIND_") + " " + e.GetMessage()
		if got != want {
			t.Errorf("%s: got %q, want %q, of %T %v", what, got, want, err, err)
		}
	}
	const (
		timeout  = "TIMEOUT no whole answer in time"
		reset    = "RESET the connection broke before the answer was whole"
		protocol = "PROTOCOL the answer is not HTTP, or more than is allowed"
		noTLS    = "CONNECT no connection: the TLS handshake failed"
		gone     = "CANCELED the request was canceled"
	)
	http1 := func(c func(net.Conn)) error { t.Helper(); return failure(ctx, t, raw(t, c), false) }
	handled := func(h http.HandlerFunc, secure bool) string {
		s := httptest.NewUnstartedServer(h)
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetHTTP1(true)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		if secure {
			s.StartTLS()
		} else {
			s.Start()
		}
		t.Cleanup(s.Close)
		return s.URL
	}
	abort := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	f("refused", failure(ctx, t, "http://"+l.Addr().String(), false), "CONNECT no connection: connection refused")
	f("no such host", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "secret", Name: "secret", IsNotFound: true}}, "CONNECT no connection: no such host")
	f("no resolver", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "secret", Name: "secret"}}, "CONNECT no connection: the host's name could not be looked up")
	f("dial timeout", &net.OpError{Op: "dial", Err: timedOut{}}, timeout)
	f("no answer", http1(func(c net.Conn) { _, _ = io.ReadAll(c) }), timeout)
	f("deadline", failure(expired, t, handled(abort, false), false), timeout)
	f("canceled", failure(canceled, t, handled(abort, false), false), gone)

	f("reset", http1(func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4<<10))
		_ = c.(*net.TCPConn).SetLinger(0)
	}), reset)
	f("closed", http1(says("")), reset)
	f("closed in the head", http1(says("HTTP/1.1 200 O")), reset)
	f("closed in the body", http1(says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")), reset)
	f("closed in a chunk", http1(says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nx")), reset)
	f("closed in the trailer", http1(says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA")), reset)
	f("aborted stream", failure(ctx, t, handled(abort, false), true), reset)
	f("wrapped", fmt.Errorf("body broke off after 9 bytes: %w", io.ErrUnexpectedEOF), reset)
	f("closed by us", fmt.Errorf("read: %w", net.ErrClosed), reset)

	f("unknown authority", failure(ctx, t, handled(abort, true), false), noTLS)
	f("no TLS there", failure(ctx, t, strings.Replace(handled(abort, false), "http:", "https:", 1), false), noTLS)
	f("alert", &net.OpError{Op: "remote error", Err: tls.AlertError(40)}, noTLS)

	f("not HTTP", http1(says("SSH-2.0-secret\r\n\r\n")), protocol)
	f("not HTTP, with words of ours", http1(says("stream error: server closed tls: connection broken EOF\r\n\r\n")), protocol)
	f("malformed field", http1(says("HTTP/1.1 200 OK\r\nno field\r\n\r\n")), protocol)
	f("malformed length", http1(says("HTTP/1.1 200 OK\r\nContent-Length: secret\r\n\r\n")), protocol)
	f("malformed chunk", http1(says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n")), protocol)
	f("unknown transfer coding", http1(says("HTTP/1.1 200 OK\r\nTransfer-Encoding: secret\r\n\r\n")), protocol)
	f("long head", http1(says("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 8<<10)+"\r\n\r\n")), protocol)
	f("HTTP/1.1 instead of HTTP/2", failure(ctx, t, raw(t, answers(takesHTTP2, "HTTP/1.1 400 Bad Request\r\n\r\n")), true), protocol)
	f("client gone", fmt.Errorf("write: %w", message.ErrClientGone), "CANCELED the client went away")
	f("unexpected 101", message.ErrUnexpectedUpgrade, protocol)
	f("not sendable", fmt.Errorf("x: %w", message.ErrUnsendable), "REFUSED "+message.ErrUnsendable.Error())
	f("breach of HTTP/2", errors.New("stream error: stream ID 1; PROTOCOL_ERROR; received from peer"), protocol)
	f("words of the peer", errors.New(`http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR, debug="PROTOCOL_ERROR"`), reset)
	if e := message.TransportError(nil); e != nil {
		t.Errorf("no error: got %v", e)
	}
}

// timedOut is what a dialer's timeout looks like.
type timedOut struct{}

func (timedOut) Error() string   { return "i/o timeout" }
func (timedOut) Timeout() bool   { return true }
func (timedOut) Temporary() bool { return true }
