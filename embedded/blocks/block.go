package blocks

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Bounds of what a block may announce.
const (
	MaxNameBytes   = 64 << 10
	maxBlockRows   = 1 << 30
	MaxTopColumns  = 20_000
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

	// NewestRevision is the newest served: every value has the bytes of
	// revision 0, the engine's. From 54473 on JSON and Dynamic differ.
	NewestRevision = 54460
)

// A Layout says what a block has beyond revision 0 of the Native format, which
// the engine speaks.
type Layout struct {
	info   bool // block info before the block
	custom bool // a flag for custom serialization after each column's type
}

// LayoutOf is the layout that a protocol revision has.
func LayoutOf(revision uint64) Layout {
	return Layout{info: revision >= revisionBlockInfo, custom: revision >= revisionCustomSerialization}
}

// A Shape is what a block is, its values apart.
type Shape struct {
	Columns uint64
	Rows    uint64
}

// A Mover moves blocks from one stream to another and from one layout to
// another, and passes the values through as they are.
type Mover struct {
	In       *Scanner
	Out      io.Writer // nil: the blocks are dropped
	From, To Layout
	Fields   []Field // of the last block, if Keep is set
	Keep     bool
	Zones    map[int]string  // what to say for the type DateTime, by column
	types    func() []string // or whom to ask, once, for the types of all
	known    []string        // the answer
}

// Block moves one block. A stream that ends before the block begins is io.EOF;
// any other error leaves the stream at an unknown place.
func (m *Mover) Block() (Shape, error) {
	m.Fields = m.Fields[:0]
	m.In.dst = nil
	s, err := m.start()
	if err != nil || s.Columns == 0 {
		return s, err // no columns: the end of data, and nothing of it
	}
	if err := m.write(AppendStart(nil, s, m.To)); err != nil {
		return s, err
	}
	m.In.dst = m.Out
	types := newScope()
	for i := range int(s.Columns) {
		if err := m.column(types, i, s.Rows); err != nil {
			return s, Unexpected(err)
		}
	}
	return s, m.In.redirect(nil)
}

// start reads what precedes the columns.
func (m *Mover) start() (Shape, error) {
	var s Shape
	defer m.In.Drop()
	if _, err := m.In.Peek(1); err != nil {
		return s, err
	}
	if m.From.info {
		if err := skipBlockInfo(m.In); err != nil {
			return s, fmt.Errorf("reading a block's info: %w", Unexpected(err))
		}
	}
	r := Reader{In: m.In}
	s.Columns, s.Rows = r.Uvarint(), r.Uvarint()
	if r.Err != nil {
		return s, fmt.Errorf("reading a block: %w", Unexpected(r.Err))
	}
	if s.Columns > MaxTopColumns || s.Rows > maxBlockRows {
		return s, Malformed("a block of %d columns and %d rows is beyond the limits of %d and %d", s.Columns, s.Rows, MaxTopColumns, maxBlockRows)
	}
	return s, nil
}

// Unexpected is the error of a stream that ends within something.
func Unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// BareDateTime is a type that may lack its time zone: at revision 0 the engine
// leaves it away where the type is a column's whole type.
const BareDateTime = "DateTime"

func (m *Mover) write(b []byte) error {
	if m.Out == nil {
		return nil
	}
	if _, err := m.Out.Write(b); err != nil {
		return &outputError{err}
	}
	return nil
}

func (m *Mover) column(types scope, position int, rows uint64) error {
	t := m.In
	name, err := t.Str("the name of a column", MaxNameBytes)
	if err != nil {
		return err
	}
	if err := t.redirect(nil); err != nil {
		return err
	}
	kind, err := t.Str("the type of a column", MaxTypeBytes)
	if err != nil {
		return err
	}
	if kind == BareDateTime {
		kind = m.zoned(position)
	}
	t.Drop()
	if err := m.write(AppendString(nil, kind)); err != nil {
		return err
	}
	if m.Keep {
		m.Fields = append(m.Fields, Field{name, kind})
	}
	if m.From.custom {
		custom, err := t.uint8()
		if err != nil {
			return err
		}
		if custom != noCustomLayout {
			return Malformed("column %.200q comes in a custom serialization (sparse), which is not supported: send it in full", name)
		}
		t.Drop()
	}
	t.dst = m.Out
	if m.To.custom {
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
func skipBlockInfo(t *Scanner) error {
	for {
		field, err := t.Uvarint()
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
			err = Malformed("block info has an unknown field %d", field)
		}
		if err != nil {
			return err
		}
	}
}

// A Field is a column's name and type.
type Field struct{ Name, Kind string }

// AppendStart appends what precedes the columns of a block.
func AppendStart(b []byte, s Shape, to Layout) []byte {
	if to.info {
		b = append(b, blockInfo...)
	}
	b = binary.AppendUvarint(b, s.Columns)
	return binary.AppendUvarint(b, s.Rows)
}

// AppendHeader appends a block of zero rows with the given columns.
func AppendHeader(b []byte, fields []Field, to Layout) []byte {
	b = AppendStart(b, Shape{Columns: uint64(len(fields))}, to)
	for _, f := range fields {
		b = AppendString(b, f.Name)
		b = AppendString(b, f.Kind)
		if to.custom {
			b = append(b, noCustomLayout)
		}
	}
	return b
}

// AppendString appends a string with its length.
func AppendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
