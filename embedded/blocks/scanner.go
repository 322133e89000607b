package blocks

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// ScannerSize is the size of a Scanner's buffer, in bytes. It bounds the longest
// value that Peek can show and the memory of one direction of a connection.
const ScannerSize = 64 << 10

// A malformedError says that bytes do not follow the protocol. After one, the
// position in the stream is lost and the connection must end.
type malformedError struct{ reason string }

func (e *malformedError) Error() string { return e.reason }

// Malformed is the error of bytes that do not follow the protocol.
func Malformed(format string, args ...any) error {
	return &malformedError{fmt.Sprintf(format, args...)}
}

// A Scanner reads a stream of values and forwards the bytes it has passed over,
// as they are, to an output. That makes walking a block cost little more than
// copying it, whatever its types, and needs no memory beyond the buffer.
type Scanner struct {
	src  io.Reader
	dst  io.Writer // nil: the passed bytes are dropped
	buf  []byte
	mark int // start of what was passed over and is not forwarded
	pos  int
	end  int
}

// NewScanner reads from src and forwards nothing.
func NewScanner(src io.Reader) *Scanner {
	return &Scanner{src: src, buf: make([]byte, ScannerSize)}
}

// forward hands everything passed over to the output.
func (s *Scanner) forward() error {
	passed := s.buf[s.mark:s.pos]
	s.mark = s.pos
	if s.dst == nil || len(passed) == 0 {
		return nil
	}
	if _, err := s.dst.Write(passed); err != nil {
		return &outputError{err}
	}
	return nil
}

// An outputError is a failure to write what was read: the input is intact.
type outputError struct{ err error }

func (e *outputError) Error() string { return e.err.Error() }
func (e *outputError) Unwrap() error { return e.err }

// redirect forwards what was passed over and sends what follows to dst.
func (s *Scanner) redirect(dst io.Writer) error {
	err := s.forward()
	s.dst = dst
	return err
}

// Drop forgets what was passed over since the last forward.
func (s *Scanner) Drop() { s.mark = s.pos }

// Peek returns the next n bytes (at most ScannerSize) without passing over them.
// A stream that ends before the first of them is io.EOF.
func (s *Scanner) Peek(n int) ([]byte, error) {
	for s.end-s.pos < n {
		if err := s.fill(n); err != nil {
			if errors.Is(err, io.EOF) && s.end > s.pos {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return s.buf[s.pos : s.pos+n], nil
}

// fill reads once, making room first so that n bytes fit behind pos.
func (s *Scanner) fill(n int) error {
	if s.pos+n > len(s.buf) || s.pos == s.end {
		if err := s.forward(); err != nil {
			return err
		}
		copy(s.buf, s.buf[s.pos:s.end])
		s.end -= s.pos
		s.pos, s.mark = 0, 0
	}
	for range 100 {
		m, err := s.src.Read(s.buf[s.end:])
		s.end += m
		if m > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// Next passes over n bytes (at most ScannerSize) and returns them; they are valid
// until the next call.
func (s *Scanner) Next(n int) ([]byte, error) {
	b, err := s.Peek(n)
	if err != nil {
		return nil, err
	}
	s.pos += n
	return b, nil
}

// skip passes over n bytes of any number.
func (s *Scanner) skip(n uint64) error {
	for n > 0 {
		if s.pos == s.end {
			if err := s.fill(1); err != nil {
				return Unexpected(err)
			}
		}
		step := min(n, uint64(s.end-s.pos))
		s.pos += int(step)
		n -= step
	}
	return nil
}

// skipMany passes over n values of size bytes each.
func (s *Scanner) skipMany(n, size uint64) error {
	if size != 0 && n > math.MaxInt64/size {
		return Malformed("%d values of %d bytes do not fit a block", n, size)
	}
	return s.skip(n * size)
}

func (s *Scanner) uint8() (byte, error) {
	b, err := s.Next(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

func (s *Scanner) uint64() (uint64, error) {
	b, err := s.Next(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

// Uvarint passes over a number of variable length.
func (s *Scanner) Uvarint() (uint64, error) {
	var value uint64
	for shift := uint(0); shift < 64; shift += 7 {
		b, err := s.uint8()
		if err != nil {
			if shift > 0 {
				err = Unexpected(err)
			}
			return 0, err
		}
		value |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if shift == 63 && b > 1 {
				return 0, Malformed("a variable-length number is longer than 64 bits")
			}
			return value, nil
		}
	}
	return 0, Malformed("a variable-length number is longer than 64 bits")
}

// Str reads a string of at most limit bytes. Memory grows with what has
// arrived, not with the length that was announced.
func (s *Scanner) Str(what string, limit int) (string, error) {
	n, err := s.Uvarint()
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", what, Unexpected(err))
	}
	if n > uint64(limit) {
		return "", Malformed("%s of %d bytes is longer than the limit of %d", what, n, limit)
	}
	text := make([]byte, 0, min(n, ScannerSize))
	for left := int(n); left > 0; {
		step := min(left, ScannerSize)
		b, err := s.Next(step)
		if err != nil {
			return "", fmt.Errorf("reading %s: %w", what, Unexpected(err))
		}
		text = append(text, b...)
		left -= step
	}
	return string(text), nil
}

// skipStrings passes over n strings of any length.
func (s *Scanner) skipStrings(n uint64) error {
	for ; n > 0; n-- {
		size, err := s.Uvarint()
		if err != nil {
			return err
		}
		if err := s.skipMany(size, 1); err != nil {
			return err
		}
	}
	return nil
}

// Read gives the bytes to a decoder of frames. They are not forwarded.
func (s *Scanner) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if s.pos == s.end {
		if err := s.fill(1); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.buf[s.pos:s.end])
	s.pos += n
	s.Drop()
	return n, nil
}
