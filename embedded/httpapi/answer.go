package httpapi

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"

	"understudy.dev/embedded/engine"
)

// holdBytes is how much of an answer is held back: an error before it is full
// still gets its status.
const holdBytes = 64 << 10

// maxWhole bounds an answer that is to be sent only when it is whole, in bytes.
const maxWhole = 4 << 30

// An answer holds the beginning of a response back, or all of it: in a file,
// what is more than holdBytes. It must be closed.
type answer struct {
	w      http.ResponseWriter
	before func() // called before the first byte goes out
	whole  bool   // nothing goes out before release
	folder string // for the file; empty is the system's
	buf    []byte
	file   *os.File // what came after buf; it has no name
	size   int64    // of the file
	open   bool     // what comes goes out
}

func (a *answer) Write(p []byte) (int, error) {
	switch {
	case a.open:
		return a.w.Write(p)
	case a.file == nil && len(a.buf)+len(p) <= holdBytes:
		a.buf = append(a.buf, p...)
		return len(p), nil
	case a.whole:
		return a.keep(p)
	}
	if err := a.release(); err != nil {
		return 0, err
	}
	return a.w.Write(p)
}

// keep puts p into the file.
func (a *answer) keep(p []byte) (n int, err error) {
	if a.size += int64(len(p)); a.size > maxWhole {
		return 0, &engine.Exception{Code: 396, Name: "TOO_MANY_ROWS_OR_BYTES",
			Message: fmt.Sprintf("the result is more than %d bytes, which is more than wait_end_of_query may hold back", int64(maxWhole))}
	}
	if a.file == nil {
		if a.file, err = os.CreateTemp(a.folder, "answer-"); err != nil {
			return 0, fmt.Errorf("hold the answer back: %w", err)
		}
		// Without a name the file disappears with the process, however that
		// ends.
		if err := os.Remove(a.file.Name()); err != nil {
			return 0, fmt.Errorf("hold the answer back: %w", err)
		}
	}
	if n, err = a.file.Write(p); err != nil {
		return n, fmt.Errorf("hold the answer back: %w", err)
	}
	return n, nil
}

// release sends what is held back.
func (a *answer) release() error {
	if a.open {
		return nil
	}
	a.open = true
	a.before()
	_, err := a.w.Write(a.buf)
	a.buf = nil
	if err != nil || a.file == nil {
		return err
	}
	if _, err := a.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the answer that was held back: %w", err)
	}
	// Buffered for fewer deadlines; only Write of w gives each its time.
	_, err = io.CopyBuffer(struct{ io.Writer }{a.w}, struct{ io.Reader }{a.file}, make([]byte, holdBytes))
	return err
}

// drop discards what is held back, and reports whether nothing has been sent.
func (a *answer) drop() bool {
	a.buf = nil
	return !a.open
}

func (a *answer) close() {
	if a.file != nil {
		a.file.Close()
	}
}

// newTag makes the text by which a client knows an exception within the data
// of a response: ClickHouse's header X-ClickHouse-Exception-Tag.
func newTag() string { return rand.Text()[:16] }

// exceptionBlock is an exception within the data of a response. Source:
// ClickHouse's WriteBufferFromHTTPServerResponse.cpp.
func exceptionBlock(tag, message string) string {
	const marker = "__exception__"
	return fmt.Sprintf("\r\n%s\r\n%s\r\n%s\n%d %s\r\n%s\r\n", marker, tag, message, len(message)+1, tag, marker)
}
