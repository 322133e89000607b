// Package uuid makes UUIDs of version 7 (RFC 9562, 5.7), which sort by time.
package uuid

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"time"
)

// New returns a random UUID of a time, in text form. Its random bits come from
// the runtime's ChaCha8 generator: enough to be unique, not meant to be secret.
func New(t time.Time) string {
	var random [10]byte
	binary.NativeEndian.PutUint64(random[:], rand.Uint64())
	binary.NativeEndian.PutUint16(random[8:], uint16(rand.Uint32()))
	return format(t, random)
}

// From returns the UUID of a time and a content, always the same for the same,
// so that importing a file again gives the same ids. A hash of the content
// takes the place of the random bits: RFC 9562, 6.9 leaves their source to the
// implementation.
func From(t time.Time, content []byte) string {
	sum := sha256.Sum256(content)
	return format(t, [10]byte(sum[:10]))
}

func format(t time.Time, tail [10]byte) string {
	var u [16]byte
	ms := uint64(max(t.UnixMilli(), 0))
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	copy(u[6:], tail[:])
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	var out [36]byte
	hex.Encode(out[:8], u[:4])
	hex.Encode(out[9:13], u[4:6])
	hex.Encode(out[14:18], u[6:8])
	hex.Encode(out[19:23], u[8:10])
	hex.Encode(out[24:], u[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}
