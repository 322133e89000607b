package blocks

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/embedded/engine"
)

// timeBlock is a row of times, as the engine gives it at revision 0.
func timeBlock(kinds ...string) []byte {
	b := AppendStart(nil, Shape{Columns: uint64(len(kinds)), Rows: 1}, Layout{})
	for i, kind := range kinds {
		b = AppendString(b, string(rune('a'+i)))
		b = AppendString(b, kind)
		b = append(b, 1, 2, 3, 4)
	}
	return b
}

func TestRecode(t *testing.T) {
	asked := 0
	types := func() []string {
		asked++
		return []string{"DateTime('Asia/Tokyo')", "UInt32", "DateTime"}
	}
	f := func(revision uint64, types func() []string, wantAsked int, want, in []byte) {
		t.Helper()
		asked = 0
		var out bytes.Buffer
		if err := Recode(&out, iotest.OneByteReader(bytes.NewReader(in)), revision, types); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.Bytes()); diff != "" || asked != wantAsked {
			t.Errorf("revision %d: asked %d times, want %d (-want +got):\n%s", revision, asked, wantAsked, diff)
		}
	}
	plain := timeBlock("DateTime", "UInt32", "DateTime")
	zoned := timeBlock("DateTime('Asia/Tokyo')", "UInt32", "DateTime")
	twice := func(b []byte) []byte { return append(bytes.Clone(b), b...) }
	f(0, types, 1, twice(zoned), twice(plain))
	f(0, types, 0, timeBlock("UInt32"), timeBlock("UInt32"))
	f(0, func() []string { return nil }, 0, plain, plain)
	f(revisionBlockInfo, types, 1, append(bytes.Clone(blockInfo), zoned...), plain)
	f(NewestRevision, types, 0, nil, nil)
	custom := AppendStart(nil, Shape{Columns: 1, Rows: 1}, LayoutOf(NewestRevision))
	custom = append(append(append(AppendString(AppendString(custom, "a"), "UInt32"), noCustomLayout), 1, 2), 3, 4)
	f(NewestRevision, types, 0, custom, timeBlock("UInt32"))
}

func TestRecodeFails(t *testing.T) {
	f := func(in io.Reader, want string) {
		t.Helper()
		if err := Recode(io.Discard, in, NewestRevision, nil); err == nil || !strings.Contains(engine.ExceptionOf(err).Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	whole := timeBlock("UInt32")
	f(bytes.NewReader(whole[:len(whole)-1]), "unexpected EOF")
	f(io.MultiReader(bytes.NewReader(whole), iotest.ErrReader(errors.New("of the engine"))), "of the engine")
	f(bytes.NewReader(timeBlock("AggregateFunction(sum, UInt64)")), "NOT_IMPLEMENTED")
}

func TestCompressAndDecompress(t *testing.T) {
	data := strings.Repeat("some text ", 300_000)
	for _, method := range []string{"LZ4", "ZSTD", "NONE", ""} {
		var b bytes.Buffer
		w := NewFrameWriter(&b, method)
		if _, err := io.WriteString(w, data); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		r := Decompress(&b)
		if got, err := io.ReadAll(r); err != nil || string(got) != data {
			t.Errorf("%s: got %d bytes, %v", method, len(got), err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
