package names

import "strings"

// Search finds the baseline's names in texts that do not say what stands where:
// as a word, as a part of one (inv-<id>.pdf), in capitals or small letters, a
// UUID with its hyphens or without, a number with zeros or letters before it. It
// reads a text once, however many names there are.
type Search struct {
	pairs *Pairs // nil if only has knows the names
	has   func(name string) bool
	words bool // some names have no digit
	// lengths are those of the names, in bytes, and shortest is from which length
	// on a word may hold one.
	lengths  [maxName + 1]bool
	shortest int
}

// NewSearch makes a search for the baseline's names of pairs that rename
// something, times excepted. The pairs must not change while it is in use. It is
// nil, and finds nothing, if there are none.
func NewSearch(pairs *Pairs) (s *Search) { return newSearch(pairs, ofBaseline) }

// NewCandidateSearch makes one for the candidate's names.
func NewCandidateSearch(pairs *Pairs) (s *Search) { return newSearch(pairs, ofCandidate) }

func newSearch(pairs *Pairs, of side) (s *Search) {
	for i := range pairs.list {
		p := &pairs.list[i]
		name := p.Baseline.Text
		if of == ofCandidate {
			name = p.Candidate.Text
		}
		if p.Baseline.Text != p.Candidate.Text && p.Kind != Moment.Kind && p.Kind != Redacted.Kind && len(name) <= maxName {
			if s == nil {
				s = &Search{pairs: pairs, shortest: maxName, has: func(name string) bool { return pairs.latest(of, name) >= 0 }}
			}
			s.lengths[len(name)] = true
			s.shortest = min(s.shortest, leastFor(len(name)))
			s.words = s.words || !hasDigit(name)
		}
	}
	return s
}

// SearchUnguessable makes a search for the names that are unguessable and that has
// knows.
func SearchUnguessable(has func(name string) bool) *Search {
	s := &Search{has: func(name string) bool { return IsUnguessable(name) && has(name) }, shortest: LongName}
	for n := LongName; n < len(s.lengths); n++ {
		s.lengths[n] = true
	}
	return s
}

// SearchMixed makes a search for the names that are mixed and that has knows.
func SearchMixed(has func(name string) bool) *Search {
	s := &Search{has: func(name string) bool { return IsMixed(name) && has(name) }, shortest: leastMixed}
	for n := leastMixed; n < LongName; n++ {
		s.lengths[n] = true
	}
	return s
}

// leastMixed is how many bytes a mixed name has at least.
const leastMixed = 6

// IsMixed says whether a text is a mixed name: 6 to 11 letters and digits, in which both
// are and which may be joined: HMF373X, inv_8KIdfK2, ORD-31950. Other texts may be
// called so by chance, but hardly one that was made as the name of something.
func IsMixed(s string) bool {
	c := classOf(s)
	return len(s) >= leastMixed && len(s) < LongName && c&aDigit != 0 && c&aLetter != 0 && c&(aBlank|aMark) == 0 && !isDecimal(s) && !IsVersion(s) && !IsDate(s)
}

// leastFor is how long a word is at least that holds a name, in whatever form: a
// UUID may have lost its hyphens.
func leastFor(name int) int {
	if name == 36 {
		return 32
	}
	return name
}

// SearchUnmistakable makes a search for the names that are unmistakable and that has
// knows.
func SearchUnmistakable(has func(name string) bool) *Search {
	s := &Search{has: func(name string) bool { return IsUnmistakable(name) && has(name) }, shortest: selfEvident}
	for n := selfEvident; n < len(s.lengths); n++ {
		s.lengths[n] = true
	}
	return s
}

// Idle says that there is nothing to look for.
func (s *Search) Idle() bool { return s == nil }

// Sighting is where a text holds a name.
type Sighting struct {
	// Name is the name as it is known.
	Name string
	// From and To are where it stands.
	From, To int
	// Within and Until are where the word begins and ends that it is in.
	Within, Until int
	form          form
}

// form is how a name is spelled.
type form uint8

const (
	asItIs form = iota
	inCapitals
	inSmall
	hyphenless
	hyphenated
	padded
)

// Alone says whether the name is a word of its own, as it is known.
func (s Sighting) Alone() bool {
	return s.form == asItIs && s.From == s.Within && s.To == s.Until
}

// Spell writes another name as this one is written.
func (s Sighting) Spell(name string) string {
	switch s.form {
	case inCapitals:
		return strings.ToUpper(name)
	case inSmall:
		return strings.ToLower(name)
	case hyphenless:
		return strings.ReplaceAll(name, "-", "")
	case padded:
		return strings.Repeat("0", max(0, s.To-s.From-len(name))) + name
	case hyphenated:
		if hyphens, ok := withHyphens(name); ok {
			return hyphens
		}
	}
	return name
}

// maxParts is of how many words a name that is joined from several is looked for.
const maxParts = 8

// LongName is from which length on, in bytes, letters and digits are no word by
// chance, wherever they stand.
const LongName = 12

// longDigits is likewise for digits alone; a time in milliseconds has fewer.
const longDigits = 15

// IsUnguessable says whether a name is so long that nothing else is called so by
// chance, even within a word: a UUID, 12 letters and digits, 15 digits.
func IsUnguessable(s string) bool {
	return IsUnique(s) || len(s) >= LongName && IsUnmistakable(s) || len(s) >= longDigits && IsDigits(s)
}

// IsJoined says whether a name is of several words, so that it stands nowhere by
// chance though it has no digit: brave-yak-tan.
func IsJoined(s string) bool {
	return len(s) >= LongName && strings.ContainsAny(s[1:len(s)-1], "-_")
}

// joins says whether a byte joins the parts of a word.
func joins(c byte) bool { return c == '-' || c == '_' || c == '.' || c == ':' || c == '~' }

// In yields the names in a text in their order. Of names within each other it
// yields the longest, and those in it only if that is not taken.
func (s *Search) In(text string, yield func(Sighting) (taken bool)) {
	if s == nil {
		return
	}
	for at := 0; at < len(text); {
		if classes[text[at]]&(aDigit|aLetter) == 0 && !joins(text[at]) {
			at++
			continue
		}
		from, digits := at, false
		for at < len(text) && (classes[text[at]]&(aDigit|aLetter) != 0 || joins(text[at])) {
			digits = digits || isDigit(text[at])
			at++
		}
		if (digits || s.words) && at-from+padding >= s.shortest {
			s.word(text, from, at, yield)
		}
	}
}

// padding is how many characters behind a word may be the padding of base64.
const padding = 2

// word looks into one word.
func (s *Search) word(text string, from, to int, yield func(Sighting) bool) {
	until := to
	for until < len(text) && until < to+padding && text[until] == '=' {
		until++ // of base64
	}
	if until > to && s.look(text, from, until, from, until, yield) || s.look(text, from, to, from, to, yield) {
		return
	}
	whole := to - from
	for from < to && joins(text[from]) {
		from++
	}
	for to > from && joins(text[to-1]) {
		to--
	}
	if IsUUID(text[from:to]) && whole == to-from {
		return // of which no part is a name
	}
	if to-from > lengthOfText && s.lengths[lengthOfText] && s.glued(text, from, to, yield) {
		return
	}
	var starts [maxParts]int
	done, n := from, 0 // how many parts there were
	for at := from; at < to; {
		if joins(text[at]) {
			at++
			continue
		}
		starts[n%maxParts] = at
		for at < to && !joins(text[at]) {
			at++
		}
		n++
		found := false
		for i := max(0, n-maxParts); i < n && !found; i++ { // the longest first
			begin := starts[i%maxParts]
			if begin >= done && at-begin < whole && s.look(text, begin, at, from, to, yield) {
				done, found = at, true
			}
		}
		begin := starts[(n-1)%maxParts]
		if digits := begin + len(trimDigits(text[begin:at])); !found && digits > begin && at-digits >= leastGlued && !hasDigit(text[begin:digits]) {
			s.look(text, digits, at, from, to, yield) // INV1001
		}
	}
}

// lengthOfText is that of a UUID as text.
const lengthOfText = 36

// glued looks for UUIDs in a word that nothing parts from letters before or behind
// them, as an escape of JSON does not (\u6ce8550e8400-…), and says whether one was
// taken.
func (s *Search) glued(text string, from, to int, yield func(Sighting) bool) (taken bool) {
	const first = 8 // hexadecimal digits, and the others behind a hyphen
	for at := from + first; at+lengthOfText-first <= to; at++ {
		begin, end := at-first, at-first+lengthOfText
		if text[at] != '-' || (begin == from || joins(text[begin-1])) && (end == to || joins(text[end])) || !IsUUID(text[begin:end]) {
			continue
		}
		if s.look(text, begin, end, from, to, yield) {
			taken = true
		}
		at = end
	}
	return taken
}

// leastGlued is how many digits a number has at least that is looked for behind
// letters.
const leastGlued = 3

// look looks a part of a word up, and yields it if it is a name.
func (s *Search) look(text string, from, to, within, until int, yield func(Sighting) bool) bool {
	n := to - from
	if n > maxName {
		return false
	}
	word := text[from:to]
	found := func(name string, f form) bool {
		if !s.lengths[len(name)] || f != asItIs && f != padded && !IsUnguessable(name) || !s.has(name) || IsDigits(name) && isOfNumber(text, from, to) {
			return false
		}
		return yield(Sighting{name, from, to, within, until, f})
	}
	if s.lengths[n] && found(word, asItIs) {
		return true
	}
	if word[0] == '0' && IsDigits(word) {
		number := strings.TrimLeft(word, "0")
		return len(number) >= leastPadded && found(number, padded)
	}
	if n < LongName || !s.lengths[n] && n != 32 && n != 36 || s.pairs == nil && !IsUnique(word) {
		return false
	}
	if s.lengths[n] {
		if small := strings.ToLower(word); small != word && found(small, inCapitals) {
			return true
		}
		if capitals := strings.ToUpper(word); capitals != word && found(capitals, inSmall) {
			return true
		}
	}
	switch {
	case n == 32 && s.lengths[36]:
		hyphens, ok := withHyphens(word)
		return ok && (found(hyphens, hyphenless) || found(strings.ToLower(hyphens), hyphenless))
	case n == 36 && s.lengths[32] && IsUUID(word):
		return found(strings.ReplaceAll(word, "-", ""), hyphenated)
	}
	return false
}

// leastPadded is how many digits a number has at least that is looked for behind
// zeros.
const leastPadded = 2

// isOfNumber says whether digits are a part of a decimal, a date or a time. Behind
// a word they are of none, unless that is a date: order:1001:1.
func isOfNumber(text string, from, to int) bool {
	joint := func(at int) bool {
		return text[at] == '.' || text[at] == ':' || text[at] == '-' && to-from < leastApart
	}
	if from >= 2 && joint(from-1) && isDigit(text[from-2]) {
		return true
	}
	if to+1 >= len(text) || !joint(to) || !isDigit(text[to+1]) {
		return false
	}
	isBehind := from >= 2 && (joint(from-1) || text[from-1] == '_') && classes[text[from-2]]&aLetter != 0
	const date = len("2026-11-27")
	return !isBehind || text[to] == '.' || from+date <= len(text) && IsDate(text[from:from+date])
}

// leastApart is how many digits a number has at least that a hyphen parts from
// others, as it does not those of a date.
const leastApart = 6

// withHyphens is a UUID that was written without them.
func withHyphens(s string) (string, bool) {
	if len(s) != 32 || !isHex(s) {
		return "", false
	}
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:], true
}
