package proxy

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// errHandlerDone ends the Transport's reading of a body whose request has been
// answered.
var errHandlerDone = errors.New("request was answered before its body ended")

// requestBody is what the Transport reads. Closing it does not close the
// client's body, which may block until the client has sent it all; it only
// ends further reads.
type requestBody struct {
	call    *call
	from    io.Reader
	in      *http.Request
	trailer http.Header
	reading sync.Mutex // held while a Read of from is under way
	touched bool       // a Read has begun
	closed  atomic.Bool
	broken  atomic.Bool
	through atomic.Bool // read to its end
}

func (b *requestBody) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	if b.closed.Load() {
		return 0, errHandlerDone
	}
	b.touched = true
	b.call.continueBody()
	n, err := b.from.Read(p)
	switch {
	case err == io.EOF:
		if b.trailer != nil {
			for k, v := range b.in.Trailer {
				b.trailer[k] = v
			}
		}
		b.through.Store(true)
	case err != nil && !b.closed.Load():
		b.broken.Store(true)
	}
	return n, err
}

// again lets the Transport take another connection when the one that it had
// turned out to be closed before a byte of the request was written. Of a body
// that nobody has read from nothing is lost.
func (c *call) again() (io.ReadCloser, error) {
	b := c.body
	if !b.reading.TryLock() {
		return nil, io.ErrUnexpectedEOF
	}
	defer b.reading.Unlock()
	if b.touched {
		return nil, io.ErrUnexpectedEOF
	}
	b.closed.Store(true)
	c.body = &requestBody{call: c, from: b.from, in: b.in, trailer: b.trailer}
	return c.body, nil
}

func (b *requestBody) Close() error {
	b.closed.Store(true)
	return nil
}

// lingerTime bounds how long the server waits for the rest of a body that is no
// longer needed, so that a client which is still sending it gets the answer
// rather than a reset.
const lingerTime = 5 * time.Second

// pending reports that the client's connection may still have bytes of the
// request body to come. Streams of HTTP/2 have bodies of their own.
func (c *call) pending() bool {
	return c.body != nil && c.in.ProtoMajor == 1 && !c.body.through.Load()
}

// announceClose is called before the head of a final answer is written. In full
// duplex net/http would go on to the next request of a connection while the
// body of this one is still being read (golang/go#68560); the panic that
// follows is in the Transport's goroutine and ends the process.
func (c *call) announceClose() {
	if c.pending() {
		c.closing = true
		c.w.Header()["Connection"] = []string{"close"}
	}
}

// release ends the Transport's reading before the handler returns, since
// net/http then takes the connection back.
func (c *call) release() {
	if c.body == nil {
		return
	}
	c.body.Close()
	if c.left || !c.pending() {
		return
	}
	conn := http.NewResponseController(c.w)
	if conn.SetReadDeadline(time.Unix(1, 0)) != nil {
		return // not a server's writer: there is no connection to take back
	}
	c.body.await()
	if !c.closing {
		return // cut or handed over: nothing is left to say to the client
	}
	_ = conn.SetReadDeadline(time.Now().Add(lingerTime))
	if c.in.ContentLength < 0 || len(c.in.Header["Expect"]) > 0 {
		c.linger()
	}
}

// await returns when the Transport is not in Read; after Close it does not read
// from the client again.
func (b *requestBody) await() {
	b.reading.Lock()
	defer b.reading.Unlock()
}

// linger makes net/http half-close the connection and wait before it closes it.
// Otherwise it does so only after it has found the body too long. It cannot
// find that out about a chunked body whose Read was interrupted, and does not
// try after Expect: 100-continue.
func (c *call) linger() {
	w := c.w
	for layer := range layers(w) {
		w = layer
	}
	over := http.MaxBytesReader(w, io.NopCloser(strings.NewReader("x")), 0)
	_, _ = over.Read(make([]byte, 1))
}
