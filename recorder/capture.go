package recorder

import (
	"io"
	"net/http"
	"sync"

	"understudy.dev/exchange/message"
	"understudy.dev/recorder/books"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// capture takes one body as it passes, within the memory that the books allow.
// Writes may come from a goroutine that outlives the request; after close they
// have no effect.
type capture struct {
	mu       sync.Mutex
	message  message.Capture
	trailers []field
	starved  bool // cut for lack of memory rather than at the limit
	ended    bool // its end was seen
	closed   bool
}

func (c *capture) write(b *books.Books, memory int64, p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(p) == 0 {
		return
	}
	if more := c.message.Need(len(p)) - c.message.Held(); more > 0 && !b.Reserve(more, memory) {
		c.starved = true
		c.message.Abandon()
	}
	_, _ = c.message.Write(p)
}

// end is called by whoever has read to the end, since net/http fills the map of
// trailers in that read: another goroutine must not look at the map.
func (c *capture) end(trailers http.Header) {
	var fields []field
	if len(trailers) > 0 {
		fields, _ = snapshot(trailers)
	}
	c.finish(fields)
}

// finish says that the end was seen, and what came after it.
func (c *capture) finish(trailers []field) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.ended {
		return
	}
	c.ended, c.trailers = true, trailers
}

// close ends the capture: nothing changes after it. whole says that the body
// is known to have ended where the capture stands.
func (c *capture) close(whole bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.ended = c.ended || whole || c.message.Length() == c.message.Declared()
}

// fill is called once, after close.
func (c *capture) fill(b *understudyv1.Body) *understudyv1.Body {
	c.message.Fill(b, c.ended)
	return b
}

// requestBody shows the handler the request body and captures what it reads.
type requestBody struct {
	io.ReadCloser
	t *tapWriter
	// out is the handler's request: net/http puts trailers that were not
	// announced into the request that it made itself.
	out *http.Request
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.t.request.write(b.t.r.books, b.t.r.cfg.MemoryLimit, p[:n])
	if err == io.EOF {
		b.t.request.end(b.t.in.Trailer)
		b.out.Trailer = b.t.in.Trailer
	}
	return n, err
}
