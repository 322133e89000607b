package httpapi

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// stallTimeout is how long a client may neither send nor take a byte of a
// request or response that was begun. A client that stalls for longer would
// block the slot of another statement.
const stallTimeout = 5 * time.Minute

// A deadlineBody gives each Read its time.
type deadlineBody struct {
	io.Reader
	control      *http.ResponseController
	stallTimeout time.Duration
}

func (b deadlineBody) Read(p []byte) (int, error) {
	// Errors mean that the connection has no deadlines, or is closed, which
	// Read tells.
	_ = b.control.SetReadDeadline(time.Now().Add(b.stallTimeout))
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		// From here on the server watches whether the client leaves, for as
		// long as the statement takes.
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// A deadlineWriter gives each Write its time.
type deadlineWriter struct {
	http.ResponseWriter
	control      *http.ResponseController
	stallTimeout time.Duration
}

func (w deadlineWriter) Write(p []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.stallTimeout))
	n, err := w.ResponseWriter.Write(p)
	_ = w.control.SetWriteDeadline(time.Time{})
	return n, err
}
