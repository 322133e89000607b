package names

import (
	"bytes"
	"index/suffixarray"
	"strings"
)

// continues says whether a character continues a word: letters, digits and _.
// A hyphen and a dot do not, so the 17 of 2026-11-17 is a word. That finds more
// of what the client sent, which then is neither noise nor learned.
func continues(c byte) bool {
	return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
}

// selfEvident is from which length on, in bytes, a value speaks for itself.
const selfEvident = 4

// IsSelfEvident says whether a value is long enough to speak for itself; a
// shorter one ("7") stands in many places by chance.
func IsSelfEvident(value string) bool { return len(value) >= selfEvident }

// SentAs says whether the client sent a value: as a whole word anywhere, or, if
// it does not speak for itself, in the target, which is the first of the texts,
// or under the same name.
func SentAs(sent [][]byte, name, value string) bool {
	for i, text := range sent {
		for at := nextWord(text, value, 0); at >= 0; at = nextWord(text, value, at+1) {
			if IsSelfEvident(value) || i == 0 || isNamed(text[:at], name) {
				return true
			}
		}
	}
	return false
}

// isNamed says whether what comes before a value is its name: "id": 7, id=7.
func isNamed(before []byte, name string) bool {
	text := strings.TrimRight(string(before[max(0, len(before)-len(name)-16):]), " \t\r\n\"':=[")
	return name != "" && len(text) < len(before) && strings.HasSuffix(strings.ToLower(text), strings.ToLower(name))
}

// nextWord is where a value next stands as a whole word, -1 if nowhere.
func nextWord(text []byte, value string, from int) int {
	for value != "" && from < len(text) {
		i := bytes.Index(text[from:], []byte(value))
		if i < 0 {
			return -1
		}
		if at := from + i; isWhole(text, at, at+len(value)) {
			return at
		}
		from += i + 1
	}
	return -1
}

func isWhole(text []byte, from, to int) bool {
	return (from == 0 || !continues(text[from-1])) && (to == len(text) || !continues(text[to]))
}

// Text answers whether values stand in it as whole words, in about linear time
// however many are asked for. It belongs to one goroutine.
type Text struct {
	content []byte
	asked   int
	words   map[string]int32 // the last place of each, in places
	places  []wordPlace
	every   *suffixarray.Index // for what words would be slow for
	slow    map[string]bool
}

// wordPlace is where a word begins, and which place of the same word is before
// it; -1 if none is.
type wordPlace struct{ at, before int32 }

// NewText makes a text; content must not change afterwards.
func NewText(content []byte) *Text { return &Text{content: content} }

const (
	// searched is how many values are searched for before the words are listed.
	searched = 8
	// maxPlaces is at how many places a value of several words is looked for.
	maxPlaces = 64
)

// Has says whether a value stands in the text as a whole word.
func (t *Text) Has(value string) bool {
	if t.asked++; t.asked <= searched {
		return nextWord(t.content, value, 0) >= 0
	}
	if t.words == nil {
		t.listWords()
	}
	n := 0
	for n < len(value) && continues(value[n]) {
		n++
	}
	last, has := t.words[value[:n]]
	switch {
	case n == 0:
		return t.search(value)
	case n == len(value) || !has:
		return has
	}
	for i, looked := last, 0; i >= 0; i, looked = t.places[i].before, looked+1 {
		if looked == maxPlaces {
			return t.search(value)
		}
		at := int(t.places[i].at)
		to := at + len(value)
		if to <= len(t.content) && string(t.content[at:to]) == value && isWhole(t.content, at, to) {
			return true
		}
	}
	return false
}

func (t *Text) listWords() {
	all := string(t.content)
	t.words, t.places = make(map[string]int32, len(all)/32), make([]wordPlace, 0, len(all)/8)
	for at := 0; at < len(all); at++ {
		from := at
		for at < len(all) && continues(all[at]) {
			at++
		}
		if at > from {
			before, has := t.words[all[from:at]]
			if !has {
				before = -1
			}
			t.words[all[from:at]] = int32(len(t.places))
			t.places = append(t.places, wordPlace{int32(from), before})
		}
	}
}

func (t *Text) search(value string) bool {
	if has, known := t.slow[value]; known || value == "" {
		return has
	}
	if t.every == nil {
		t.every, t.slow = suffixarray.New(t.content), map[string]bool{}
	}
	for _, at := range t.every.Lookup([]byte(value), -1) {
		if isWhole(t.content, at, at+len(value)) {
			t.slow[value] = true
			return true
		}
	}
	t.slow[value] = false
	return false
}
