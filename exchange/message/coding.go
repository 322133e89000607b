package message

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

var (
	// ErrTooLong says that a decoded body would be longer than allowed. Nothing
	// is known about its content then.
	ErrTooLong = errors.New("body is longer than max_decoded after decoding")
	// ErrUnknownCoding says that a body has a content coding that Decode does
	// not know.
	ErrUnknownCoding = errors.New("unknown content coding")
)

// maxCodings is how many content codings are removed from one body.
const maxCodings = 4

// Decode removes the content codings that Content-Encoding names: gzip,
// deflate, br and zstd. It returns ErrTooLong for a body that becomes longer
// than maxDecoded bytes; one without a coding may have any length. With
// ErrUnknownCoding it returns the body as far as it was decoded.
func Decode(body []byte, contentEncoding string, maxDecoded int64) ([]byte, error) {
	codings := slices.Collect(Elements([]string{strings.ToLower(contentEncoding)}))
	if len(codings) > maxCodings {
		return nil, fmt.Errorf("%d content codings: at most %d are removed", len(codings), maxCodings)
	}
	for i := len(codings) - 1; i >= 0 && len(body) > 0; i-- {
		coding := codings[i]
		if coding == "identity" {
			continue
		}
		open, known := decoders[coding]
		if !known {
			return body, fmt.Errorf("%w %q", ErrUnknownCoding, coding)
		}
		var err error
		if body, err = readAll(open, body, maxDecoded); err != nil {
			return nil, fmt.Errorf("content coding %s: %w", coding, err)
		}
	}
	return body, nil
}

func readAll(open opener, body []byte, limit int64) ([]byte, error) {
	r, err := open(body, limit)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out, err := io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(out)) > limit || errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return nil, ErrTooLong
	}
	return out, err
}

type opener func(body []byte, limit int64) (io.ReadCloser, error)

var decoders = map[string]opener{
	"gzip":    gunzip,
	"x-gzip":  gunzip,
	"deflate": inflate,
	"br": func(body []byte, _ int64) (io.ReadCloser, error) {
		return io.NopCloser(brotli.NewReader(bytes.NewReader(body))), nil
	},
	"zstd": unzstd,
}

func gunzip(body []byte, _ int64) (io.ReadCloser, error) {
	return gzip.NewReader(bytes.NewReader(body))
}

// inflate takes zlib, as RFC 9110 says, and raw deflate, as some servers send
// it.
func inflate(body []byte, _ int64) (io.ReadCloser, error) {
	if r, err := zlib.NewReader(bytes.NewReader(body)); err == nil {
		return r, nil
	}
	return flate.NewReader(bytes.NewReader(body)), nil
}

// maxWindow is the window that every zstd body may ask for, however short it is
// (RFC 9659).
const maxWindow = 8 << 20

func unzstd(body []byte, limit int64) (io.ReadCloser, error) {
	d, err := zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(uint64(max(limit, maxWindow))))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

// Encode applies the content codings that Content-Encoding names, in its order:
// what Decode undoes. It is quick rather than thorough.
func Encode(body []byte, contentEncoding string) ([]byte, error) {
	codings := slices.Collect(Elements([]string{strings.ToLower(contentEncoding)}))
	if len(codings) > maxCodings {
		return nil, fmt.Errorf("%d content codings: at most %d are applied", len(codings), maxCodings)
	}
	for _, coding := range codings {
		var b bytes.Buffer
		var w io.WriteCloser
		var err error
		switch coding {
		case "identity":
			continue
		case "gzip", "x-gzip":
			w, err = gzip.NewWriterLevel(&b, gzip.BestSpeed)
		case "deflate":
			w, err = zlib.NewWriterLevel(&b, zlib.BestSpeed)
		case "br":
			w = brotli.NewWriterLevel(&b, brotli.BestSpeed)
		case "zstd":
			w, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
		default:
			return nil, fmt.Errorf("%w %q", ErrUnknownCoding, coding)
		}
		if err == nil {
			_, err = w.Write(body)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("content coding %s: %w", coding, err)
		}
		body = b.Bytes()
	}
	return body, nil
}
