package noise

import (
	"bytes"
	"strings"
)

// telling is from which length on, in bytes, a value speaks for itself: a
// shorter one ("7") stands in many places by chance.
const telling = 4

// given says whether the client sent the value: as a whole word anywhere, or,
// if it is short, as a part of the target or under the same name.
func (e *Evidence) given(name, value string) bool {
	for i, g := range e.Given {
		for from := 0; ; {
			at := bytes.Index(g[from:], []byte(value))
			if at < 0 {
				break
			}
			at += from
			end := at + len(value)
			word := (at == 0 || !wordByte(g[at-1])) && (end == len(g) || !wordByte(g[end]))
			if word && (len(value) >= telling || i == 0 || named(g[:at], name)) {
				return true
			}
			from = at + 1
		}
	}
	return false
}

// named says whether what comes before a value is its name: "id": 7, id=7.
func named(before []byte, name string) bool {
	text := strings.TrimRight(string(before[max(0, len(before)-len(name)-16):]), " \t\r\n\"':=[")
	return name != "" && len(text) < len(before) && strings.HasSuffix(strings.ToLower(text), strings.ToLower(name))
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}
