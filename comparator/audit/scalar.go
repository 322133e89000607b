package audit

import (
	"encoding/base64"
	"math/big"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"understudy.dev/exchange/names"
	"understudy.dev/exchange/timestamp"
)

// isName says that a value stands where names do.
func isName(n *node) bool {
	place, _ := names.KindOf(n.name)
	return place.Named
}

// timeOf reads a time; a name that looks like one is none.
func timeOf(n *node) (timestamp.Time, bool) {
	if n.kind != '0' && n.kind != '"' || isName(n) {
		return timestamp.Time{}, false
	}
	return timestamp.Read(n.text, n.kind == '0')
}

func isTime(n *node) bool {
	_, ok := timeOf(n)
	return ok
}

// decimals is how many digits a number has behind its point.
func decimals(text string) int {
	_, fraction, _ := strings.Cut(text, ".")
	return len(fraction)
}

// shifted is a number that is more by an amount or a share, written with as many
// decimals; a time is left to the kinds of times.
func shifted(n *node, by string) string {
	value, ok := rational(n.text)
	if n.kind != '0' || !ok || isTime(n) {
		return ""
	}
	amount := big.NewRat(1, 1)
	if by == "1%" {
		amount.Mul(value, big.NewRat(1, 100)).Abs(amount)
	}
	return unlike(n.text, new(big.Rat).Add(value, amount).FloatString(decimals(n.text)))
}

// rounded is a number with a decimal less.
func rounded(n *node) string {
	value, ok := rational(n.text)
	if n.kind != '0' || !ok || isTime(n) || decimals(n.text) == 0 {
		return ""
	}
	return unlike(n.text, value.FloatString(decimals(n.text)-1))
}

// unlike is a number, "" if it is the same one.
func unlike(before, after string) string {
	a, okA := rational(before)
	b, okB := rational(after)
	if !okA || !okB || a.Cmp(b) == 0 {
		return ""
	}
	return after
}

// anotherLetter changes one letter or digit into another that the text could
// have there as well: of hexadecimal it stays hexadecimal.
func anotherLetter(random *rand.Rand, text string) string {
	digits := "0123456789"
	if isHex(text) {
		digits = "0123456789abcdef"
	}
	return changeOne(random, text, func(c byte) (byte, bool) {
		for _, row := range []string{digits, "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"} {
			if i := strings.IndexByte(row, c); i >= 0 {
				return row[(i+1+random.IntN(len(row)-1))%len(row)], true
			}
		}
		return 0, false
	})
}

func anotherCase(random *rand.Rand, text string) string {
	return changeOne(random, text, func(c byte) (byte, bool) {
		r := rune(c)
		switch {
		case c >= 0x80 || !unicode.IsLetter(r):
			return 0, false
		case unicode.IsUpper(r):
			return byte(unicode.ToLower(r)), true
		}
		return byte(unicode.ToUpper(r)), true
	})
}

func isHex(text string) bool {
	return len(text) >= 8 && strings.Trim(text, "0123456789abcdef-") == ""
}

// changeOne changes one byte of a text, of those that other knows another for.
func changeOne(random *rand.Rand, text string, other func(byte) (byte, bool)) string {
	start := random.IntN(len(text) + 1)
	for i := range len(text) {
		at := (start + i) % len(text)
		if c, ok := other(text[at]); ok {
			return text[:at] + string(c) + text[at+1:]
		}
	}
	return text
}

// anotherThing puts the name of another thing of its kind in the place of one.
func anotherThing(s *subject, n *node) string {
	kind, recorded := s.kindOf(n)
	if kind == "" {
		return ""
	}
	other, ok := s.survey.other(s.random, kind, n.kind == '0', n.text, recorded)
	switch {
	case !ok:
		return ""
	case other.Number:
		return other.Text
	}
	return quote(other.Text)
}

// kindOf says what a value names: by the pair of its name, or by where it
// stands. recorded is what the baseline calls the thing, "" if unknown.
func (s *subject) kindOf(n *node) (kind, recorded string) {
	if n.kind != '"' && n.kind != '0' {
		return "", ""
	}
	place, _ := names.KindOf(n.name)
	for _, p := range s.pairs {
		if p.GetCandidate() == n.text && p.GetCandidateNumber() == (n.kind == '0') && p.GetKind() != "" && p.GetBrokenBy() == "" &&
			(names.IsUnmistakable(n.text) || place.Named) {
			return p.GetKind(), p.GetRecorded()
		}
	}
	if place.Named && names.CanName(names.Value{Text: n.text, Number: n.kind == '0'}) {
		return place.Kind, ""
	}
	return "", ""
}

// recordedName is what the baseline calls a thing, where the candidate has
// another name for it.
func recordedName(s *subject, n *node) string {
	if kind, recorded := s.kindOf(n); kind == "" || recorded == "" || recorded == n.text {
		return ""
	}
	for _, p := range s.pairs {
		if p.GetCandidate() != n.text || p.GetRecorded() == n.text || p.GetBrokenBy() != "" {
			continue
		}
		if p.GetRecordedNumber() {
			return p.GetRecorded()
		}
		return quote(p.GetRecorded())
	}
	return ""
}

// anotherLink leads to another thing: that of another name, or none.
func (s *subject) anotherLink(link string) string {
	u, err := url.Parse(link)
	if !names.IsLink(link) || err != nil || strings.Trim(u.Path, "/") == "" {
		return ""
	}
	segments := names.Segments(link, nil)
	for _, i := range s.random.Perm(len(segments)) {
		g := segments[i]
		if !g.Name {
			continue
		}
		for _, p := range s.pairs {
			if p.GetCandidate() != g.Text {
				continue
			}
			if other, ok := s.survey.other(s.random, p.GetKind(), p.GetCandidateNumber(), g.Text, p.GetRecorded()); ok && names.IsSegment(other.Text) {
				return link[:g.From] + other.Text + link[g.To:]
			}
		}
	}
	if i := strings.IndexAny(link, "?#"); i >= 0 {
		return link[:i] + "-planted" + link[i:]
	}
	return strings.TrimSuffix(link, "/") + "-planted"
}

// claim changes what a JSON Web Token says, and its signature.
func claim(s *subject, n *node) string {
	parts := strings.Split(n.text, ".")
	if n.kind != '"' || len(parts) != 3 || len(parts[2]) < 2 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	payload = s.changeInside(payload, n.path+"(jwt).payload")
	signature := parts[2][1:] + parts[2][:1]
	if payload == nil || signature == parts[2] {
		return ""
	}
	return quote(parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload) + "." + signature)
}

// inside changes a value in JSON, or base64 of JSON, that stands in a text.
func inside(s *subject, n *node) string {
	if n.kind != '"' || len(n.text) < 2 {
		return ""
	}
	if n.text[0] == '{' || n.text[0] == '[' {
		if out := s.changeInside([]byte(n.text), n.path+"(json)"); out != nil {
			return quote(string(out))
		}
		return ""
	}
	for _, code := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		text, err := code.DecodeString(n.text)
		if err != nil || len(text) < 2 || text[0] != '{' && text[0] != '[' {
			continue
		}
		if out := s.changeInside(text, n.path+"(base64)"); out != nil {
			return quote(code.EncodeToString(out))
		}
	}
	return ""
}

// generatedClaims are about one token, and differ from the next.
var generatedClaims = []string{"iat", "exp", "nbf", "jti"}

// changeInside changes one value of an inner document on which the sides agree;
// nil if there is none.
func (s *subject) changeInside(text []byte, path string) []byte {
	root, err := parse(text, 0, path)
	if err != nil {
		return nil
	}
	var all []splice
	root.each(func(n *node) {
		if !n.scalar() || isTime(n) || slices.Contains(generatedClaims, n.name) || !s.clean(n.path) {
			return
		}
		after := map[bool]string{true: shifted(n, "1")}[n.kind == '0']
		if n.kind == '"' {
			after = quoteChanged(n, anotherLetter(s.random, n.text))
		}
		if after != "" {
			all = append(all, n.with(after))
		}
	})
	if len(all) == 0 {
		return nil
	}
	return edited(text, all[s.random.IntN(len(all))])
}
