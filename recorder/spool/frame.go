package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A segment is its header and then frames:
//
//	uint32  length of the content, little endian
//	uint32  CRC32C of the length's four bytes and the content
//	        content
const (
	header     = "UDSPOOL\x01"
	headerSize = uint64(len(header))
	frameHead  = 8
)

// MaxFrame bounds the content of a frame: no message of Kafka is larger.
const MaxFrame = 32 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errTorn says that what follows is no whole frame.
var errTorn = errors.New("torn or damaged")

func appendFrame(to, content []byte) []byte {
	at := len(to)
	to = binary.LittleEndian.AppendUint32(to, uint32(len(content)))
	sum := crc32.Update(crc32.Checksum(to[at:at+4], castagnoli), castagnoli, content)
	to = binary.LittleEndian.AppendUint32(to, sum)
	return append(to, content...)
}

// readFrame reads the next frame: io.EOF at the end, an error that wraps
// errTorn when there is something else than a whole frame. No more memory is
// taken than there are bytes to read.
func readFrame(r io.Reader) ([]byte, error) {
	var head [frameHead]byte
	switch _, err := io.ReadFull(r, head[:]); {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errTorn, err)
	}
	length := binary.LittleEndian.Uint32(head[:])
	if length == 0 || length > MaxFrame {
		return nil, fmt.Errorf("%w: a frame of %d bytes", errTorn, length)
	}
	content := make([]byte, 0, min(length, 64<<10))
	for uint32(len(content)) < length {
		if len(content) == cap(content) {
			content = append(content, 0)[:len(content)]
		}
		n, err := io.ReadFull(r, content[len(content):min(cap(content), int(length))])
		content = content[:len(content)+n]
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errTorn, err)
		}
	}
	sum := crc32.Update(crc32.Checksum(head[:4], castagnoli), castagnoli, content)
	if sum != binary.LittleEndian.Uint32(head[4:]) {
		return nil, fmt.Errorf("%w: checksum", errTorn)
	}
	return content, nil
}

// scan counts the whole frames that follow and the bytes they take.
func scan(r io.Reader) (frames, bytes uint64, err error) {
	for {
		content, err := readFrame(r)
		switch {
		case errors.Is(err, io.EOF):
			return frames, bytes, nil
		case err != nil:
			return frames, bytes, err
		}
		frames++
		bytes += frameHead + uint64(len(content))
	}
}
