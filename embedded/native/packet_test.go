package native

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/google/go-cmp/cmp"
)

// sampleQuery is a Query packet as ch-go writes it, without its number.
func sampleQuery(revision int) []byte {
	var b chproto.Buffer
	chproto.Query{
		ID: "id", Body: "SELECT {x:String}", Compression: chproto.CompressionEnabled,
		Info:       chproto.ClientInfo{Interface: chproto.InterfaceTCP, Query: chproto.ClientQueryInitial, ClientName: "test"},
		Settings:   []chproto.Setting{{Key: "max_threads", Value: "3", Important: true}, {Key: "c", Value: "UInt64_5", Custom: true}},
		Parameters: []chproto.Parameter{{Key: "x", Value: `'it\'s'`}},
	}.EncodeAware(&b, revision)
	return b.Buf[1:]
}

func TestReadQuery(t *testing.T) {
	for _, revision := range []int{54429, 54441, 54442, 54448, 54449, 54453, 54459, serverRevision} {
		got, err := readQuery(newTap(bytes.NewReader(sampleQuery(revision))), uint64(revision))
		if err != nil {
			t.Errorf("revision %d: %v", revision, err)
			continue
		}
		want := query{
			id: "id", text: "SELECT {x:String}", compressed: true,
			settings: []setting{{"max_threads", "3", true}, {"c", "5", false}},
		}
		if revision >= revisionParameters {
			want.parameters = map[string]string{"x": "it's"}
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(query{}, setting{})); diff != "" {
			t.Errorf("revision %d: %s", revision, diff)
		}
	}
}

func TestReadQueryRefuses(t *testing.T) {
	f := func(b []byte, want string) {
		t.Helper()
		if _, err := readQuery(newTap(bytes.NewReader(b)), serverRevision); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	good := sampleQuery(serverRevision)
	f(good[:len(good)-1], "unexpected EOF")
	f(binary.AppendUvarint(nil, 1<<40), "longer than the limit")
	f([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, "longer than 64 bits")
	stage := append(appendString(nil, ""), 0, 0, 0, 1)
	f(stage, "stage 1")
	many := append(appendString(nil, ""), 0)
	for range maxSettings + 1 {
		many = append(appendString(many, "s"), 0, 0)
	}
	f(many, "more than 4096 settings")
}

func FuzzReadQuery(f *testing.F) {
	for _, revision := range []int{54429, serverRevision} {
		f.Add(sampleQuery(revision), uint64(revision))
	}
	f.Fuzz(func(t *testing.T, b []byte, revision uint64) {
		q, err := readQuery(newTap(bytes.NewReader(b)), revision)
		if err == nil && len(q.text) > len(b) {
			t.Fatalf("a query of %d bytes came out of %d", len(q.text), len(b))
		}
	})
}

func FuzzReadGreeting(f *testing.F) {
	f.Add(hello(serverRevision)[1:])
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := readGreeting(newTap(bytes.NewReader(b)))
		if err == nil && len(g.client)+len(g.database)+len(g.user) > len(b) {
			t.Fatalf("more came out of a hello than was in it")
		}
	})
}

func TestUndump(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := undump(text); got != want {
			t.Errorf("undump(%q): got %q, want %q", text, got, want)
		}
	}
	f(`'a'`, "a")
	f(`''`, "")
	f(`'it\'s'`, "it's")
	f(`'it''s'`, "it's")
	f(`'a\\b\n\t\0'`, "a\\b\n\t\x00")
	f(`'a\\nb'`, `a\nb`)
	f(`UInt64_5`, "5")
	f(`Bool_1`, "1")
	f(`5`, "5")
	f(`'`, "'")
}

func frames(t testing.TB, method compress.Method, data ...[]byte) []byte {
	t.Helper()
	var b []byte
	w := compress.NewWriter(compress.LevelZero, method)
	for _, d := range data {
		if err := w.Compress(d); err != nil {
			t.Fatal(err)
		}
		b = append(b, w.Data...)
	}
	return b
}

var frameMethods = []compress.Method{compress.None, compress.LZ4, compress.LZ4HC, compress.ZSTD}

func TestFrameReader(t *testing.T) {
	data := bytes.Repeat([]byte("some data "), 100_000)
	for _, method := range frameMethods {
		b := frames(t, method, data, []byte("x"), data[:1000])
		r := &frameReader{src: bytes.NewReader(b)}
		got, err := io.ReadAll(r)
		r.close()
		want := append(append(bytes.Clone(data), 'x'), data[:1000]...)
		if !bytes.Equal(got, want) || !errors.Is(err, io.EOF) && err != nil {
			t.Errorf("%v: %d bytes, error %v", method, len(got), err)
		}
	}
}

func TestFrameReaderRefuses(t *testing.T) {
	f := func(b []byte, want string) {
		t.Helper()
		r := &frameReader{src: bytes.NewReader(b)}
		defer r.close()
		if _, err := r.Read(make([]byte, 10)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	good := frames(t, compress.LZ4, []byte("some data"))
	f(good[:5], "unexpected EOF")
	f(good[:len(good)-1], "EOF")
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	f(flipped, "checksum")
	large := bytes.Clone(good)
	binary.LittleEndian.PutUint32(large[17:], 1<<31)
	f(large, "the limit is")
	bomb := frames(t, compress.ZSTD, make([]byte, 10<<20))
	binary.LittleEndian.PutUint32(bomb[21:], 10) // says 10 bytes: its checksum no longer fits
	f(bomb, "checksum")
}

// A frame that holds more than it says is refused with a checksum that fits.
func TestFrameBomb(t *testing.T) {
	w := frames(t, compress.ZSTD, make([]byte, 10<<20))
	r := &frameReader{raw: bytes.Clone(w[frameChecksum:])}
	defer r.close()
	if err := r.decompress(r.raw[9:], 10); err == nil || !strings.Contains(err.Error(), "other than the 10 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestFrameWriter(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), frameData/4)
	for _, name := range []string{"", "LZ4", "lz4hc", "ZSTD", "none", "T64"} {
		var b bytes.Buffer
		w := newFrameWriter(&b, name)
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := w.flush(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(compress.NewReader(&b))
		if !bytes.Equal(got, data) || !errors.Is(err, io.EOF) && err != nil {
			t.Errorf("%s: %d bytes of %d, error %v", name, len(got), len(data), err)
		}
	}
}

func FuzzFrameReader(f *testing.F) {
	for _, method := range frameMethods {
		f.Add(frames(f, method, []byte("some data some data some data"), []byte("more")))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := &frameReader{src: bytes.NewReader(b)}
		defer r.close()
		if n, err := io.Copy(io.Discard, io.LimitReader(r, 1<<20)); err == nil && n < 1<<20 {
			t.Fatal("frames ended without io.EOF in their header")
		}
	})
}
