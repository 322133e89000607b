package native

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
	out := bufio.NewWriterSize(w, tapSize)
	m := mover{t: newTap(r), dst: out, to: layoutOf(revision), types: types}
	for {
		if _, err := m.t.peek(1); errors.Is(err, io.EOF) {
			return out.Flush()
		} else if err != nil {
			return err
		}
		if _, err := m.block(); err != nil {
			var kind *unsupportedTypeError
			if errors.As(err, &kind) {
				return err // the statement's fault, not the engine's
			}
			return fmt.Errorf("reading the engine's result: %w", unexpected(err))
		}
		// Whoever waits for a block gets it when it is there.
		if err := out.Flush(); err != nil {
			return &outputError{err}
		}
	}
}

// zoned is the type to say for a column of the type DateTime.
func (m *mover) zoned(position int) string {
	if zoned, ok := m.zones[position]; ok {
		return zoned
	}
	if m.types != nil {
		m.known, m.types = m.types(), nil
	}
	if position < len(m.known) && strings.HasPrefix(m.known[position], bareDateTime+"(") {
		return m.known[position]
	}
	return bareDateTime
}

// Decompress reads ClickHouse's compressed frames. It ends with io.EOF where a
// frame does, and with another error when the input is cut or broken. Close
// frees what it uses and leaves r open.
func Decompress(r io.Reader) io.ReadCloser { return &decompressor{frameReader{src: r}} }

type decompressor struct{ frameReader }

func (d *decompressor) Read(p []byte) (int, error) {
	n, err := d.frameReader.Read(p)
	if errors.Is(err, io.EOF) {
		return n, io.EOF
	}
	return n, err
}

func (d *decompressor) Close() error {
	d.close()
	return nil
}

// Compress writes ClickHouse's compressed frames with a method as the setting
// network_compression_method names it. Flush ends the frame at hand.
func Compress(w io.Writer, method string) interface {
	io.Writer
	Flush() error
} {
	return flusher{newFrameWriter(w, method)}
}

type flusher struct{ *frameWriter }

func (f flusher) Flush() error { return f.flush() }
