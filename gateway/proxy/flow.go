package proxy

import (
	"bytes"
	"io"

	"understudy.dev/exchange/wire"
)

// flow follows a body as it passes, in its framing, and shows it to the tap.
type flow struct {
	framing wire.Framing
	left    int64
	chunks  wire.Chunks
	plain   bool // chunks are passed on without their framing
	side    wire.Side
	tap     wire.Exchange
	ended   bool
}

func (f *flow) begin(framing wire.Framing, length int64, side wire.Side, tap wire.Exchange, plain bool) {
	f.framing, f.left, f.side, f.tap, f.plain, f.ended = framing, length, side, tap, plain, false
	switch {
	case framing == wire.Chunked:
		f.chunks.Reset()
		f.chunks.Answer = side == wire.Server
	case framing == wire.None, framing == wire.Length && length == 0:
		f.end(nil)
	}
}

// open reports whether only the end of the connection says that the body has
// ended: then a reset must say that it is cut.
func (f *flow) open() bool { return f.framing == wire.Close || f.plain }

func (f *flow) end(trailer *wire.Head) {
	f.ended = true
	if f.tap != nil {
		f.tap.End(f.side, trailer)
	}
}

func (f *flow) data(p []byte) {
	if f.tap != nil && len(p) > 0 {
		f.tap.Body(f.side, p)
	}
}

// take takes the bytes of p that belong to the body: how many, and what is to
// be passed on of them, which is valid until p changes. After an error too.
func (f *flow) take(p []byte) (n int, pass []byte, err error) {
	switch {
	case f.ended:
		return 0, nil, nil
	case f.framing == wire.Chunked:
		return f.takeChunks(p)
	case f.framing == wire.Length && int64(len(p)) > f.left:
		p = p[:f.left]
	}
	f.data(p)
	if f.framing == wire.Length {
		if f.left -= int64(len(p)); f.left == 0 {
			f.end(nil)
		}
	}
	return len(p), p, nil
}

func (f *flow) takeChunks(p []byte) (n int, pass []byte, err error) {
	held, whole := len(f.chunks.Held()), 0 // whole is how much may be passed on as it came
	plain := p[:0]
	for n < len(p) && !f.chunks.Done() {
		var data []byte
		var k int
		if data, k, err = f.chunks.Next(p[n:]); err != nil {
			break
		}
		f.data(data)
		if f.plain {
			plain = append(plain, data...) // never beyond where data stands
		}
		if n += k; len(f.chunks.Held()) == held {
			whole = n // the trailer section waits until it is known to be valid
		}
	}
	pass = p[:whole]
	switch {
	case f.plain:
		pass = plain
	case f.chunks.Done() && held > 0:
		pass = f.chunks.Held()
	case f.chunks.Done():
		if pass = p[:n]; !bytes.Equal(p[whole:n], f.chunks.Held()) { // it was not valid as it came
			pass = append(bytes.Clone(p[:whole]), f.chunks.Held()...)
		}
	}
	if f.chunks.Done() {
		f.end(f.chunks.Fields())
	}
	return n, pass, err
}

// eof says that the connection has ended; nil if that is how the body ends.
func (f *flow) eof() error {
	if f.framing != wire.Close {
		return io.ErrUnexpectedEOF
	}
	if !f.ended {
		f.end(nil)
	}
	return nil
}
