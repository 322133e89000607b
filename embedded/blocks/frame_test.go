package blocks

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
)

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
		r := &FrameReader{In: bytes.NewReader(b)}
		got, err := io.ReadAll(r)
		r.Release()
		want := append(append(bytes.Clone(data), 'x'), data[:1000]...)
		if !bytes.Equal(got, want) || !errors.Is(err, io.EOF) && err != nil {
			t.Errorf("%v: %d bytes, error %v", method, len(got), err)
		}
	}
}

func TestFrameReaderRefuses(t *testing.T) {
	f := func(b []byte, want string) {
		t.Helper()
		r := &FrameReader{In: bytes.NewReader(b)}
		defer r.Release()
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
	binary.LittleEndian.PutUint32(large[17:], uint32(len(good)-frameChecksum))
	binary.LittleEndian.PutUint32(large[21:], 1<<31)
	f(large, "the limit is")
	bomb := frames(t, compress.ZSTD, make([]byte, 10<<20))
	binary.LittleEndian.PutUint32(bomb[21:], 10) // says 10 bytes: its checksum no longer fits
	f(bomb, "checksum")
}

// A frame that holds more than it says is refused with a checksum that fits.
func TestFrameBomb(t *testing.T) {
	w := frames(t, compress.ZSTD, make([]byte, 10<<20))
	r := &FrameReader{raw: bytes.Clone(w[frameChecksum:])}
	defer r.Release()
	if err := r.decompress(r.raw[9:], 10); err == nil || !strings.Contains(err.Error(), "does not hold the 10 bytes") {
		t.Errorf("got %v", err)
	}
}

// TestFrameOfWrongSize has its checksum right.
func TestFrameOfWrongSize(t *testing.T) {
	for _, method := range []compress.Method{compress.None, compress.LZ4, compress.ZSTD} {
		for _, says := range []int{4, 6} {
			r := &FrameReader{raw: frames(t, method, []byte("12345"))[frameChecksum:]}
			if err := r.decompress(r.raw[9:], says); err == nil {
				t.Errorf("%v: a frame of 5 bytes that says %d went through", method, says)
			}
			r.Release()
		}
	}
}

func TestFrameWriter(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), frameData/4)
	for _, name := range []string{"", "LZ4", "lz4hc", "ZSTD", "none", "T64"} {
		var b bytes.Buffer
		w := NewFrameWriter(&b, name)
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
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
		r := &FrameReader{In: bytes.NewReader(b)}
		defer r.Release()
		if n, err := io.Copy(io.Discard, io.LimitReader(r, 1<<20)); err == nil && n < 1<<20 {
			t.Fatal("frames ended without io.EOF in their header")
		}
	})
}
