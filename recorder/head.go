package recorder

import (
	"net/http"
	"slices"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// field is a header line; unlike an http.Header it does not change while the
// exchange waits. The value is an array so that it can be looked at as a list
// without a copy.
type field struct {
	name  string
	value [1]string
}

// lineOverhead is how many bytes of memory a header line costs beyond its text.
const lineOverhead = 64

func snapshot(h http.Header) (fields []field, size int64) {
	fields = make([]field, 0, len(h)+2)
	for name, values := range h {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			continue
		}
		for _, v := range values {
			fields = append(fields, field{name, [1]string{v}})
			size += int64(len(name)+len(v)) + lineOverhead
		}
	}
	return fields, size
}

// trailers are what a handler sets after the body: under the names that it
// announced, or under any with http.TrailerPrefix.
func trailers(after http.Header, head []field) []field {
	var fields []field
	for name, values := range after {
		if name, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			for _, v := range values {
				fields = append(fields, field{name, [1]string{v}})
			}
		}
	}
	for name := range message.Elements(values(head, "Trailer")) {
		name = http.CanonicalHeaderKey(name)
		for _, v := range after[name] {
			fields = append(fields, field{name, [1]string{v}})
		}
	}
	return fields
}

// sorted sorts by name what comes from net/http, which has lost the order between
// names; the lines of one name keep theirs.
func sorted(fields []field) {
	slices.SortStableFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
}

// headers are the fields in their order. The values share one buffer.
func headers(fields []field) []*understudyv1.Header {
	if len(fields) == 0 {
		return nil
	}
	size := 0
	for _, f := range fields {
		size += len(f.value[0])
	}
	block := make([]understudyv1.Header, len(fields))
	out := make([]*understudyv1.Header, len(fields))
	buffer := make([]byte, 0, size)
	for i, f := range fields {
		at := len(buffer)
		buffer = append(buffer, f.value[0]...)
		block[i].Name, block[i].Value = f.name, buffer[at:len(buffer):len(buffer)]
		out[i] = &block[i]
	}
	return out
}

// values of the fields of a name, in any case.
func values(fields []field, name string) []string {
	var out []string
	for i := range fields {
		f := &fields[i]
		switch {
		case len(f.name) != len(name) || !strings.EqualFold(f.name, name):
		case out == nil:
			out = f.value[:]
		default:
			out = append(out, f.value[0])
		}
	}
	return out
}
