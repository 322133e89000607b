package importer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// elements splits a JSON array into its elements without parsing them: it looks
// at strings, brackets and commas only. So a malformed element does not cost
// the others, as long as its brackets and quotes are closed.
type elements struct {
	in    *bufio.Reader
	limit int
	place place
	begun bool
	first bool // no element was read yet
	lost  bool // the next element cannot be found any more
	ended bool
}

// place is the position of the next byte.
type place struct {
	line, column int
	offset       int64
}

func (p *place) pass(c byte) {
	p.offset++
	p.column++
	if c == '\n' {
		p.line, p.column = p.line+1, 1
	}
}

func (p place) mistake(reason string) Mistake {
	return Mistake{Line: p.line, Column: p.column, Offset: p.offset, Reason: reason}
}

// within is the mistake at an offset in an element that begins at p.
func (p place) within(raw []byte, offset int64, reason string) Mistake {
	for _, c := range raw[:min(max(offset, 0), int64(len(raw)))] {
		p.pass(c)
	}
	return p.mistake(reason)
}

func newElements(in io.Reader, limit int) *elements {
	e := &elements{in: bufio.NewReaderSize(in, 64<<10), limit: limit, place: place{line: 1, column: 1}, first: true}
	if mark, err := e.in.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		_, _ = e.in.Discard(3)
		e.place.offset = 3
	}
	return e
}

func (e *elements) read() (byte, error) {
	c, err := e.in.ReadByte()
	if err == nil {
		e.place.pass(c)
	}
	return c, err
}

// peek skips blanks and shows the byte after them.
func (e *elements) peek() (byte, error) {
	for {
		c, err := e.in.ReadByte()
		if err != nil {
			return 0, err
		}
		switch c {
		case ' ', '\t', '\r', '\n':
			e.place.pass(c)
		default:
			return c, e.in.UnreadByte()
		}
	}
}

func (e *elements) lose(at place, reason string) error {
	e.lost, e.ended = true, true
	return at.mistake(reason)
}

// next returns the next element and its place. The error is io.EOF after the
// array's end, a Mistake, or an error of the reader. If a Mistake leaves lost
// set, there are no more elements.
func (e *elements) next() ([]byte, place, error) {
	if e.ended {
		return nil, e.place, io.EOF
	}
	c, err := e.peek()
	if errors.Is(err, io.EOF) {
		return nil, e.place, e.lose(e.place, "the file ends before the array does")
	}
	if err != nil {
		return nil, e.place, err
	}
	if !e.begun {
		if c != '[' {
			return nil, e.place, e.lose(e.place, "the file is not a JSON array")
		}
		e.begun = true
		_, _ = e.read()
		return e.next()
	}
	switch {
	case c == ']':
		_, _ = e.read()
		e.ended = true
		if _, err := e.peek(); !errors.Is(err, io.EOF) {
			return nil, e.place, e.lose(e.place, "there is more after the array's end")
		}
		return nil, e.place, io.EOF
	case c == ',' && !e.first:
		_, _ = e.read()
	case !e.first && c != '{':
		return nil, e.place, e.skip("a comma is missing before this")
	}
	e.first = false
	return e.element()
}

// skip goes on to the comma or bracket that ends the element.
func (e *elements) skip(reason string) error {
	at := e.place
	if _, _, err := e.element(); err != nil {
		return err
	}
	return at.mistake(reason)
}

// element reads one value.
func (e *elements) element() ([]byte, place, error) {
	if c, err := e.peek(); err == nil && (c == ',' || c == ']' || c == '}') {
		at := e.place
		if c == '}' {
			_, _ = e.read()
		}
		e.first = c == ',' // then this comma begins the next element
		if c == ',' {
			_, _ = e.read()
		}
		return nil, at, at.mistake("an element is missing")
	}
	at := e.place
	var raw []byte
	depth, inString, escaped := 0, false, false
	for size := 0; ; size++ {
		c, err := e.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil, at, e.lose(at, "the file ends within the element that begins here")
		}
		if err != nil {
			return nil, at, err
		}
		outside := depth == 0 && !inString
		if outside && size > 0 && (c == ',' || c == ']' || c == '}') {
			_ = e.in.UnreadByte() // a scalar ends before it
			return e.bounded(raw, at, size)
		}
		e.place.pass(c)
		if size < e.limit {
			raw = append(raw, c)
		}
		switch {
		case escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
			if depth == 0 {
				return e.bounded(raw, at, size+1)
			}
		}
	}
}

func (e *elements) bounded(raw []byte, at place, size int) ([]byte, place, error) {
	if size > e.limit {
		return nil, at, at.mistake(fmt.Sprintf("the element is longer than %d bytes", e.limit))
	}
	return raw, at, nil
}
