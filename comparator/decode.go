package comparator

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// header gives the values of a field, joined by commas.
func header(r *understudyv1.Response, name string) string {
	var values []string
	for _, h := range r.GetHeaders() {
		if strings.EqualFold(h.GetName(), name) {
			values = append(values, string(h.GetValue()))
		}
	}
	return strings.Join(values, ", ")
}

// errTooLong: the body cannot be looked into, which says nothing about it.
var errTooLong = errors.New("body is longer than max_decoded after decoding")

// maxCodings is how many content codings may lie over each other.
const maxCodings = 4

// decoded removes the content codings, within the bound. A body with a coding
// that is not known is left as it is.
func (j *Judge) decoded(r *understudyv1.Response) ([]byte, error) {
	data := r.GetBody().GetContent()
	codings := strings.Split(strings.ToLower(header(r, "Content-Encoding")), ",")
	if len(codings) > maxCodings {
		return nil, fmt.Errorf("%d content codings: at most %d are removed", len(codings), maxCodings)
	}
	for i := len(codings) - 1; i >= 0 && len(data) > 0; i-- {
		coding := strings.TrimSpace(codings[i])
		if coding == "" || coding == "identity" {
			continue
		}
		open, known := decoders[coding]
		if !known {
			return data, nil
		}
		var err error
		if data, err = readAll(open, data, j.cfg.MaxDecoded); err != nil {
			return nil, fmt.Errorf("content coding %s: %w", coding, err)
		}
	}
	return data, nil
}

func readAll(open func([]byte, int64) (io.ReadCloser, error), data []byte, limit int64) ([]byte, error) {
	r, err := open(data, limit)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out, err := io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(out)) > limit || errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return nil, errTooLong
	}
	return out, err
}

var decoders = map[string]func(data []byte, limit int64) (io.ReadCloser, error){
	"gzip":    gunzip,
	"x-gzip":  gunzip,
	"deflate": inflate,
	"br": func(data []byte, _ int64) (io.ReadCloser, error) {
		return io.NopCloser(brotli.NewReader(bytes.NewReader(data))), nil
	},
	"zstd": func(data []byte, limit int64) (io.ReadCloser, error) {
		d, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(max(limit, zstd.MinWindowSize))))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	},
}

func gunzip(data []byte, _ int64) (io.ReadCloser, error) {
	return gzip.NewReader(bytes.NewReader(data))
}

// inflate: zlib by RFC 9110, raw deflate by custom.
func inflate(data []byte, _ int64) (io.ReadCloser, error) {
	if r, err := zlib.NewReader(bytes.NewReader(data)); err == nil {
		return r, nil
	}
	return flate.NewReader(bytes.NewReader(data)), nil
}
