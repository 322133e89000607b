package httpapi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"time"

	"understudy.dev/embedded/engine"
)

// A live response reports the progress of its statement before it has any
// output: like ClickHouse it sends the head of the response line by line, one
// X-ClickHouse-Progress after the other. net/http sends heads only whole, so
// the connection is taken over from it at the first of these lines, and closed
// at the end of the response. Until then a live is just the ResponseWriter.
type live struct {
	http.ResponseWriter
	ctx          context.Context // of the statement
	cancel       context.CancelFunc
	stallTimeout time.Duration

	conn   net.Conn // nil: net/http has it
	out    *bufio.Writer
	sent   map[string]bool // the lines of the head that are out
	open   bool            // the head is whole
	chunks io.WriteCloser
	left   chan struct{} // closed when the client has gone, or conn has
	told   int           // lines of progress
	last   time.Duration // the time of the last of them
}

// steadyLines of progress come at the interval asked for; then each comes a
// quarter later than the one before. Clients bound the heads that they read:
// Python's http.client takes 100 lines, which is enough for a statement of ten
// hours.
const steadyLines = 40

// defaultInterval is ClickHouse's http_headers_progress_interval_ms.
const defaultInterval = 100 * time.Millisecond

// watch is the progress to ask the engine for; nil when the client did not ask
// for it, or cannot get it: a body that is still to be read needs the
// connection.
func (l *live) watch(r *http.Request, hasRows bool) (*engine.Watch, error) {
	values := r.URL.Query()
	if !isOn(values.Get("send_progress_in_http_headers")) {
		return nil, nil //nolint:nilnil // no watch is an answer
	}
	every := defaultInterval
	if text := values.Get("http_headers_progress_interval_ms"); text != "" {
		ms, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return nil, &engine.Exception{Code: 72, Name: "CANNOT_PARSE_NUMBER", Message: fmt.Sprintf("http_headers_progress_interval_ms %q is not a number", text)}
		}
		every = time.Duration(ms) * time.Millisecond
	}
	if hasRows || r.Method == http.MethodHead || r.ProtoMajor != 1 || r.ProtoMinor < 1 {
		return nil, nil //nolint:nilnil // no watch is an answer
	}
	return &engine.Watch{Every: every, Tell: l.tell}, nil
}

// tell sends one line. The engine does not call it once Query has returned, so
// nothing else writes meanwhile.
func (l *live) tell(p engine.Progress) {
	if l.told >= steadyLines && p.Elapsed < l.last+l.last/4 {
		return
	}
	if l.conn == nil && l.take() != nil {
		return
	}
	l.told, l.last = l.told+1, p.Elapsed
	l.hurry()
	fmt.Fprintf(l.out, "X-ClickHouse-Progress: %s\r\n", counts(p, 0))
	if l.out.Flush() != nil {
		l.cancel()
	}
}

// hurry bounds the next writes.
func (l *live) hurry() { _ = l.conn.SetWriteDeadline(time.Now().Add(l.stallTimeout)) }

// take takes the connection over and begins the head.
func (l *live) take() error {
	conn, in, err := http.NewResponseController(l.ResponseWriter).Hijack()
	if err != nil {
		return err
	}
	l.conn, l.out, l.sent, l.left = conn, bufio.NewWriter(conn), map[string]bool{}, make(chan struct{})
	l.chunks = httputil.NewChunkedWriter(l.out)
	context.AfterFunc(l.ctx, func() { conn.Close() })
	go func() {
		defer close(l.left)
		defer l.cancel()
		// net/http no longer notices when the client leaves. Whatever else it
		// sends is lost: the connection ends with this response.
		_, _ = io.Copy(io.Discard, in)
	}()
	h := l.Header()
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	h.Set("Connection", "close")
	h.Set("Transfer-Encoding", "chunked")
	l.hurry()
	_, _ = io.WriteString(l.out, "HTTP/1.1 200 OK\r\n") // out keeps an error until it is flushed
	l.lines()
	return nil
}

// lines sends the lines of the head that are new.
func (l *live) lines() {
	h := l.Header()
	_ = h.WriteSubset(l.out, l.sent)
	for name := range h {
		l.sent[name] = true
	}
}

// WriteHeader completes the head. A status that is sent already stays.
func (l *live) WriteHeader(status int) {
	if l.conn == nil {
		l.ResponseWriter.WriteHeader(status)
		return
	}
	if !l.open {
		l.open = true
		l.lines()
		_, _ = io.WriteString(l.out, "\r\n")
	}
}

// Write sends a part of the body.
func (l *live) Write(p []byte) (int, error) {
	if l.conn == nil {
		return l.ResponseWriter.Write(p)
	}
	l.WriteHeader(http.StatusOK)
	return l.chunks.Write(p) // which sends no empty chunk, the last one's form
}

// FlushError sends what is held back.
func (l *live) FlushError() error {
	if l.conn == nil {
		return http.NewResponseController(l.ResponseWriter).Flush()
	}
	return l.out.Flush()
}

// Unwrap lets a ResponseController set deadlines, which net/http does on a
// connection that was taken over too.
func (l *live) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// end ends the response, or breaks it off when it is not whole.
func (l *live) end(whole bool) {
	if l.conn == nil {
		return
	}
	l.hurry()
	if whole {
		l.WriteHeader(http.StatusOK)
		_ = l.chunks.Close()
		_, _ = io.WriteString(l.out, "\r\n")
		_ = l.out.Flush()
	}
	l.conn.Close()
	<-l.left
}
