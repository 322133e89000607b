package httpapi

import (
	"crypto/rand"
	"fmt"
	"net/http"
)

// holdBytes is how much of an answer is held back: an error before it is full
// still gets its status.
const holdBytes = 64 << 10

// An answer holds the beginning of a response back.
type answer struct {
	w      http.ResponseWriter
	before func() // called before the first byte goes out
	buf    []byte
	open   bool // what comes goes out
}

func (a *answer) Write(p []byte) (int, error) {
	if !a.open && len(a.buf)+len(p) <= holdBytes {
		a.buf = append(a.buf, p...)
		return len(p), nil
	}
	if err := a.release(); err != nil {
		return 0, err
	}
	return a.w.Write(p)
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
	return err
}

// drop forgets what is held back, and reports whether nothing has been sent.
func (a *answer) drop() bool {
	a.buf = nil
	return !a.open
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
