package substitute

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
)

// Bodies in packed formats are looked into and never rewritten: a request with a name
// in one is not sent if the candidate calls the thing otherwise.

// isPacked says whether a body is no text.
func isPacked(contentType string, body []byte) bool {
	media := message.MediaType(contentType)
	for _, format := range []string{"msgpack", "cbor", "protobuf", "x-proto", "grpc", "bson", "avro", "thrift"} {
		if strings.Contains(media, format) {
			return true
		}
	}
	return !utf8.Valid(body)
}

// isMedia says whether bodies of a type are pictures and the like, in which no bytes
// are names.
func isMedia(media string) bool {
	of, _, _ := strings.Cut(media, "/")
	return of == "image" || of == "video" || of == "audio" || of == "font"
}

// leastPacked is from which number on one in a message of protocol buffers, of which
// nothing says what it is, may be a name: smaller ones count and choose.
const leastPacked = 100

// packed looks for names in a body in a packed format: by the names of its members
// in MessagePack and CBOR, in others by what was made in the session.
func (x *Exchange) packed(f, told *names.Finder, contentType string, body []byte) {
	media := message.MediaType(contentType)
	var document any
	ok := false
	switch {
	case strings.Contains(media, "msgpack"):
		document, ok = unpack(body)
	case strings.Contains(media, "cbor"):
		ok = cborMode.Unmarshal(body, &document) == nil
	}
	if ok {
		if text, err := json.Marshal(asJSONValue(document, 0)); err == nil {
			f.JSON(text)
			expressions(f, text)
			described(told, f, text, collection(string(x.recorded.GetRequest().GetTarget())))
			return
		}
	}
	s := x.session
	isMade := func(name string) bool { return s.made.holds(name) || s.memory.created.holds(name) }
	search := names.SearchUnmistakable(isMade)
	text := func(text string) {
		search.InBytes([]byte(text), false, func(name string) { f.Value("", name) })
	}
	text(string(body))
	isMessage := strings.Contains(media, "proto") || strings.Contains(media, "grpc")
	names.EachField(body, strings.Contains(media, "grpc"), func(v uint64) {
		if name := strconv.FormatUint(v, 10); isMessage && v >= leastPacked && isMade(name) {
			x.want(names.Name{Place: names.Place{Named: true}, Value: names.Value{Text: name}}, false, true)
		}
	}, func(field []byte) {
		if isMessage && utf8.Valid(field) {
			text(string(field))
		}
	})
	for at := 0; !isMedia(media) && at+len(uuid.UUID{}) <= len(body); at++ {
		if raw := uuid.UUID(body[at : at+len(uuid.UUID{})]); raw.Variant() == uuid.RFC4122 && raw.Version() >= 1 && raw.Version() <= 8 && isMade(raw.String()) {
			f.Value("", raw.String())
		}
	}
}

var cborMode = func() cbor.DecMode {
	mode, err := cbor.DecOptions{MaxNestedLevels: maxNested}.DecMode()
	if err != nil {
		panic(err) // the options are constant
	}
	return mode
}()

// asJSONValue is a value of a packed format as one that JSON can hold. The bytes of a
// UUID become its text.
func asJSONValue(v any, depth int) any {
	if depth > maxNested {
		return nil
	}
	switch x := v.(type) {
	case map[any]any:
		out := make(map[string]any, len(x))
		for key, value := range x {
			out[fmt.Sprint(key)] = asJSONValue(value, depth+1)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, value := range x {
			out[i] = asJSONValue(value, depth+1)
		}
		return out
	case []byte:
		if id, err := uuid.FromBytes(x); err == nil {
			return id.String()
		}
		return string(x)
	case cbor.Tag:
		return asJSONValue(x.Content, depth+1)
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
	case string, bool, int64, uint64, nil:
	default:
		return fmt.Sprint(x)
	}
	return v
}

// unpack reads MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md).
// ok says that nothing else was there.
func unpack(body []byte) (v any, ok bool) {
	u := unpacker{rest: body}
	v = u.value(0)
	return v, !u.failed && len(u.rest) == 0
}

type unpacker struct {
	rest   []byte
	failed bool
}

// take is the next n bytes; nothing if there are fewer.
func (u *unpacker) take(n uint64) []byte {
	if u.failed = u.failed || n > uint64(len(u.rest)); u.failed {
		return nil
	}
	out := u.rest[:n]
	u.rest = u.rest[n:]
	return out
}

// number is a big-endian one of so many bytes.
func (u *unpacker) number(size uint64) uint64 {
	var whole [8]byte
	if b := u.take(size); b != nil {
		copy(whole[8-size:], b)
	}
	return binary.BigEndian.Uint64(whole[:])
}

func (u *unpacker) value(depth int) any {
	head := u.take(1)
	if head == nil || depth > maxNested {
		u.failed = true
		return nil
	}
	switch c := head[0]; {
	case c <= 0x7f:
		return int64(c)
	case c <= 0x8f:
		return u.members(uint64(c&0x0f), depth)
	case c <= 0x9f:
		return u.elements(uint64(c&0x0f), depth)
	case c <= 0xbf:
		return string(u.take(uint64(c & 0x1f)))
	case c == 0xc0, c == 0xc1:
		return nil
	case c <= 0xc3:
		return c == 0xc3
	case c <= 0xc6: // bytes
		return u.take(u.number(1 << (c - 0xc4)))
	case c <= 0xc9: // of an extension
		n := u.number(1 << (c - 0xc7))
		u.take(1)
		return u.take(n)
	case c == 0xca:
		return float64(math.Float32frombits(uint32(u.number(4))))
	case c == 0xcb:
		return math.Float64frombits(u.number(8))
	case c <= 0xcf:
		return u.number(1 << (c - 0xcc))
	case c <= 0xd3: // with a sign
		size := uint64(1) << (c - 0xd0)
		shift := 64 - 8*size
		return int64(u.number(size)<<shift) >> shift
	case c <= 0xd8: // an extension of a fixed length
		u.take(1)
		return u.take(1 << (c - 0xd4))
	case c <= 0xdb:
		return string(u.take(u.number(1 << (c - 0xd9))))
	case c <= 0xdd:
		return u.elements(u.number(2<<(c-0xdc)), depth)
	case c <= 0xdf:
		return u.members(u.number(2<<(c-0xde)), depth)
	default:
		return int64(int8(c))
	}
}

func (u *unpacker) elements(n uint64, depth int) any {
	var out []any
	for range n {
		if out = append(out, u.value(depth+1)); u.failed {
			return nil
		}
	}
	return out
}

func (u *unpacker) members(n uint64, depth int) any {
	out := map[any]any{}
	for range n {
		key := fmt.Sprint(u.value(depth + 1))
		if out[key] = u.value(depth + 1); u.failed {
			return nil
		}
	}
	return out
}
