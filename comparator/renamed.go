package comparator

import (
	"net/url"
	"slices"
	"strings"

	"understudy.dev/comparator/media"
	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// renamed says whether two texts differ in nothing but names that are known and
// that translation does not reach, because they stand within words, in base64, or
// under another word for their kind: what kept finds where they are equal. ok: it
// decides about the class.
func (x *comparing) renamed(d Difference, path []string, b, f string) (class string, ok bool) {
	if x.search.Idle() || b == f || len(b) > maxOpened || len(f) > maxOpened {
		return "", false
	}
	k := x.keeping()
	s := &spot{place: d.Place, text: b, few: d.Place != InBody || isFew(x.format()) || strings.HasPrefix(d.Path[strings.LastIndexByte(d.Path, '[')+1:], `"@`)}
	if x.format() == media.JSON && strings.HasSuffix(d.Path, "[]") {
		s.elements = 2 // the list is one, however few it has
	}
	if len(path) > 0 {
		s.enclosing, s.label = path[:len(path)-1], path[len(path)-1]
		s.where = wayOf(path, d.Path)
		s.again = x.retranslated(d, path, b)
	}
	if class, ok := k.rewritten(s, f); ok {
		return class, true
	}
	if plain, err := url.PathUnescape(b); err == nil && plain != b {
		if want, err := url.PathUnescape(f); err == nil {
			s.text = plain
			s.again, _ = url.PathUnescape(s.again)
			if class, ok := k.rewritten(s, want); ok {
				return class, true
			}
		}
	}
	code, before, rest, okB := oneCode(b)
	other, beforeOther, restOther, okF := oneCode(f)
	if !okB || !okF || before != beforeOther || rest != restOther {
		return "", false
	}
	s.text, s.outer, s.again = code, b, "" // nothing is translated there
	if class, ok := k.rewritten(s, other); ok {
		return class, true
	}
	return x.evidence.Class(path, noise.Value{Text: code}, noise.Value{Text: other}), true
}

// retranslated is what translation would make of a text at a place that it has gone
// over: what it put in may also be the baseline's name of something, the next in a
// series, and is not to be rewritten again.
func (x *comparing) retranslated(d Difference, path []string, text string) string {
	if x.again == nil {
		q := x.r.GetExchange().GetRequest()
		x.again = names.NewTranslator(x.known, string(q.GetTarget())).Answering(q.GetMethod()).Proven()
	}
	if d.Place == InBody {
		return x.again.At(path, text)
	}
	if before, link, is := strings.Cut(text, "; path="); is { // of a cookie
		return x.again.At(path, before) + "; path=" + x.again.Target(link)
	}
	if !holdsLinks[path[len(path)-1]] {
		return x.again.At(path, text)
	}
	own := x.translator
	x.translator = x.again
	defer func() { x.translator = own }()
	return x.field(path[len(path)-1], text)
}

// holdsLinks are the fields that are translated as links.
var holdsLinks = map[string]bool{"location": true, "content-location": true, "link": true, "refresh": true}

// isPut says whether a name at a spot was put in by translation, as far as can be
// told: one was, somewhere, and it would be replaced here.
func (k *keeping) isPut(s *spot, at names.Sighting) bool {
	if s.again == "" || s.again == s.text {
		return false
	}
	_, put := k.translator.Put(at.Name)
	return put && (at.Alone() || !strings.Contains(s.again, s.text[at.Within:at.Until]))
}

// wayOf are the steps to a place: the names that lead there, and of the folded path
// where lists are.
func wayOf(members []string, path string) (at *step) {
	for _, name := range members {
		at = &step{before: at, name: name, index: -1}
		_, path, _ = strings.Cut(path, name)
		path = strings.TrimPrefix(path, `"]`)
		for strings.HasPrefix(path, "[]") {
			at, path = &step{before: at}, path[len("[]"):]
		}
	}
	return at
}

// format is that of the bodies that were opened.
func (x *comparing) format() string {
	if x.opened == nil {
		return ""
	}
	return x.opened.baseline.Format
}

// oneCode is what the only base64 in a text says, and what stands around that.
func oneCode(text string) (plain, before, rest string, ok bool) {
	n := 0
	names.Coded(text, func(from, to int, is string) {
		n++
		plain, before, rest = is, text[:from], text[to:]
	})
	return plain, before, rest, n == 1
}

// rewritten says whether a text becomes another one when the candidate's names
// are put into it.
func (k *keeping) rewritten(s *spot, want string) (class string, ok bool) {
	var out strings.Builder
	done := 0
	class = noise.Identifier
	k.search.In(s.text, func(at names.Sighting) bool {
		best, put := "", ""
		if k.isPut(s, at) {
			return false
		}
		for _, p := range k.all(at.Name) {
			with := at.Spell(p.Candidate.Text)
			if strings.HasPrefix(want[min(len(want), out.Len()+at.From-done):], with) {
				if as := k.proof(s, at, p); as != "" && (best == "" || noise.IsPresumed(best)) {
					best, put = as, with
				}
			}
		}
		if best == "" {
			return false
		}
		class = weaker(class, best)
		out.WriteString(s.text[done:at.From] + put)
		done = at.To
		return true
	})
	if done == 0 {
		return "", false
	}
	out.WriteString(s.text[done:])
	return class, out.String() == want
}

// weaker is the class of two names in one text.
func weaker(a, b string) string {
	if noise.IsPresumed(a) {
		return a
	}
	return b
}

// proof is the class of a name that was replaced by the one that it is paired
// with; "" for what is none there.
func (k *keeping) proof(s *spot, at names.Sighting, p names.Pair) string {
	if !at.Alone() && k.isSent(s.text[at.Within:at.Until]) {
		return "" // it must come back as it was sent
	}
	switch {
	case names.IsUnmistakable(at.Name) || names.IsUnguessable(at.Name) || names.IsJoined(at.Name):
	case s.key:
		return ""
	case k.ofKind(s, at, p) == harmless:
		if k.isRole(s, at) || k.isVague(s, at, p) || k.isLong(s, at, p) {
			return noise.Presumed(noise.Identifier)
		}
		return ""
	case !s.few && len(at.Name) < longNumber && at.From == 0 && at.To == len(s.text):
		if _, asName := names.Calls(s.label, p.Kind); !asName {
			return noise.Presumed(noise.Identifier) // it may be how many there are
		}
	}
	if p.Proof != names.Created {
		return noise.Presumed(noise.Identifier)
	}
	return noise.Identifier
}

// isRole says whether a number is a whole value that is called the name of
// something of which nothing else is known: another word for what it names here,
// a debtor for a customer, shows itself by the two names of one thing.
func (k *keeping) isRole(s *spot, at names.Sighting) bool {
	if len(at.Name) < longNumber || at.From > 0 || at.To < len(s.text) {
		return false
	}
	place := k.translator.Place(append(slices.Clip(s.enclosing), s.label))
	return place.Named && place.Kind != "" && !k.ids[place.Kind]
}

// location is a Location or Content-Location in the candidate's names, also one
// relative to what was asked for (RFC 9110, 10.2.2).
func (x *comparing) location(value string) string {
	with := x.translator.Target(value)
	if with != value || value == "" || strings.ContainsAny(value, "/?#:") {
		return with
	}
	target, _, _ := strings.Cut(string(x.r.GetExchange().GetRequest().GetTarget()), "?")
	base := target[:strings.LastIndexByte(target, '/')+1]
	return strings.TrimPrefix(x.translator.Target(base+value), x.translator.Target(base))
}

// cookie is a Set-Cookie in the candidate's names: by the name of the cookie, and
// in its path.
func (x *comparing) cookie(line string) string {
	pair, attributes, more := strings.Cut(line, ";")
	name, value, _ := strings.Cut(pair, "=")
	name = strings.TrimSpace(name)
	with := x.translator.Value(name, value)
	if own := valueOf(x.final, name); own != with {
		if class, ok := x.renamed(Difference{Place: InHeader}, []string{name}, with, own); ok && class == noise.Identifier {
			with = own
		}
	}
	if line = name + "=" + with; !more {
		return line
	}
	list := strings.Split(attributes, ";")
	for i, a := range list {
		if key, path, _ := strings.Cut(a, "="); strings.EqualFold(strings.TrimSpace(key), "path") {
			list[i] = key + "=" + x.translator.Target(path)
		}
	}
	return line + ";" + strings.Join(list, ";")
}

// valueOf is the value of a cookie that an answer sets; "" if it does not.
func valueOf(r *understudyv1.Response, name string) (value string) {
	for _, line := range message.Values(r.GetHeaders(), "Set-Cookie") {
		pair, _, _ := strings.Cut(line, ";")
		if n, v, _ := strings.Cut(pair, "="); strings.TrimSpace(n) == name {
			value = v
		}
	}
	return value
}
