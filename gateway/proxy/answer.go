package proxy

import (
	"io"
	"net/http"

	"understudy.dev/exchange/message"
)

func (u *Upstream) answer(c *call, response *http.Response) {
	h := c.w.Header()
	copyEndToEnd(h, response.Header)
	// net/http must not add what the upstream did not send.
	for _, name := range [...]string{"Date", "Content-Type"} {
		if _, ok := h[name]; !ok {
			h[name] = nil
		}
	}
	announced := len(response.Trailer)
	for name := range response.Trailer {
		h["Trailer"] = append(h["Trailer"], name)
	}
	c.announceClose()
	c.w.WriteHeader(response.StatusCode)
	if response.Body != http.NoBody {
		err := u.copyBody(c, response)
		response.Body.Close()
		if err != nil {
			u.abort(c, err)
			return
		}
	}
	writeTrailer(h, response.Trailer, announced)
}

func writeTrailer(h, trailer http.Header, announced int) {
	prefix := ""
	if len(trailer) != announced {
		// Some were not announced; the prefix lets them through.
		prefix = http.TrailerPrefix
	}
	for name, values := range trailer {
		h[prefix+name] = values
	}
}

// copyBody flushes where the upstream paused: always for a body of unknown
// length, and for one of known length when a read brought less than was asked
// and less than is to come. A response without a body is never flushed, so
// that an HTTP/2 response that is all head (gRPC's "trailers-only") stays one.
func (u *Upstream) copyBody(c *call, response *http.Response) error {
	rest, known := response.ContentLength, response.ContentLength > 0
	if response.ContentLength == 0 {
		_, err := io.Copy(io.Discard, response.Body)
		return err
	}
	flusher := http.NewResponseController(c.w)
	if !known && flusher.Flush() != nil {
		return message.ErrClientGone
	}
	buffer := u.buffers.Get().(*[]byte)
	defer u.buffers.Put(buffer)
	for {
		n, err := response.Body.Read(*buffer)
		if n > 0 {
			if _, werr := c.w.Write((*buffer)[:n]); werr != nil {
				return message.ErrClientGone
			}
			c.reached()
		}
		rest -= int64(n)
		switch paused := !known || (rest > 0 && n < len(*buffer)); {
		case err == io.EOF:
			// net/http would flush after the handler, which nobody hears fail. In
			// chunks and on HTTP/2 that carries the end of the body too.
			if known && c.in.ProtoMajor == 1 && flusher.Flush() != nil {
				return message.ErrClientGone
			}
			return nil
		case err != nil:
			return err
		case paused && flusher.Flush() != nil:
			return message.ErrClientGone
		}
	}
}
