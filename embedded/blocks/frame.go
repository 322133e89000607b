package blocks

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/go-faster/city"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// A compressed block is a sequence of frames: the CityHash128 of what follows,
// a method, the size of the frame from the method on, the size of the data,
// and the data (ClickHouse's CompressedReadBufferBase.cpp).
const (
	frameChecksum = 16
	frameHeader   = frameChecksum + 1 + 4 + 4

	methodNone = 0x02
	methodLZ4  = 0x82
	methodZSTD = 0x90

	// maxFrame bounds a frame and its data. Clients cut frames at 1 to 10 MiB.
	maxFrame = 128 << 20
	// frameData is how much data a frame of ours holds: ClickHouse's default.
	frameData = 1 << 20
)

// FrameReader gives the data of compressed frames. A Read never reaches past
// the present frame, so that what follows a block stays in the source.
type FrameReader struct {
	In   io.Reader
	raw  []byte
	data []byte // what is left of the present frame
	out  []byte
	zstd *zstd.Decoder
}

func (r *FrameReader) Read(p []byte) (int, error) {
	for len(r.data) == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.data)
	r.data = r.data[n:]
	return n, nil
}

func (r *FrameReader) next() error {
	var header [frameHeader]byte
	if _, err := io.ReadFull(r.In, header[:]); err != nil {
		return fmt.Errorf("reading the header of a compressed frame: %w", err)
	}
	size := binary.LittleEndian.Uint32(header[frameChecksum+1:])
	dataSize := binary.LittleEndian.Uint32(header[frameChecksum+5:])
	if size < frameHeader-frameChecksum || size > maxFrame || dataSize > maxFrame {
		return Malformed("a compressed frame announces %d bytes for %d bytes of data: the limit is %d (is compression on at one end only?)", size, dataSize, maxFrame)
	}
	var err error
	if r.raw, err = readGrowing(r.In, append(r.raw[:0], header[frameChecksum:]...), int(size)); err != nil {
		return fmt.Errorf("reading a compressed frame: %w", Unexpected(err))
	}
	sum := city.CH128(r.raw)
	if sum.Low != binary.LittleEndian.Uint64(header[:]) || sum.High != binary.LittleEndian.Uint64(header[8:]) {
		return Malformed("a compressed frame does not match its checksum")
	}
	return r.decompress(r.raw[frameHeader-frameChecksum:], int(dataSize))
}

// readGrowing fills b up to size, making room only as bytes arrive.
func readGrowing(src io.Reader, b []byte, size int) ([]byte, error) {
	for len(b) < size {
		start, step := len(b), min(size-len(b), 1<<20)
		b = append(b, make([]byte, step)...)
		if _, err := io.ReadFull(src, b[start:]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (r *FrameReader) decompress(body []byte, dataSize int) error {
	if cap(r.out) < dataSize {
		r.out = make([]byte, dataSize)
	}
	out := r.out[:dataSize]
	n, err := 0, error(nil)
	switch method := r.raw[0]; method {
	case methodNone:
		n = copy(out, body)
		if len(body) != dataSize {
			n = -1
		}
	case methodLZ4:
		n, err = lz4.UncompressBlock(body, out)
	case methodZSTD:
		n, err = r.unzstd(body, out)
	default:
		return Malformed("compression method %#x is not known: use LZ4, ZSTD or none", method)
	}
	if err != nil {
		return Malformed("decompressing a frame: %v", err)
	}
	if n != dataSize {
		return Malformed("a compressed frame does not hold the %d bytes it announces", dataSize)
	}
	r.data = out
	return nil
}

func (r *FrameReader) unzstd(body, out []byte) (int, error) {
	if r.zstd == nil {
		var err error
		r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxFrame))
		if err != nil {
			return 0, err
		}
	}
	// One byte more than announced is enough to see that there is too much.
	data, err := r.zstd.DecodeAll(body, out[:0:len(out)])
	if err != nil {
		return 0, err
	}
	if len(data) == len(out) {
		copy(out, data)
	}
	return len(data), nil
}

// Release frees what decompressing took; In stays open.
func (r *FrameReader) Release() {
	if r.zstd != nil {
		r.zstd.Close()
	}
}

// FrameWriter compresses what is written to it into frames of 1 MiB.
type FrameWriter struct {
	dst io.Writer
	buf []byte
	w   *compress.Writer
}

// NewFrameWriter compresses with a method as the setting
// network_compression_method names it; LZ4 where it names none.
func NewFrameWriter(dst io.Writer, method string) *FrameWriter {
	return &FrameWriter{dst: dst, w: compress.NewWriter(compress.LevelZero, methodNamed(method))}
}

// methodNamed reads the setting network_compression_method.
func methodNamed(name string) compress.Method {
	switch strings.ToUpper(name) {
	case "ZSTD":
		return compress.ZSTD
	case "LZ4HC":
		return compress.LZ4HC
	case "NONE":
		return compress.None
	default:
		return compress.LZ4
	}
}

func (f *FrameWriter) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		n := min(len(p), frameData-len(f.buf))
		f.buf = append(f.buf, p[:n]...)
		p = p[n:]
		if len(f.buf) == frameData {
			if err := f.Flush(); err != nil {
				return 0, err
			}
		}
	}
	return written, nil
}

// Flush ends the present frame. Each block ends with one.
func (f *FrameWriter) Flush() error {
	if len(f.buf) == 0 {
		return nil
	}
	if err := f.w.Compress(f.buf); err != nil {
		return fmt.Errorf("compressing a frame: %w", err)
	}
	f.buf = f.buf[:0]
	_, err := f.dst.Write(f.w.Data)
	return err
}
