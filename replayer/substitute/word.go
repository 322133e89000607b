package substitute

import "bytes"

// scanned is how many values are searched for one by one before a text is cut
// into its words.
const scanned = 8

// text answers whether values stand in it as whole words, in time linear in
// its length however many are asked for.
type text struct {
	content []byte
	asked   int
	words   map[string]struct{}
}

func (t *text) has(value string) bool {
	if t.asked++; t.asked <= scanned || !isWord(value) {
		return contains(t.content, value)
	}
	if t.words == nil {
		t.words = map[string]struct{}{}
		for _, w := range bytes.FieldsFunc(t.content, func(c rune) bool { return c >= 0x80 || !word(byte(c)) }) {
			if len(w) <= maxValue {
				t.words[string(w)] = struct{}{}
			}
		}
	}
	_, ok := t.words[value]
	return ok
}

func isWord(value string) bool {
	for i := range len(value) {
		if !word(value[i]) {
			return false
		}
	}
	return value != ""
}

// Occurring are those pairs whose recorded value stands in a document as a
// whole word.
func Occurring(content []byte, pairs []Pair) []Pair {
	t := text{content: content}
	var out []Pair
	for _, p := range pairs {
		if t.has(p.Recorded) {
			out = append(out, p)
		}
	}
	return out
}

// contains looks for a value as a whole word.
func contains(content []byte, value string) bool {
	for from := 0; ; {
		i := bytes.Index(content[from:], []byte(value))
		if i < 0 || value == "" {
			return false
		}
		i += from
		end := i + len(value)
		if (i == 0 || !word(content[i-1])) && (end == len(content) || !word(content[end])) {
			return true
		}
		from = i + 1
	}
}

// word characters continue a value; a hyphen does too, so that a part of a
// UUID is not taken for a number.
func word(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-' || c == '.'
}
