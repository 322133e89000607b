package native

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"understudy.dev/embedded/blocks"
	"understudy.dev/embedded/engine"
)

// A sender writes blocks to the client, compressed or not.
type sender struct {
	out    *output
	frames *blocks.FrameWriter // nil: not compressed
	layout blocks.Layout
}

func (c *connection) newSender(q query) *sender {
	s := &sender{out: c.out, layout: c.layout}
	if !q.compressed {
		return s
	}
	method := c.settings[methodSetting]
	for _, own := range q.settings {
		if own.name == methodSetting {
			method = own.value
		}
	}
	s.frames = blocks.NewFrameWriter(c.out, method)
	return s
}

const methodSetting = "network_compression_method"

// begin starts a Data packet.
func (s *sender) begin() {
	s.out.begin()
	s.out.buf = binary.AppendUvarint(s.out.buf, serverData)
	s.out.buf = blocks.AppendString(s.out.buf, "") // not a table that comes along
}

// body is where the block goes.
func (s *sender) body() io.Writer {
	if s.frames != nil {
		return s.frames
	}
	return s.out
}

// end finishes the packet and sends it.
func (s *sender) end() error {
	if s.frames != nil {
		if err := s.frames.Flush(); err != nil {
			return err
		}
	}
	s.out.end()
	return s.out.flush()
}

// header sends a block of no rows, which says what columns there are.
func (s *sender) header(fields []blocks.Field) error {
	s.begin()
	if _, err := s.body().Write(blocks.AppendHeader(nil, fields, s.layout)); err != nil {
		return err
	}
	return s.end()
}

// read runs a statement and sends what comes out of it, block by block.
func (c *connection) read(ctx context.Context, q query, stmt statement) (err error) {
	ctx, w := newWatch(ctx, c)
	defer func() { w.stop(); err = w.why(err) }()
	started := time.Now()
	result, err := c.start(ctx, q, stmt.text)
	if err != nil {
		return err
	}
	sums, err := c.stream(w, result, c.newSender(q), func(fields []blocks.Field) map[int]string {
		if stmt.kind != statementSelect {
			return nil
		}
		return c.zones(ctx, q, stmt, fields)
	})
	statistics := result.Statistics()
	if err := errors.Join(err, result.Close()); err != nil {
		return err
	}
	if sums.blocks == 0 && stmt.kind == statementSelect {
		if err := c.describeResult(ctx, q, stmt); err != nil {
			return err
		}
	}
	c.out.buf = appendProfileInfo(c.out.buf, sums.rows, sums.blocks, sums.bytes)
	c.out.buf = appendProgress(c.out.buf, progressOf(statistics, started), c.revision)
	return nil
}

func progressOf(s engine.Statistics, started time.Time) progress {
	elapsed := s.Elapsed
	if elapsed <= 0 {
		elapsed = time.Since(started)
	}
	return progress{s.ReadRows, s.ReadBytes, s.WrittenRows, s.WrittenBytes, uint64(elapsed)}
}

// sums is what went to the client.
type sums struct{ rows, blocks, bytes uint64 }

// counter counts the bytes that the engine gave.
type counter struct {
	src io.Reader
	n   uint64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	c.n += uint64(n)
	return n, err
}

// stream moves the blocks of a result to the client. Memory does not depend
// on their size: a block passes through while the engine gives it, the first
// holdSize bytes apart.
func (c *connection) stream(w *watch, result Result, send *sender, zones func([]blocks.Field) map[int]string) (sums, error) {
	var total sums
	given := &counter{src: result}
	hold := &holder{send: send, first: true}
	m := blocks.Mover{In: blocks.NewScanner(given), Out: hold, To: c.layout, Keep: true}
	for {
		if _, err := m.In.Peek(1); errors.Is(err, io.EOF) {
			total.bytes = given.n
			return total, nil
		} else if err != nil {
			return total, err
		}
		if err := w.begin(); err != nil {
			return total, err
		}
		s, err := m.Block()
		if err != nil {
			return total, fmt.Errorf("reading the engine's result: %w", blocks.Unexpected(err))
		}
		if m.Keep && !hold.open {
			if m.Zones = zones(m.Fields); len(m.Zones) > 0 {
				if err := hold.rewrite(&m); err != nil {
					return total, err
				}
			}
		}
		if err := hold.end(m.Fields); err != nil {
			return total, err
		}
		m.Keep = false
		total.rows += s.Rows
		total.blocks++
		if err := w.pause(); err != nil {
			return total, err
		}
	}
}

// holdSize is how much of a block is held back before it is sent.
const holdSize = 4 << 20

// A holder holds back the beginning of each block. An error there still
// becomes an exception, and a first block that fits is preceded by one without
// rows: ClickHouse sends such a header, which some clients take the names and
// types of columns from, but the engine does not tell them beforehand.
type holder struct {
	send  *sender
	buf   []byte
	open  bool // the block goes out as it comes
	first bool
}

func (h *holder) Write(p []byte) (int, error) {
	if h.open {
		return h.send.body().Write(p)
	}
	h.buf = append(h.buf, p...)
	if len(h.buf) < holdSize {
		return len(p), nil
	}
	return len(p), h.release()
}

// release sends what was held back.
func (h *holder) release() error {
	h.send.begin()
	h.open = true
	_, err := h.send.body().Write(h.buf)
	h.buf = h.buf[:0]
	return err
}

// end sends the block, which has the given columns.
func (h *holder) end(fields []blocks.Field) error {
	if !h.open {
		if h.first {
			if err := h.send.header(fields); err != nil {
				return err
			}
		}
		if err := h.release(); err != nil {
			return err
		}
	}
	h.open, h.first = false, false
	return h.send.end()
}

// rewrite says the zones of m in the block that is held back and in m.fields.
func (h *holder) rewrite(m *blocks.Mover) error {
	var zoned bytes.Buffer
	again := blocks.Mover{In: blocks.NewScanner(bytes.NewReader(h.buf)), Out: &zoned, From: m.To, To: m.To, Zones: m.Zones}
	if _, err := again.Block(); err != nil {
		return fmt.Errorf("naming time zones: %w", err)
	}
	h.buf = zoned.Bytes()
	for i, kind := range m.Zones {
		m.Fields[i].Kind = kind
	}
	return nil
}

// zonePatience is how long a result waits for its time zones. The engine runs
// a bounded number of statements at once, this one among them.
const zoneTimeout = 2 * time.Second

// zones asks for the types of the columns that may lack their time zone. They
// stay without one if the engine does not say: the values are right either way.
func (c *connection) zones(ctx context.Context, q query, stmt statement, fields []blocks.Field) map[int]string {
	bare := func(f blocks.Field) bool { return f.Kind == blocks.BareDateTime }
	if !slices.ContainsFunc(fields, bare) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, zoneTimeout)
	defer cancel()
	described, err := c.describe(ctx, q, "("+stmt.text+"\n)", nil)
	if err != nil || len(described) != len(fields) {
		return nil
	}
	zones := map[int]string{}
	for i, f := range fields {
		if bare(f) && strings.HasPrefix(described[i].Kind, blocks.BareDateTime+"(") {
			zones[i] = described[i].Kind
		}
	}
	return zones
}

// describeResult returns the columns of a SELECT without rows, for which the
// engine sends nothing.
func (c *connection) describeResult(ctx context.Context, q query, stmt statement) error {
	fields, err := c.describe(ctx, q, "("+stmt.text+"\n)", nil)
	if err != nil {
		return err
	}
	return c.newSender(q).header(fields)
}
