package httpapi

import (
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"understudy.dev/embedded/blocks"
	"understudy.dev/embedded/engine"
)

// maxWindow bounds what a zstd body may ask to be kept, in bytes.
const maxWindow = 64 << 20

// The codings here are not those of exchange/message, which embedded may not
// import and would gain little from: a body here is a stream of any length that
// the engine reads as it comes, with one coding, ClickHouse's lz4 among them, and
// what does not follow it is an exception. There a recorded body is whole and
// bounded, may have several codings, and is read as browsers read it, raw deflate
// and all. What both know is the name of a library.

// decode undoes the compression of a body: HTTP's Content-Encoding, then
// ClickHouse's own frames when decompress=1. The reader must be closed, which leaves the body
// open.
func decode(r *http.Request, raw io.Reader) (io.ReadCloser, error) {
	body, err := decodeContent(strings.ToLower(r.Header.Get("Content-Encoding")), raw)
	if err != nil {
		return nil, err
	}
	if r.URL.Query().Get("decompress") != "1" {
		return input{body, []io.Closer{body}}, nil
	}
	frames := blocks.Decompress(body)
	return input{frames, []io.Closer{frames, body}}, nil
}

func decodeContent(encoding string, body io.Reader) (io.ReadCloser, error) {
	switch encoding {
	case "", "identity":
		return io.NopCloser(body), nil
	case "gzip":
		zip, err := gzip.NewReader(body)
		if err != nil {
			return nil, broken("gzip", err)
		}
		return zip, nil
	case "deflate":
		z, err := zlib.NewReader(body)
		if err != nil {
			return nil, broken("deflate", err)
		}
		return z, nil
	case "br":
		return io.NopCloser(brotli.NewReader(body)), nil
	case "lz4":
		return io.NopCloser(lz4.NewReader(body)), nil
	case "zstd":
		z, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxWindow))
		if err != nil {
			return nil, broken("zstd", err)
		}
		return z.IOReadCloser(), nil
	}
	return nil, &engine.Exception{Code: 48, Name: "NOT_IMPLEMENTED",
		Message: fmt.Sprintf("Content-Encoding %q; use gzip, deflate, br, lz4 or zstd", encoding)}
}

func broken(encoding string, err error) error {
	return &engine.Exception{Code: 271, Name: "CANNOT_DECOMPRESS", Message: fmt.Sprintf("the body is not %s: %v", encoding, err)}
}

// input is the body of a request; that it breaks off or cannot be decompressed
// is the client's fault.
type input struct {
	io.Reader
	close []io.Closer
}

func (i input) Read(p []byte) (int, error) {
	n, err := i.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &engine.Exception{Code: 33, Name: "CANNOT_READ_ALL_DATA", Message: "the body of the request: " + err.Error()}
	}
	return n, err
}

func (i input) Close() error {
	for _, each := range i.close {
		each.Close()
	}
	return nil
}

// coder compresses an answer. Close ends it; what it writes to stays open.
type coder interface {
	flushWriter
	io.Closer
}

// encoder compresses the answer as the client asked: ClickHouse's own frames
// for compress=1, and HTTP's encodings when enable_http_compression=1.
func encoder(w io.Writer, h http.Header, r *http.Request) (coder, error) {
	values := r.URL.Query()
	if values.Get("compress") == "1" {
		return frames{blocks.NewFrameWriter(w, values.Get("network_compression_method"))}, nil
	}
	name := ""
	if values.Get("enable_http_compression") == "1" {
		name = accepted(r.Header.Get("Accept-Encoding"))
	}
	if name == "" {
		return frames{plain{w}}, nil
	}
	h.Set("Content-Encoding", name)
	switch name {
	case "zstd":
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	case "lz4":
		return lz4.NewWriter(w), nil
	case "gzip":
		return gzip.NewWriterLevel(w, flate.BestSpeed)
	default:
		return zlib.NewWriterLevel(w, flate.BestSpeed)
	}
}

// accepted is the first of our encodings that an Accept-Encoding allows; ""
// means none.
func accepted(header string) string {
	offered := map[string]bool{}
	for part := range strings.SplitSeq(strings.ToLower(header), ",") {
		name, quality, _ := strings.Cut(part, ";")
		weight, err := strconv.ParseFloat(strings.TrimPrefix(strings.ReplaceAll(quality, " ", ""), "q="), 64)
		offered[strings.TrimSpace(name)] = err != nil || weight > 0
	}
	for _, name := range []string{"zstd", "lz4", "gzip", "deflate"} {
		if offered[name] {
			return name
		}
	}
	return ""
}

// flushWriter ends a part of what is written to it with Flush.
type flushWriter interface {
	io.Writer
	Flush() error
}

// frames makes a coder of what ends with a Flush.
type frames struct{ flushWriter }

func (f frames) Close() error { return f.Flush() }

// plain does not compress.
type plain struct{ io.Writer }

func (plain) Flush() error { return nil }
