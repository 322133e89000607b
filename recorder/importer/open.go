package importer

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory that a zstd file may ask for, in bytes: what its
// tool makes without --long or --ultra needs no more.
const maxWindow = 8 << 20

// Open unpacks a file that is packed with gzip or zstd, as rotated logs are;
// any other is read as it is. The first bytes decide, not a name.
func Open(in io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReaderSize(in, 64<<10)
	head, err := b.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case len(head) >= 2 && string(head[:2]) == "\x1f\x8b":
		r, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return r, nil
	case string(head) == "\x28\xb5\x2f\xfd":
		r, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		return r.IOReadCloser(), nil
	}
	return io.NopCloser(b), nil
}
