package names

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Bounds of what is looked for in bytes.
const (
	maxMessages  = 8       // within each other
	leastVarint  = 1 << 14 // what is smaller stands in many messages
	maxRawUUIDs  = 1 << 20 // places at which the bytes of a UUID are looked for
	lengthOfUUID = 16
)

// InBytes yields the names in what is no text: those that stand there as text,
// the UUIDs that do as bytes and, in messages of protocol buffers, the numbers
// from 16,384 on.
func (s *Search) InBytes(content []byte, messages bool, yield func(name string)) {
	if s == nil {
		return
	}
	s.In(string(content), func(found Sighting) bool {
		if IsUnmistakable(found.Name) {
			yield(found.Name)
		}
		return false
	})
	if messages {
		s.frames(content, yield)
	}
	if s.pairs == nil || !s.lengths[36] {
		return
	}
	known := map[[lengthOfUUID]byte]string{}
	for i := range s.pairs.list {
		if name := s.pairs.list[i].Baseline.Text; IsUUID(name) {
			var raw [lengthOfUUID]byte
			if _, err := hex.Decode(raw[:], []byte(strings.ReplaceAll(name, "-", ""))); err == nil {
				known[raw] = name
			}
		}
	}
	for at := 0; at+lengthOfUUID <= len(content) && at < maxRawUUIDs; at++ {
		if name, ok := known[[lengthOfUUID]byte(content[at:])]; ok {
			yield(name)
		}
	}
}

// frames looks into the length-prefixed messages of gRPC.
func (s *Search) frames(content []byte, yield func(string)) {
	EachField(content, true, func(v uint64) { s.number(v, yield) }, func([]byte) {})
}

// EachField goes over the numbers and the texts in what may be a message of protocol
// buffers, whatever they are, or in the length-prefixed ones of gRPC. What turns out
// to be none may have yielded some.
func EachField(content []byte, framed bool, number func(uint64), text func([]byte)) {
	if !framed {
		message(content, 0, number, text)
		return
	}
	for len(content) >= 5 {
		n := uint64(binary.BigEndian.Uint32(content[1:]))
		if n > uint64(len(content)-5) {
			return
		}
		if content[0] == 0 {
			message(content[5:5+n], 0, number, text)
		}
		content = content[5+n:]
	}
}

// message looks into what may be a message, and says whether it is one.
func message(b []byte, depth int, number func(uint64), text func([]byte)) bool {
	if depth > maxMessages {
		return false
	}
	for len(b) > 0 {
		_, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return false
		}
		b = b[n:]
		switch kind {
		case protowire.VarintType:
			v, n := protowire.ConsumeVarint(b)
			if n < 0 {
				return false
			}
			b = b[n:]
			number(v)
		case protowire.Fixed64Type:
			v, n := protowire.ConsumeFixed64(b)
			if n < 0 {
				return false
			}
			b = b[n:]
			number(v)
		case protowire.BytesType:
			v, n := protowire.ConsumeBytes(b)
			if n < 0 {
				return false
			}
			b = b[n:]
			text(v)
			message(v, depth+1, number, text)
		default:
			n := protowire.ConsumeFieldValue(1, kind, b)
			if n < 0 {
				return false
			}
			b = b[n:]
		}
	}
	return true
}

func (s *Search) number(v uint64, yield func(string)) {
	if v < leastVarint {
		return
	}
	if name := strconv.FormatUint(v, 10); s.lengths[len(name)] && s.has(name) {
		yield(name)
	}
}
