package message_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/message/messagetest"
)

func TestDecode(t *testing.T) {
	const text = `{"id":"ord_1"}`
	f := func(contentEncoding string, codings ...string) {
		t.Helper()
		got, err := message.Decode(messagetest.Encode(t, []byte(text), codings...), contentEncoding, 1<<10)
		if err != nil || string(got) != text {
			t.Errorf("%q: got %q, %v", contentEncoding, got, err)
		}
	}
	f("")
	f("identity")
	f("gzip", "gzip")
	f("X-GZIP", "gzip")
	f("deflate", "deflate")
	f("deflate", "deflate raw")
	f("br", "br")
	f("zstd", "zstd")
	f(" deflate,\tBR , identity", "deflate", "br")
	f(", , , , ,gzip", "gzip") // empty elements count for nothing (RFC 9110, 5.6.1)
	f("gzip, gzip, zstd, br", "gzip", "gzip", "zstd", "br")
}

func TestDecodeGivesUp(t *testing.T) {
	f := func(body []byte, contentEncoding string, limit int64, wantBody, wantErr string, is error) {
		t.Helper()
		got, err := message.Decode(body, contentEncoding, limit)
		if string(got) != wantBody || err == nil || err.Error() != wantErr || is != nil && !errors.Is(err, is) {
			t.Errorf("%q: got %q, %v; want %q, %s", contentEncoding, got, err, wantBody, wantErr)
		}
	}
	long := []byte(strings.Repeat("0", 1<<20))
	for _, coding := range []string{"gzip", "deflate", "br", "zstd"} {
		f(messagetest.Encode(t, long, coding), coding, 1<<20-1, "", "content coding "+coding+": body is longer than max_decoded after decoding", message.ErrTooLong)
		f(messagetest.Encode(t, long, coding, coding), coding+","+coding, 1<<20-1, "", "content coding "+coding+": body is longer than max_decoded after decoding", message.ErrTooLong)
	}
	whole := messagetest.Encode(t, []byte("x"), "gzip")
	f(whole[:len(whole)-4], "gzip", 9, "", "content coding gzip: unexpected EOF", nil)
	f([]byte("x"), "zstd", 9, "", "content coding zstd: unexpected EOF", nil)
	f([]byte("x"), "gzip, gzip, gzip, gzip, gzip", 9, "", "5 content codings: at most 4 are removed", nil)
	f([]byte("x"), "compress", 9, "x", `unknown content coding "compress"`, message.ErrUnknownCoding)
	f(whole, "compress, gzip", 9, "x", `unknown content coding "compress"`, message.ErrUnknownCoding)
}

// TestBoundsOfDecode: a body may be as long as allowed, and one without a
// coding as long as it is.
func TestBoundsOfDecode(t *testing.T) {
	long := []byte(strings.Repeat("0", 9<<20))
	for _, coding := range []string{"gzip", "deflate", "br", "zstd"} {
		if got, err := message.Decode(messagetest.Encode(t, long, coding), coding, int64(len(long))); err != nil || len(got) != len(long) {
			t.Errorf("%s: %d bytes, %v", coding, len(got), err)
		}
	}
	if got, err := message.Decode(long, "", 1); err != nil || len(got) != len(long) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if got, err := message.Decode(nil, "gzip", 1); err != nil || len(got) != 0 {
		t.Errorf("an empty body: %q, %v", got, err)
	}
	// The window that a zstd body asks for is not how long it is.
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithWindowSize(8<<20))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"sho", "rt"} {
		_, _ = io.WriteString(w, part)
		_ = w.Flush()
	}
	_ = w.Close()
	if got, err := message.Decode(b.Bytes(), "zstd", 100); err != nil || string(got) != "short" {
		t.Errorf("a short body with a large window: %q, %v", got, err)
	}
}

// FuzzDecode: any bytes under any coding end within the bound, and what was
// encoded comes back.
func FuzzDecode(f *testing.F) {
	for _, coding := range []string{"gzip", "deflate", "br", "zstd", "gzip, br", "br,,identity", "compress", ",,,,,"} {
		f.Add([]byte("\x1f\x8b"), coding, 100)
	}
	for _, coding := range []string{"gzip", "deflate", "deflate raw", "br", "zstd"} {
		f.Add(messagetest.Encode(f, []byte(`{"a":1}`), coding), strings.TrimSuffix(coding, " raw"), 7)
		f.Add(messagetest.Encode(f, []byte(`{"a":1}`), coding, "gzip"), strings.TrimSuffix(coding, " raw")+", gzip", 6)
	}
	f.Fuzz(func(t *testing.T, body []byte, contentEncoding string, limit int) {
		limit &= 1<<16 - 1
		got, err := message.Decode(body, contentEncoding, int64(limit))
		switch {
		case errors.Is(err, message.ErrUnknownCoding), err == nil:
			if len(got) > max(limit, len(body)) {
				t.Fatalf("%d bytes, at most %d are allowed", len(got), limit)
			}
		case got != nil:
			t.Fatalf("%d bytes in spite of %v", len(got), err)
		}
		if len(body) > limit || len(body) > 1<<12 {
			return
		}
		for _, coding := range []string{"gzip", "deflate", "br", "zstd"} {
			again, err := message.Decode(messagetest.Encode(t, body, coding), coding, int64(limit))
			if err != nil || !bytes.Equal(again, body) {
				t.Fatalf("%s: %q came back as %q, %v", coding, body, again, err)
			}
		}
	})
}
