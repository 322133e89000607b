package wire

import (
	"bytes"
	"net/http"
	"strings"

	"understudy.dev/exchange/message"
)

// equalFold compares with a text in lower case, in ASCII.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// Bytes that may stand in names, in values (RFC 9110, 5.5 and 5.6.2), and in a
// host with its port, sub-delimiters and escapes included, as net/http takes
// them.
var inName, inValue, inHost = func() (name, value, host [256]bool) {
	for i := range 256 {
		b := byte(i)
		name[i] = message.IsToken(string([]byte{b}))
		value[i] = message.IsField("n", []byte{b})
		host[i] = b|0x20 >= 'a' && b|0x20 <= 'z' || digit(b) || strings.IndexByte("!$%&'()*+,-.:;=[]_~", b) >= 0
	}
	return name, value, host
}()

// inAnswer are the bytes that may stand in the value of an answer's field.
var inAnswer = func() (in [256]bool) {
	for i := range 256 {
		in[i] = i != 0 && i != '\r' && i != '\n'
	}
	return in
}()

func all(b []byte, in *[256]bool) bool {
	for _, c := range b {
		if !in[c] {
			return false
		}
	}
	return true
}

// field is where the parts of a line stand.
type field struct {
	start, name, value, end, next uint32 // the name ends at name, the value is [value, end)
	kind                          Kind
}

// Limits of a head.
const (
	// DefaultLimit is how many bytes a head may have.
	DefaultLimit = http.DefaultMaxHeaderBytes
	maxFields    = 10_000
	maxNominated = 100 // fields that Connection names
)

// Head is the head of a message, or a trailer section: its bytes and where its
// lines are. Its slices are valid as long as the bytes that were parsed.
type Head struct {
	// Limit is how many bytes are allowed; 0 is DefaultLimit.
	Limit int

	raw      []byte
	fields   []field
	at       int // where the line begins that is not complete
	scanned  int // up to where that line holds no LF
	started  bool
	loose    bool
	response bool
}

// Reset forgets the lines and keeps the memory for them.
func (h *Head) Reset() {
	h.raw, h.fields, h.at, h.scanned = nil, h.fields[:0], 0, 0
	h.started, h.loose = false, false
}

// Bytes are the head as it came, the empty line included. Of a response, folded
// lines are unfolded.
func (h *Head) Bytes() []byte { return h.raw }

// Loose reports whether a line ends in a bare LF.
func (h *Head) Loose() bool { return h.loose }

// Len is the number of fields.
func (h *Head) Len() int { return len(h.fields) }

// Name is the name of a field as it is spelled.
func (h *Head) Name(i int) []byte { return h.raw[h.fields[i].start:h.fields[i].name] }

// Value is the value of a field without the blanks around it.
func (h *Head) Value(i int) []byte { return h.raw[h.fields[i].value:h.fields[i].end] }

// Kind is the kind of a field.
func (h *Head) Kind(i int) Kind { return h.fields[i].kind }

// Line is a field's line as it came, with its end.
func (h *Head) Line(i int) []byte { return h.raw[h.fields[i].start:h.fields[i].next] }

// feed goes on parsing with all bytes that have come so far; those of the last
// call must be the same. It returns the length of the head when that is
// complete, 0 before. startLine takes the first line, nil when there is none.
func (h *Head) feed(buf []byte, startLine func(line []byte) *Error) (int, *Error) {
	limit := h.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	for {
		i := bytes.IndexByte(buf[h.scanned:], '\n')
		if i < 0 {
			h.scanned = len(buf)
			if len(buf) > limit {
				return 0, errTooLarge
			}
			return 0, nil
		}
		next := h.scanned + i + 1
		if next > limit {
			return 0, errTooLarge
		}
		end := next - 1
		if end > h.at && buf[end-1] == '\r' {
			end--
		} else {
			h.loose = true
		}
		line := buf[h.at:end]
		switch {
		case !h.started && startLine != nil:
			h.started = true
			if err := startLine(line); err != nil {
				return 0, err
			}
		case len(line) == 0:
			h.raw = buf[:next:next]
			return next, nil
		default:
			if err := h.line(buf, end, next); err != nil {
				return 0, err
			}
		}
		h.at, h.scanned = next, next
	}
}

// line takes the line [h.at, end) as a field.
func (h *Head) line(buf []byte, end, next int) *Error {
	line := buf[h.at:end]
	if line[0] == ' ' || line[0] == '\t' {
		if !h.response || len(h.fields) == 0 {
			return errFold
		}
		return h.unfold(buf, end, next)
	}
	colon := bytes.IndexByte(line, ':')
	if h.response {
		colon = closeUp(line, colon)
	}
	if colon <= 0 || !all(line[:colon], &inName) {
		return errName
	}
	value, to := h.at+colon+1, end
	for value < to && blank(buf[value]) {
		value++
	}
	for to > value && blank(buf[to-1]) {
		to--
	}
	if !all(buf[value:to], h.values()) {
		return errLine
	}
	if len(h.fields) == maxFields {
		return errTooMany
	}
	h.fields = append(h.fields, field{uint32(h.at), uint32(h.at + colon), uint32(value), uint32(to), uint32(next), kindOf(line[:colon])})
	return nil
}

// values are the bytes that a value may hold. What clients take in that of an
// answer is not refused: any but those that could end it (RFC 9110, 5.5).
func (h *Head) values() *[256]bool {
	if h.response {
		return &inAnswer
	}
	return &inValue
}

// closeUp swaps the colon with blanks before it, which a proxy must take away
// (RFC 9112, 5.1), and returns where it is then.
func closeUp(line []byte, colon int) int {
	at := colon
	for at > 0 && blank(line[at-1]) {
		at--
	}
	if at > 0 && at < colon {
		for i := at; i <= colon; i++ {
			line[i] = ' '
		}
		line[at] = ':'
		return at
	}
	return colon
}

// unfold overwrites the end of the line before with blanks (RFC 9112, 5.2), so
// that this line is the rest of that field.
func (h *Head) unfold(buf []byte, end, next int) *Error {
	if !all(buf[h.at:end], h.values()) {
		return errLine
	}
	f := &h.fields[len(h.fields)-1]
	for i := int(f.end); i < h.at; i++ {
		buf[i] = ' '
	}
	for end > int(f.value) && blank(buf[end-1]) {
		end--
	}
	f.end, f.next = uint32(end), uint32(next)
	for f.value < f.end && blank(buf[f.value]) {
		f.value++
	}
	return nil
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// Lines are the lines [from, to) as they came, with their ends.
func (h *Head) Lines(from, to int) []byte {
	if from >= to {
		return nil
	}
	return h.raw[h.fields[from].start:h.fields[to-1].next]
}

// elements calls f for each element of the comma-separated lists of a kind.
func (h *Head) elements(k Kind, f func(element []byte)) {
	for i := range h.fields {
		if h.fields[i].kind != k {
			continue
		}
		for rest := h.Value(i); len(rest) > 0; {
			e := rest
			if c := bytes.IndexByte(rest, ','); c >= 0 {
				e, rest = rest[:c], rest[c+1:]
			} else {
				rest = nil
			}
			if e = bytes.Trim(e, " \t"); len(e) > 0 {
				f(e)
			}
		}
	}
}

// Has reports whether a list of a kind contains a token, given in lower case.
func (h *Head) Has(k Kind, token string) bool {
	found := false
	h.elements(k, func(e []byte) { found = found || equalFold(e, token) })
	return found
}

// framingOf reads the length or the transfer coding. repeated allows a length
// that is given again, as long as it is the same.
func (h *Head) framingOf(repeated bool) (Framing, int64, *Error) {
	framing, length := None, int64(-1)
	for i := range h.fields {
		switch h.fields[i].kind {
		case ContentLength:
			n, ok := decimal(h.Value(i))
			if !ok || length >= 0 && (!repeated || n != length) {
				return 0, 0, errLength
			}
			length = n
		case TransferEncoding:
			if framing == Chunked {
				return 0, 0, errCodings
			}
			if !equalFold(h.Value(i), "chunked") {
				return 0, 0, errCoding
			}
			framing = Chunked
		}
	}
	if framing == None && length >= 0 {
		framing = Length
	}
	return framing, length, nil
}

// decimal reads a number of at most 18 digits, which fits an int64.
func decimal(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

// Get is the value of the first field of a name, given in lower case.
func (h *Head) Get(name string) (value []byte, found bool) {
	for i := range h.fields {
		if equalFold(h.Name(i), name) {
			return h.Value(i), true
		}
	}
	return nil, false
}

// In is a field as parts of text, which is Bytes as a string.
func (h *Head) In(text string, i int) (name, value string) {
	f := &h.fields[i]
	return text[f.start:f.name], text[f.value:f.end]
}
