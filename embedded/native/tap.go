package native

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// tapSize is the size of a tap's buffer. It bounds the longest value that peek
// can show and the memory of one direction of a connection.
const tapSize = 64 << 10

// A malformedError says that bytes do not follow the protocol. After one, the
// position in the stream is lost and the connection must end.
type malformedError struct{ reason string }

func (e *malformedError) Error() string { return e.reason }

func malformed(format string, args ...any) error {
	return &malformedError{fmt.Sprintf(format, args...)}
}

// A tap reads a stream of values and forwards the bytes it has passed over, as
// they are, to an output. That makes walking a block cost little more than
// copying it, whatever its types, and needs no memory beyond the buffer.
type tap struct {
	src  io.Reader
	dst  io.Writer // nil: the passed bytes are dropped
	buf  []byte
	mark int // start of what was passed over and is not forwarded
	pos  int
	end  int
}

func newTap(src io.Reader) *tap {
	return &tap{src: src, buf: make([]byte, tapSize)}
}

// forward hands everything passed over to the output.
func (t *tap) forward() error {
	passed := t.buf[t.mark:t.pos]
	t.mark = t.pos
	if t.dst == nil || len(passed) == 0 {
		return nil
	}
	if _, err := t.dst.Write(passed); err != nil {
		return &outputError{err}
	}
	return nil
}

// An outputError is a failure to write what was read: the input is intact.
type outputError struct{ err error }

func (e *outputError) Error() string { return e.err.Error() }
func (e *outputError) Unwrap() error { return e.err }

// redirect forwards what was passed over and sends what follows to dst.
func (t *tap) redirect(dst io.Writer) error {
	err := t.forward()
	t.dst = dst
	return err
}

// drop forgets what was passed over since the last forward.
func (t *tap) drop() { t.mark = t.pos }

// peek returns the next n bytes (at most tapSize) without passing over them.
// A stream that ends before the first of them is io.EOF.
func (t *tap) peek(n int) ([]byte, error) {
	for t.end-t.pos < n {
		if err := t.fill(n); err != nil {
			if errors.Is(err, io.EOF) && t.end > t.pos {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return t.buf[t.pos : t.pos+n], nil
}

// fill reads once, making room first so that n bytes fit behind pos.
func (t *tap) fill(n int) error {
	if t.pos+n > len(t.buf) || t.pos == t.end {
		if err := t.forward(); err != nil {
			return err
		}
		copy(t.buf, t.buf[t.pos:t.end])
		t.end -= t.pos
		t.pos, t.mark = 0, 0
	}
	for range 100 {
		m, err := t.src.Read(t.buf[t.end:])
		t.end += m
		if m > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// next passes over n bytes (at most tapSize) and returns them; they are valid
// until the next call.
func (t *tap) next(n int) ([]byte, error) {
	b, err := t.peek(n)
	if err != nil {
		return nil, err
	}
	t.pos += n
	return b, nil
}

// skip passes over n bytes of any number.
func (t *tap) skip(n uint64) error {
	for n > 0 {
		if t.pos == t.end {
			if err := t.fill(1); err != nil {
				return unexpected(err)
			}
		}
		step := min(n, uint64(t.end-t.pos))
		t.pos += int(step)
		n -= step
	}
	return nil
}

// skipMany passes over n values of size bytes each.
func (t *tap) skipMany(n, size uint64) error {
	if size != 0 && n > math.MaxInt64/size {
		return malformed("%d values of %d bytes do not fit a block", n, size)
	}
	return t.skip(n * size)
}

func (t *tap) uint8() (byte, error) {
	b, err := t.next(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

func (t *tap) uint64() (uint64, error) {
	b, err := t.next(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

func (t *tap) uvarint() (uint64, error) {
	var value uint64
	for shift := uint(0); shift < 64; shift += 7 {
		b, err := t.uint8()
		if err != nil {
			if shift > 0 {
				err = unexpected(err)
			}
			return 0, err
		}
		value |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if shift == 63 && b > 1 {
				return 0, malformed("a variable-length number is longer than 64 bits")
			}
			return value, nil
		}
	}
	return 0, malformed("a variable-length number is longer than 64 bits")
}

// str reads a string of at most limit bytes. Memory grows with what has
// arrived, not with the length that was announced.
func (t *tap) str(what string, limit int) (string, error) {
	n, err := t.uvarint()
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", what, unexpected(err))
	}
	if n > uint64(limit) {
		return "", malformed("%s of %d bytes is longer than the limit of %d", what, n, limit)
	}
	text := make([]byte, 0, min(n, tapSize))
	for left := int(n); left > 0; {
		step := min(left, tapSize)
		b, err := t.next(step)
		if err != nil {
			return "", fmt.Errorf("reading %s: %w", what, unexpected(err))
		}
		text = append(text, b...)
		left -= step
	}
	return string(text), nil
}

// skipStrings passes over n strings of any length.
func (t *tap) skipStrings(n uint64) error {
	for ; n > 0; n-- {
		size, err := t.uvarint()
		if err != nil {
			return err
		}
		if err := t.skipMany(size, 1); err != nil {
			return err
		}
	}
	return nil
}

// Read gives the bytes to a decoder of frames. They are not forwarded.
func (t *tap) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if t.pos == t.end {
		if err := t.fill(1); err != nil {
			return 0, err
		}
	}
	n := copy(p, t.buf[t.pos:t.end])
	t.pos += n
	t.drop()
	return n, nil
}
