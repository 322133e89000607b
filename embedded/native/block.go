package native

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	maxNameBytes   = 64 << 10
	maxBlockRows   = 1 << 30
	maxTopColumns  = 20_000
	noCustomLayout = 0
)

// blockInfo is the default info that precedes every block on the wire:
// 1 is_overflows=false, 2 bucket_num=-1, 0 end.
var blockInfo = []byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0}

// The revisions of the protocol at which blocks gained something (ClickHouse's
// src/Core/ProtocolDefines.h).
const (
	revisionBlockInfo           = 51903
	revisionCustomSerialization = 54454
)

// A layout says what a block has beyond revision 0 of the Native format, which
// the engine speaks.
type layout struct {
	info   bool // block info before the block
	custom bool // a flag for custom serialization after each column's type
}

// layoutOf is the layout that a protocol revision has.
func layoutOf(revision uint64) layout {
	return layout{info: revision >= revisionBlockInfo, custom: revision >= revisionCustomSerialization}
}

// A shape is what a block is, its values apart.
type shape struct {
	columns uint64
	rows    uint64
}

// A mover moves blocks from one stream to another and from one layout to
// another, and passes the values through as they are.
type mover struct {
	t        *tap
	dst      io.Writer // nil: the blocks are dropped
	from, to layout
	fields   []field // of the last block, if keep is set
	keep     bool
	zones    map[int]string  // what to say for the type DateTime, by column
	types    func() []string // or whom to ask, once, for the types of all
	known    []string        // the answer
}

// block moves one block. A stream that ends before the block begins is io.EOF;
// any other error leaves the stream at an unknown place.
func (m *mover) block() (shape, error) {
	m.fields = m.fields[:0]
	m.t.dst = nil
	s, err := m.start()
	if err != nil || s.columns == 0 {
		return s, err // no columns: the end of data, and nothing of it
	}
	if err := m.write(appendStart(nil, s, m.to)); err != nil {
		return s, err
	}
	m.t.dst = m.dst
	types := newScope()
	for i := range int(s.columns) {
		if err := m.column(types, i, s.rows); err != nil {
			return s, unexpected(err)
		}
	}
	return s, m.t.redirect(nil)
}

// start reads what precedes the columns.
func (m *mover) start() (shape, error) {
	var s shape
	defer m.t.drop()
	if _, err := m.t.peek(1); err != nil {
		return s, err
	}
	if m.from.info {
		if err := skipBlockInfo(m.t); err != nil {
			return s, fmt.Errorf("reading a block's info: %w", unexpected(err))
		}
	}
	r := reader{t: m.t}
	s.columns, s.rows = r.uvarint(), r.uvarint()
	if r.err != nil {
		return s, fmt.Errorf("reading a block: %w", unexpected(r.err))
	}
	if s.columns > maxTopColumns || s.rows > maxBlockRows {
		return s, malformed("a block of %d columns and %d rows is beyond the limits of %d and %d", s.columns, s.rows, maxTopColumns, maxBlockRows)
	}
	return s, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// bareDateTime is a type that may lack its time zone: at revision 0 the engine
// leaves it away where the type is a column's whole type.
const bareDateTime = "DateTime"

func (m *mover) write(b []byte) error {
	if m.dst == nil {
		return nil
	}
	if _, err := m.dst.Write(b); err != nil {
		return &outputError{err}
	}
	return nil
}

func (m *mover) column(types scope, position int, rows uint64) error {
	t := m.t
	name, err := t.str("the name of a column", maxNameBytes)
	if err != nil {
		return err
	}
	if err := t.redirect(nil); err != nil {
		return err
	}
	kind, err := t.str("the type of a column", maxTypeBytes)
	if err != nil {
		return err
	}
	if kind == bareDateTime {
		kind = m.zoned(position)
	}
	t.drop()
	if err := m.write(appendString(nil, kind)); err != nil {
		return err
	}
	if m.keep {
		m.fields = append(m.fields, field{name, kind})
	}
	if m.from.custom {
		custom, err := t.uint8()
		if err != nil {
			return err
		}
		if custom != noCustomLayout {
			return malformed("column %.200q comes in a custom serialization (sparse), which is not supported: send it in full", name)
		}
		t.drop()
	}
	t.dst = m.dst
	if m.to.custom {
		if err := m.write([]byte{noCustomLayout}); err != nil {
			return err
		}
	}
	// The layout of an empty column does not matter: zero rows are zero bytes.
	if rows == 0 {
		return nil
	}
	c, err := types.columnOf(kind)
	if err != nil {
		return fmt.Errorf("column %.200q: %w", name, err)
	}
	if err := c.prefix(t); err != nil {
		return fmt.Errorf("column %.200q of type %.200s: %w", name, kind, err)
	}
	if err := c.data(t, rows); err != nil {
		return fmt.Errorf("column %.200q of type %.200s: %w", name, kind, err)
	}
	return nil
}

// skipBlockInfo passes over numbered fields until the number 0.
func skipBlockInfo(t *tap) error {
	for {
		field, err := t.uvarint()
		if err != nil {
			return err
		}
		switch field {
		case 0:
			return nil
		case 1:
			err = t.skip(1)
		case 2:
			err = t.skip(4)
		default:
			err = malformed("block info has an unknown field %d", field)
		}
		if err != nil {
			return err
		}
	}
}

// A field is a column's name and type.
type field struct{ name, kind string }

// appendStart appends what precedes the columns of a block.
func appendStart(b []byte, s shape, to layout) []byte {
	if to.info {
		b = append(b, blockInfo...)
	}
	b = binary.AppendUvarint(b, s.columns)
	return binary.AppendUvarint(b, s.rows)
}

// appendHeader appends a block of zero rows with the given columns.
func appendHeader(b []byte, fields []field, to layout) []byte {
	b = appendStart(b, shape{columns: uint64(len(fields))}, to)
	for _, f := range fields {
		b = appendString(b, f.name)
		b = appendString(b, f.kind)
		if to.custom {
			b = append(b, noCustomLayout)
		}
	}
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
