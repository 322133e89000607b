package wire

import "bytes"

// Limits of chunked bodies beyond their data.
const (
	maxChunkLine   = 4 << 10 // the size with its extensions
	maxChunkDigits = 16
	maxTrailer     = 64 << 10
)

type chunkState uint8

const (
	chunkSize chunkState = iota // digits
	chunkPad                    // blanks after them
	chunkExtension
	chunkSizeLF
	chunkData
	chunkCR
	chunkLF
	chunkTrailer
	chunkDone
)

// Chunks follows a chunked body as it passes (RFC 9112, 7.1). The zero value is
// ready.
type Chunks struct {
	// Answer is for the body of an answer, which clients take with blanks after a
	// chunk size, as some servers send them, and whatever its trailer section
	// holds: fields that do not belong there are left out.
	Answer bool

	state   chunkState
	digits  int
	line    int // bytes of the size's line
	left    uint64
	trailer []byte
	fields  Head
}

// Reset makes c ready for the next body.
func (c *Chunks) Reset() {
	fields := c.fields
	fields.Reset()
	*c = Chunks{Answer: c.Answer, trailer: c.trailer[:0], fields: fields}
}

// Done reports whether the body has ended.
func (c *Chunks) Done() bool { return c.state == chunkDone }

// Held are the bytes of the trailer section that have passed, the empty line
// included; none when the section is only that line and came in one piece. What a
// proxy passes on of it must wait until the section is known to be valid.
func (c *Chunks) Held() []byte { return c.trailer }

// Fields are the fields of the trailer section, when Done.
func (c *Chunks) Fields() *Head { return &c.fields }

// Next takes up to len(p) bytes of the body: it returns how many, and those of
// them that are data. It stops after a piece of data, before the trailer section
// and at the end of the body.
// The error is an *Error.
func (c *Chunks) Next(p []byte) (data []byte, n int, err error) {
	for n < len(p) {
		switch b := p[n]; c.state {
		case chunkSize:
			v := unhex(b)
			switch {
			case v < 16:
				if c.digits++; c.digits > maxChunkDigits {
					return nil, n, errChunkSize
				}
				c.left = c.left<<4 | uint64(v)
			case c.digits == 0:
				return nil, n, errChunkSize
			case b == '\r':
				c.state = chunkSizeLF
			case b == ';':
				c.state = chunkExtension
			case c.Answer && blank(b):
				c.state = chunkPad
			default:
				return nil, n, errChunkSize
			}
			n, c.line = n+1, c.line+1
		case chunkPad, chunkExtension:
			switch {
			case b == '\r':
				c.state = chunkSizeLF
			case b == ';':
				c.state = chunkExtension
			case !inValue[b], c.state == chunkPad && !blank(b):
				return nil, n, errChunkSize
			}
			n++
			if c.line++; c.line > maxChunkLine {
				return nil, n, errChunkLine
			}
		case chunkSizeLF:
			if b != '\n' {
				return nil, n, errChunkSize
			}
			n++
			c.digits, c.line = 0, 0
			if c.state = chunkData; c.left == 0 {
				c.state = chunkTrailer
				return nil, n, nil
			}
		case chunkData:
			k := len(p) - n
			if uint64(k) > c.left {
				k = int(c.left)
			}
			data = p[n : n+k]
			if c.left -= uint64(k); c.left == 0 {
				c.state = chunkCR
			}
			return data, n + k, nil
		case chunkCR, chunkLF:
			if b != "\r\n"[c.state-chunkCR] {
				return nil, n, errChunkEnd
			}
			n++
			if c.state++; c.state > chunkLF {
				c.state = chunkSize
			}
		case chunkTrailer:
			k, err := c.section(p[n:])
			return nil, n + k, err
		default:
			return nil, n, nil
		}
	}
	return nil, n, nil
}

// section takes bytes of the trailer section.
func (c *Chunks) section(p []byte) (int, error) {
	if len(c.trailer) == 0 && len(p) > 1 && p[0] == '\r' && p[1] == '\n' {
		c.state = chunkDone
		return 2, nil
	}
	for n := 0; ; {
		i := bytes.IndexByte(p[n:], '\n')
		if i < 0 {
			i = len(p) - n - 1
		}
		c.trailer = append(c.trailer, p[n:n+i+1]...)
		n += i + 1
		if len(c.trailer) > maxTrailer {
			return n, errTrailerSize
		}
		k, fault := c.fields.feed(c.trailer, nil)
		if fault != nil {
			return n, errTrailer
		}
		if k > 0 {
			if c.fields.loose || !c.belong() {
				if !c.Answer {
					return n, errTrailer
				}
				c.tidy()
			}
			c.state = chunkDone
			return n, nil
		}
		if n == len(p) {
			return n, nil
		}
	}
}

// belong reports whether all fields of the section do.
func (c *Chunks) belong() bool {
	for i := range c.fields.fields {
		if !c.fields.fields[i].kind.inTrailer() {
			return false
		}
	}
	return true
}

// tidy leaves out of the section what does not belong there, and ends its lines
// as they should.
func (c *Chunks) tidy() {
	kept := make([]byte, 0, len(c.trailer)+c.fields.Len()+1)
	for i := range c.fields.Len() {
		if c.fields.Kind(i).inTrailer() {
			kept = append(append(kept, bytes.TrimRight(c.fields.Line(i), "\r\n")...), "\r\n"...)
		}
	}
	c.trailer = append(kept, "\r\n"...)
	c.fields.Reset()
	_, _ = c.fields.feed(c.trailer, nil) // lines that it has taken before
}

func unhex(b byte) byte {
	switch {
	case b >= '0' && b <= '9':
		return b - '0'
	case b|0x20 >= 'a' && b|0x20 <= 'f':
		return b | 0x20 - 'a' + 10
	}
	return 16
}
