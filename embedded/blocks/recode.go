package blocks

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Recode copies blocks of the Native format from revision 0, which the engine
// speaks, to the given revision of the protocol. At revision 0 a column of
// type DateTime('zone') has lost its zone; types is asked once, if at all, for
// the full types of all columns, and may give nil when they are not known.
func Recode(w io.Writer, r io.Reader, revision uint64, types func() []string) error {
	out := bufio.NewWriterSize(w, ScannerSize)
	m := Mover{In: NewScanner(r), Out: out, To: LayoutOf(revision), types: types}
	for {
		if _, err := m.In.Peek(1); errors.Is(err, io.EOF) {
			return out.Flush()
		} else if err != nil {
			return err
		}
		if _, err := m.Block(); err != nil {
			var kind *unsupportedTypeError
			if errors.As(err, &kind) {
				return err // the statement's fault, not the engine's
			}
			return fmt.Errorf("reading the engine's result: %w", Unexpected(err))
		}
		// Whoever waits for a block gets it when it is there.
		if err := out.Flush(); err != nil {
			return &outputError{err}
		}
	}
}

// zoned is the type to say for a column of the type DateTime.
func (m *Mover) zoned(position int) string {
	if zoned, ok := m.Zones[position]; ok {
		return zoned
	}
	if m.types != nil {
		m.known, m.types = m.types(), nil
	}
	if position < len(m.known) && strings.HasPrefix(m.known[position], BareDateTime+"(") {
		return m.known[position]
	}
	return BareDateTime
}

// Decompress reads ClickHouse's compressed frames. It ends with io.EOF where a
// frame does, and with another error when the input is cut or broken. Close
// frees what it uses and leaves r open.
func Decompress(r io.Reader) io.ReadCloser { return &decompressor{FrameReader{In: r}} }

type decompressor struct{ FrameReader }

func (d *decompressor) Read(p []byte) (int, error) {
	n, err := d.FrameReader.Read(p)
	if errors.Is(err, io.EOF) {
		return n, io.EOF
	}
	return n, err
}

func (d *decompressor) Close() error {
	d.Release()
	return nil
}
