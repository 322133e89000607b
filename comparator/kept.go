package comparator

import (
	"slices"
	"strings"

	"understudy.dev/comparator/media"
	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// kept looks for things that should be called otherwise by now, as far as it is
// known, and are not, where translation does not look: within words and codes,
// where a number is called by another word for its kind, in bytes, in a body of
// which only a part is there, and for names that are only aligned. Answers may
// be the same to the byte there, and wrong.
func (x *comparing) kept() {
	x.moments()
	x.cookies()
	if x.search.Idle() {
		return
	}
	k := x.keeping()
	k.fields()
	switch {
	case x.final.GetBody().GetTruncated() || x.baseline.GetBody().GetTruncated():
		k.cut()
	case x.opened != nil:
		k.documents()
	}
}

// keeping is the search of one replay.
type keeping struct {
	*comparing
	family string
	ids    map[string]bool // kinds of which names are known
	sent   []*names.Text
	said   map[string]bool     // what was found, by place and name
	theirs map[string][]string // kinds of what the candidate calls so
	paired map[string][]names.Pair
	// sighted are the names that the candidate's answer has where they were looked at.
	sighted map[string]bool
}

// keeping begins a search, or goes on with it.
func (x *comparing) keeping() *keeping {
	if x.keeps == nil {
		x.keeps = &keeping{comparing: x, ids: map[string]bool{}, paired: map[string][]names.Pair{}, sighted: map[string]bool{}}
		all := x.known.All()
		for i := range all {
			if i == 0 || all[i].Kind != all[i-1].Kind { // many of one kind come in a row
				x.keeps.ids[all[i].Kind] = true
			}
		}
		x.keeps.family = names.Family(string(x.r.GetExchange().GetRequest().GetTarget()), nil)
	}
	return x.keeps
}

// compare finds what the candidate's spots hold as the baseline's do, before and
// after these were translated.
func (k *keeping) compare(baseline, translated, candidate spots) {
	type found struct {
		spot spot
		at   names.Sighting
		p    names.Pair
		held held
	}
	var all []found
	candidate(func(s *spot) {
		k.search.In(s.text, func(at names.Sighting) bool {
			k.sighted[at.Name] = true
			p, class := k.judged(s, at)
			if class == harmless {
				return false
			}
			all = append(all, found{*s, at, p, s.held(at)})
			return true
		})
	})
	for _, in := range [...]spots{baseline, translated} {
		if len(all) == 0 {
			return
		}
		holds := map[held]bool{}
		in(func(s *spot) {
			k.search.In(s.text, func(at names.Sighting) bool {
				holds[s.held(at)] = true
				return false
			})
		})
		all = slices.DeleteFunc(all, func(f found) bool { return !holds[f.held] })
	}
	for _, f := range all {
		_, class := k.judged(&f.spot, f.at)
		k.say(&f.spot, f.p, class, f.spot.made(f.at))
	}
}

// harmless is no class: there is nothing to say of it.
const harmless = "harmless"

// judged says what is to be said of a name that is equal at a spot, and which
// pair says that it should not be.
func (k *keeping) judged(s *spot, at names.Sighting) (found names.Pair, class string) {
	class = harmless
	for _, p := range k.pairs(at.Name) {
		as := harmless
		switch {
		case names.IsDigits(at.Name) && !names.IsUnguessable(at.Name):
			as = k.number(s, at, p)
		case p.Proof == names.Created && names.IsUnguessable(at.Name) && (at.Alone() || !s.isProse()):
			as = ""
		case names.IsUnmistakable(at.Name) || names.IsDigits(at.Name) || names.IsJoined(at.Name):
			as = noise.Presumed(noise.Identifier)
		case !s.key:
			as = k.number(s, at, p) // a word
		}
		if as == "" || class == harmless {
			found, class = p, as
		}
	}
	return found, class
}

// pairs are those by which the candidate calls something otherwise by now.
func (k *keeping) pairs(name string) []names.Pair {
	return slices.DeleteFunc(slices.Clone(k.all(name)), func(p names.Pair) bool { return p.From == k.r.GetExchange().GetId() })
}

// all are these, and those of what this exchange has made.
func (k *keeping) all(name string) (out []names.Pair) {
	if out, known := k.paired[name]; known {
		return out
	}
	for _, i := range k.known.AppendNamed(nil, name) {
		p := k.known.All()[i]
		if p.Baseline.Text == name && p.Candidate.Text != name && p.Holds() && p.Kind != names.Moment.Kind &&
			(p.From != k.r.GetExchange().GetId() || p.Proof == names.Created) {
			out = append(out, p)
		}
	}
	k.paired[name] = out
	return out
}

// say reports a name that was kept, once for each place.
func (k *keeping) say(s *spot, p names.Pair, class, made string) {
	path, location := s.paths()
	if s.document != nil {
		location = s.document.Place(location)
	}
	id := path + "\x00" + p.Baseline.Text
	if k.said[id] || k.stuck {
		return
	}
	if k.said == nil {
		k.said = map[string]bool{}
	}
	k.said[id] = true
	if class == "" && (made != "" && k.isSent(made) || s.place == InHeader && opaqueFields[s.label]) {
		class = noise.Presumed(noise.Identifier) // the answer may repeat what the client had sent; what is opaque says nothing to it
	}
	d := Difference{Place: s.place, Path: path, Location: location, Kind: Value, Baseline: p.Candidate.Text, Candidate: p.Baseline.Text}
	if s.secret {
		d.Baseline, d.Candidate = hidden, hidden
	}
	if d.Noise = k.rs.class(d); d.Noise == "" {
		d.Noise = class
		d.Why = k.c.because("both answers hold the baseline's name, which the candidate should call otherwise by now", p)
	}
	k.add(d, noise.Value{}, noise.Value{})
}

// isSent says whether the client had sent a word.
func (k *keeping) isSent(word string) bool {
	if k.sent == nil {
		for _, text := range k.j.sent(k.r.GetExchange().GetRequest()) {
			k.sent = append(k.sent, names.NewText(text))
		}
	}
	return slices.ContainsFunc(k.sent, func(t *names.Text) bool { return t.Has(word) })
}

// isTheirs says whether the candidate calls something so that is not of a kind.
func (k *keeping) isTheirs(name, kind string) bool {
	if k.theirs == nil {
		k.theirs = map[string][]string{}
		for _, p := range k.known.All() {
			if at := p.Candidate.Text; p.Kind != names.Moment.Kind && !slices.Contains(k.theirs[at], p.Kind) {
				k.theirs[at] = append(k.theirs[at], p.Kind)
			}
		}
	}
	return slices.ContainsFunc(k.theirs[name], func(other string) bool { return other != kind })
}

// fields looks into header and trailer fields, and cookies.
func (k *keeping) fields() {
	for _, part := range [...]struct {
		place  Place
		prefix string
		of     func(*understudyv1.Response) []*understudyv1.Header
	}{{InHeader, headerPath, (*understudyv1.Response).GetHeaders}, {InTrailer, trailerPath, (*understudyv1.Response).GetTrailers}} {
		if !slices.ContainsFunc(part.of(k.final), func(h *understudyv1.Header) bool {
			return k.mayHold(h.GetValue()) || k.mayHold([]byte(strings.ToLower(h.GetName())))
		}) {
			continue
		}
		of := func(r *understudyv1.Response) spots {
			return func(yield func(*spot)) {
				for _, h := range part.of(r) {
					name, value := strings.ToLower(h.GetName()), string(h.GetValue())
					s := spot{place: part.place, field: part.prefix + name, label: name, few: true, text: value}
					if k.rs.defaults.ignores(name) {
						continue
					}
					called := s
					called.label, called.text = "", name
					yield(&called)
					if name == "set-cookie" {
						c := parseCookie(value, k.evidence.Frame.Candidate.From)
						called.text = c.name
						yield(&called)
						s.field, s.label, s.text, s.secret = s.field+":"+c.name, c.name, c.value, true
						attributes := s
						attributes.label, attributes.text = "", c.attributes
						k.within(attributes, 0, yield)
					}
					k.within(s, 0, yield)
				}
			}
		}
		k.compare(of(k.baseline), of(k.translated()), of(k.final))
	}
}

// documents looks into the bodies that were compared.
func (k *keeping) documents() {
	b, f := k.opened.baseline, k.opened.candidate
	switch f.Format {
	case media.JSON, media.JSONLines, media.Text:
	default:
		// Not all of it may be in the document: comments, what parts of multipart stand
		// between, bytes.
		defer k.bytes(f.Format == media.GRPC)
	}
	if f.Format == media.Binary || !k.mayHold(f.JSON) {
		return
	}
	of := func(document []byte, d media.Document) spots {
		return func(yield func(*spot)) {
			if tree, whole := names.Parse(document); whole {
				k.walk(spot{place: InBody, document: &d}, tree, 0, yield)
			} else {
				k.within(spot{place: InBody, text: string(document)}, 0, yield)
			}
		}
	}
	k.compare(of(b.JSON, b), of(k.opened.translated, b), of(f.JSON, f))
}

// isFew says whether what is called by a kind in a format is called so for no
// other reason.
func isFew(format string) bool { return format == media.Form || format == media.CSV }

// mayHold is a look before a text is taken apart: it holds a known name, or
// what may hold one.
func (k *keeping) mayHold(document []byte) bool {
	text := string(document)
	may := isEncoded(text)
	k.search.In(text, func(names.Sighting) bool {
		may = true
		return true
	})
	if !may {
		names.Coded(text, func(int, int, string) { may = true })
	}
	return may
}

// isEncoded says whether some characters of names may be written as others: as
// %2D, or \u002d.
func isEncoded(text string) bool {
	return follows(text, "%", 2) || follows(text, `\u00`, 2)
}

// follows says whether n characters follow a mark somewhere, of which the first is
// the first hexadecimal digit of a character of ASCII that can be seen.
func follows(text, mark string, n int) bool {
	for {
		i := strings.Index(text, mark)
		if i < 0 {
			return false
		}
		text = text[i+len(mark):]
		if len(text) >= n && text[0] >= '2' && text[0] <= '7' {
			return true
		}
	}
}
