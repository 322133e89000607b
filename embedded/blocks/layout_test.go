package blocks

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	chproto "github.com/ClickHouse/ch-go/proto"
	chcolumn "github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
	"github.com/google/go-cmp/cmp"
)

// samples are types with values for three rows, encoded by clickhouse-go.
var samples = []struct {
	kind   string
	values [3]any
}{
	{"UInt8", [3]any{uint8(1), uint8(2), uint8(3)}},
	{"Int64", [3]any{int64(-1), int64(0), int64(1)}},
	{"Float64", [3]any{1.5, -2.5, 0.0}},
	{"Bool", [3]any{true, false, true}},
	{"String", [3]any{"a", "", strings.Repeat("long ", 40_000)}},
	{"FixedString(4)", [3]any{"abcd", "efgh", "ijkl"}},
	{"Date", [3]any{day(2020), day(2021), day(2022)}},
	{"DateTime64(3, 'UTC')", [3]any{day(2020), day(2021), day(2022)}},
	{"Enum8('a, (b' = 1, 'c\\'d' = 2)", [3]any{"a, (b", "c'd", "a, (b"}},
	{"IPv6", [3]any{net.ParseIP("::1"), net.ParseIP("::2"), net.ParseIP("::3")}},
	{"UUID", [3]any{"00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000003"}},
	{"Nullable(String)", [3]any{"a", nil, "c"}},
	{"Array(String)", [3]any{[]string{"a", "b"}, []string{}, []string{"c"}}},
	{"Array(Array(Nullable(Int32)))", [3]any{[][]*int32{{nil}, {}}, [][]*int32{}, [][]*int32{{}}}},
	{"Map(String, Array(UInt8))", [3]any{map[string][]uint8{"a": {1, 2}}, map[string][]uint8{}, map[string][]uint8{"b": {}}}},
	{"Tuple(Int64, String)", [3]any{[]any{int64(1), "x"}, []any{int64(2), "y"}, []any{int64(3), "z"}}},
	{"LowCardinality(String)", [3]any{"a", "b", "a"}},
	{"LowCardinality(Nullable(String))", [3]any{"a", nil, "a"}},
	{"Array(LowCardinality(String))", [3]any{[]string{}, []string{}, []string{}}},
	{"Variant(Int64, String)", [3]any{int64(1), "x", nil}},
	{"Dynamic", [3]any{int64(1), "x", nil}},
	{"JSON", [3]any{`{"a":1}`, `{}`, `{"b":"c"}`}},
}

func day(year int) time.Time { return time.Date(year, 1, 2, 0, 0, 0, 0, time.UTC) }

// sampleBlock encodes a sample as a block at a revision, followed by a column
// that comes out wrong when the sample's end is not found.
func sampleBlock(t testing.TB, kind string, values [3]any, revision uint64) []byte {
	t.Helper()
	block := proto.NewBlock()
	if err := errors.Join(block.AddColumn("x", chcolumn.Type(kind)), block.AddColumn("end", "String")); err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	for _, value := range values {
		if err := block.Append(value, "end"); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
	}
	var buf chproto.Buffer
	if err := block.Encode(&buf, revision); err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	return buf.Buf
}

// move moves all blocks from one layout to another; the source gives at most
// size bytes at once.
func move(b []byte, size int, from, to Layout) ([]byte, error) {
	var out bytes.Buffer
	m := Mover{In: NewScanner(&slowReader{bytes.NewReader(b), size}), Out: &out, From: from, To: to, Keep: true}
	for {
		_, err := m.Block()
		if errors.Is(err, io.EOF) {
			return out.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

type slowReader struct {
	src  io.Reader
	size int
}

func (r *slowReader) Read(p []byte) (int, error) { return r.src.Read(p[:min(len(p), r.size)]) }

// Moving blocks between the layouts gives, byte for byte, what clickhouse-go
// encodes at the other revision.
func TestMoveSamples(t *testing.T) {
	for _, s := range samples {
		inner := sampleBlock(t, s.kind, s.values, 0)
		outer := sampleBlock(t, s.kind, s.values, NewestRevision)
		for _, size := range []int{1, 1 << 20} {
			f := func(from, to Layout, b, want []byte) {
				t.Helper()
				twice := bytes.Repeat(b, 2)
				got, err := move(twice, size, from, to)
				if err != nil {
					t.Errorf("%s in reads of %d: %v", s.kind, size, err)
				} else if !bytes.Equal(got, bytes.Repeat(want, 2)) {
					t.Errorf("%s in reads of %d: bytes differ: %s", s.kind, size, cmp.Diff(bytes.Repeat(want, 2), got))
				}
			}
			f(Layout{}, LayoutOf(NewestRevision), inner, outer)
			f(LayoutOf(NewestRevision), Layout{}, outer, inner)
		}
	}
}

// A block that is cut anywhere is an error, never a shorter block.
func TestMoveTruncated(t *testing.T) {
	for _, s := range samples {
		if s.kind == longKind {
			continue // as long as all others together
		}
		b := sampleBlock(t, s.kind, s.values, NewestRevision)
		for n := 1; n < len(b); n++ {
			if _, err := move(b[:n], 1<<20, LayoutOf(NewestRevision), Layout{}); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%s cut to %d of %d bytes: got error %v, want unexpected EOF", s.kind, n, len(b), err)
			}
		}
	}
}

const longKind = "String"

func TestColumnOfRefuses(t *testing.T) {
	f := func(kind, want string) {
		t.Helper()
		if _, err := newScope().columnOf(kind); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("columnOf(%q): got error %v, want one with %q", kind, err, want)
		}
	}
	f("AggregateFunction(sum, UInt64)", "finalizeAggregation")
	f("Object('json')", "JSON")
	f("Frobnicator", "not known")
	f("Array", "one argument")
	f("Array(Int8, Int8)", "one argument")
	f("Array(Int8", "parenthesis")
	f("FixedString(x)", "length")
	f("Decimal(99, 2)", "precision")
	f("Map(String)", "key and a value")
	f("Enum8('a = 1)", "quote")
	f("Tuple(Int8), Array(Int8)", "not opened")
	f(strings.Repeat("Array(", 100)+"Int8"+strings.Repeat(")", 100), "nested deeper")
	f("Tuple("+strings.Repeat("Int8,", maxBlockColumns)+"Int8)", "parts")
	f("JSON(a)", "path without a type")
}

func TestElementType(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := elementType(text); got != want {
			t.Errorf("elementType(%q): got %q, want %q", text, got, want)
		}
	}
	f("Int8", "Int8")
	f("a Int8", "Int8")
	f("`a b` Int8", "Int8")
	f("`a`.`b c` Array(Int8)", "Array(Int8)")
	f(`"q""r" Int8`, "Int8")
	f("a Enum8('x y' = 1)", "Enum8('x y' = 1)")
	f("Enum8('x y' = 1)", "Enum8('x y' = 1)")
	f("Decimal(9, 2)", "Decimal(9, 2)")
}

func FuzzMove(f *testing.F) {
	for _, s := range samples {
		if s.kind != longKind {
			f.Add(sampleBlock(f, s.kind, s.values, NewestRevision))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		once, err := move(b, 1<<20, LayoutOf(NewestRevision), Layout{})
		if err != nil {
			return
		}
		// What was understood comes back the same, however it is cut.
		there, err := move(once, 7, Layout{}, LayoutOf(NewestRevision))
		if err != nil {
			t.Fatalf("moving back: %v", err)
		}
		again, err := move(there, 3, LayoutOf(NewestRevision), Layout{})
		if err != nil || !bytes.Equal(once, again) {
			t.Fatalf("moving there and back changed the blocks: %v", err)
		}
	})
}

func BenchmarkMove(b *testing.B) {
	block := sampleBlock(b, "Map(String, Array(UInt8))", samples[14].values, 0)
	long := bytes.Repeat(block, 10_000)
	b.SetBytes(int64(len(long)))
	for b.Loop() {
		m := Mover{In: NewScanner(bytes.NewReader(long)), Out: io.Discard, To: LayoutOf(NewestRevision)}
		for {
			if _, err := m.Block(); err != nil {
				break
			}
		}
	}
}

func BenchmarkMoveStrings(b *testing.B) {
	s := Shape{Columns: 1, Rows: 65_536}
	block := AppendString(AppendString(AppendStart(nil, s, Layout{}), "s"), "String")
	for range s.Rows {
		block = AppendString(block, "a string of some bytes")
	}
	b.SetBytes(int64(len(block)))
	for b.Loop() {
		m := Mover{In: NewScanner(bytes.NewReader(block)), Out: io.Discard, To: LayoutOf(NewestRevision)}
		if _, err := m.Block(); err != nil {
			b.Fatal(err)
		}
	}
}
