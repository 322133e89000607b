package comparator

import (
	"net/url"
	"slices"
	"strings"

	"understudy.dev/comparator/diff"
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
	said   map[string]bool // what was found, by place and name
	theirs map[string]bool // what the candidate calls its own
	paired map[string][]names.Pair
}

// keeping begins a search, or goes on with it.
func (x *comparing) keeping() *keeping {
	if x.keeps == nil {
		x.keeps = &keeping{comparing: x, ids: map[string]bool{}, paired: map[string][]names.Pair{}}
		for _, p := range x.known.All() {
			x.keeps.ids[p.Kind] = true
		}
		x.keeps.family = names.Family(string(x.r.GetExchange().GetRequest().GetTarget()), nil)
	}
	return x.keeps
}

// A spot is a text of an answer that may hold names.
type spot struct {
	place Place
	// field is the path of a field; where is the way in a body, nil for the whole.
	field string
	where *step
	codes int // that it is within
	// label is what it is called, enclosing what that stands in, from the
	// outside in.
	label     string
	enclosing []string
	// few: what is called by a kind here is called so for no other reason, as in
	// a field, a form or an attribute.
	few bool
	// elements is how many there are of the list that it is one of.
	elements int
	key      bool // the name of a member
	// beside is what stands beside it.
	beside names.Tree
	// outer is the code that it was within, which nothing was translated in.
	outer  string
	text   string
	secret bool
	// document is the body that it is in, or what it was opened as.
	document *media.Document
}

// step leads to a member, an element, or what was opened.
type step struct {
	before *step
	name   string
	index  int // -1 for a member
	form   string
}

// maxPath bounds the text of a path, in bytes.
const maxPath = 4 << 10

// paths are where a spot is, with positions folded and with them.
func (s *spot) paths() (path, location string) {
	if s.field != "" {
		path, location = s.field, s.field
	} else {
		path, location = "$", "$"
	}
	var way []*step
	for at := s.where; at != nil; at = at.before {
		way = append(way, at)
	}
	for _, at := range slices.Backward(way) {
		switch {
		case len(location)+len(at.name) > maxPath:
			return path + "…", location + "…"
		case at.form != "":
			path, location = path+"("+at.form+")", location+"("+at.form+")"
		case at.index >= 0:
			path, location = path+"[]", location+"["+decimal(int64(at.index))+"]"
		default:
			path, location = diff.Member(path, at.name), diff.Member(location, at.name)
		}
	}
	return path, location
}

// held is a name at a spot. What stands on both sides is equal.
type held struct{ label, name, word, outer string }

// around is how much of a text before a number tells where it stands, in bytes.
const around = 32

func (s *spot) held(at names.Sighting) held {
	word := s.text[at.Within:at.Until]
	if !names.IsUnmistakable(at.Name) {
		word = s.text[max(0, at.From-around):at.To]
	}
	return held{s.label, at.Name, word, s.outer}
}

// made is what only the client could have made of a name, if it did not: the word
// or the code that it is in. The name itself is another one in what was sent.
func (s *spot) made(at names.Sighting) string {
	switch {
	case s.outer != "":
		return s.outer
	case at.Alone():
		return ""
	}
	return s.text[at.Within:at.Until]
}

// spots goes over the texts of an answer.
type spots func(yield func(*spot))

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
		if in == nil {
			continue
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
		case p.Proof == names.Created && names.IsUnguessable(at.Name):
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

// longNumber is from how many digits on an unchanged number is no coincidence.
const longNumber = 4

// number judges a number or a word: it is the name only of what is called one of
// its kind.
func (k *keeping) number(s *spot, at names.Sighting, p names.Pair) string {
	name := at.Name
	if s.key && at.Alone() {
		if len(name) > 1 && !k.isTheirs(name) {
			return noise.Presumed(noise.Identifier) // of whatever the map is keyed by
		}
		return harmless
	}
	if at.From > 0 || at.To < len(s.text) {
		label, member := names.LabelBefore(s.text, at.From)
		if is, asName := names.Calls(label, p.Kind); is && (asName || !member) && len(name) > 1 {
			return noise.Presumed(noise.Identifier)
		}
		return harmless
	}
	place := k.translator.Place(append(slices.Clip(s.enclosing), s.label))
	if s.place != InBody {
		place, _ = names.KindOf(s.label)
	}
	if place.Fits(p.Kind, name) {
		if q, certain := k.known.Of(place, name); s.outer != "" && certain && q == p && p.Proof == names.Created {
			return ""
		}
		return noise.Presumed(noise.Identifier) // of one thing or of another
	}
	is, asName := names.Calls(s.label, p.Kind)
	general := names.IsDesignator(s.label) || generals[strings.Trim(s.label, "@#")]
	switch {
	case asName, is && s.few, is && s.elements > 1 && names.IsPlural(s.label):
	case general && k.surrounded(s, p.Kind):
	case (general || place.Named) && isBeside(s.beside, p.Kind, false), s.elements > 0 && isBeside(s.beside, p.Kind, true):
	case len(name) >= longNumber && names.IsDigits(name) && place.Named && (place.Kind == "" || place.Kind == k.family && !k.ids[place.Kind]):
	default:
		return harmless
	}
	return noise.Presumed(noise.Identifier)
}

// generals are members that hold the value of what is named beside or around
// them.
var generals = map[string]bool{"value": true, "content": true, "text": true, "body": true, "": true}

// surrounded says whether what a spot stands in is called by a kind.
func (k *keeping) surrounded(s *spot, kind string) bool {
	for i := len(s.enclosing) - 1; i >= 0; i-- {
		if name := s.enclosing[i]; name != "" && name != s.label {
			is, asName := names.Calls(name, kind)
			return is && (asName || names.IsDesignator(s.label))
		}
	}
	return false
}

// Bounds of what is looked at beside a value: members, and bytes of a text that
// may be the word for a kind.
const (
	maxMembers = 64
	maxBeside  = 64
)

// isBeside says whether a member says that the others are about a kind; asName:
// as the name of one of it.
func isBeside(object names.Tree, kind string, asName bool) bool {
	n := 0
	for m := range object.Members() {
		if n++; n > maxMembers {
			break
		}
		if m[0].Kind == names.String && len(m[0].Text) <= maxBeside {
			if is, as := names.Calls(m[0].Text, kind); is && (as || !asName) {
				return true
			}
		}
	}
	return false
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

// isTheirs says whether the candidate calls something so.
func (k *keeping) isTheirs(name string) bool {
	if k.theirs == nil {
		k.theirs = map[string]bool{}
		for _, p := range k.known.All() {
			if p.Kind != names.Moment.Kind {
				k.theirs[p.Candidate.Text] = true
			}
		}
	}
	return k.theirs[name]
}

// fields looks into header and trailer fields, and cookies.
func (k *keeping) fields() {
	for _, part := range [...]struct {
		place  Place
		prefix string
		of     func(*understudyv1.Response) []*understudyv1.Header
	}{{InHeader, headerPath, (*understudyv1.Response).GetHeaders}, {InTrailer, trailerPath, (*understudyv1.Response).GetTrailers}} {
		if !slices.ContainsFunc(part.of(k.final), func(h *understudyv1.Header) bool { return k.mayHold(h.GetValue()) }) {
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
					if name == "set-cookie" {
						c := parseCookie(value, k.evidence.Frame.Candidate.From)
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
	if f.Format == media.Binary || f.Format == media.GRPC {
		k.bytes(f.Format == media.GRPC)
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
	if strings.Contains(text, `\u`) || strings.Contains(text, "%") {
		return true // they may hide one
	}
	may := false
	k.search.In(text, func(names.Sighting) bool {
		may = true
		return true
	})
	if !may {
		names.Coded(text, func(int, int, string) { may = true })
	}
	return may
}

// maxWalk is how deep documents are looked into.
const maxWalk = 200

// walk goes over the texts of a document.
func (k *keeping) walk(s spot, t names.Tree, depth int, yield func(*spot)) {
	if depth > maxWalk {
		return
	}
	switch {
	case t.Is(names.Object):
		in := s
		in.enclosing, in.elements, in.beside = append(slices.Clip(s.enclosing), s.label), 0, t
		for m := range t.Members() {
			in.label, in.where = m[0].Name, &step{before: s.where, name: m[0].Name, index: -1}
			key := in
			key.key, key.text = true, in.label
			k.within(key, depth, yield)
			k.walk(in, m, depth+1, yield)
		}
	case t.Is(names.Array):
		in := s
		in.elements = 0
		for e := range t.Elements() {
			if e.Is(names.String) || e.Is(names.Number) {
				in.elements++
			}
		}
		if s.document.Format == media.JSON {
			in.elements++ // a list of one is a list
		}
		i := 0
		for e := range t.Elements() {
			if i == 0 {
				in.beside = e
			}
			in.where = &step{before: s.where, index: i}
			k.walk(in, e, depth+1, yield)
			i++
		}
	case t.Is(names.String) || t.Is(names.Number):
		s.text, s.few = t[0].Text, isFew(s.document.Format) || strings.HasPrefix(s.label, "@")
		k.within(s, depth, yield)
	}
}

// within goes over a text, and over what stands in it as JSON or in base64.
func (k *keeping) within(s spot, depth int, yield func(*spot)) {
	yield(&s)
	if depth > maxWalk || s.codes >= maxInside {
		return
	}
	open := func(form, code, plain string) {
		in := s
		in.codes++
		in.where, in.text = &step{before: s.where, index: -1, form: form}, plain
		if in.outer == "" {
			in.outer = code
		}
		if tree, whole := parse(plain); whole {
			in.document = &media.Document{Format: media.JSON}
			k.walk(in, tree, depth+1, yield)
		} else if form != "json" {
			k.within(in, depth+1, yield)
		}
	}
	if s.document != nil || s.place != InBody { // a body that was not taken apart is no text in one
		open("json", s.text, s.text)
	}
	if plain, err := url.PathUnescape(s.text); err == nil && plain != s.text {
		in := s
		in.text = plain
		yield(&in)
	}
	names.Coded(s.text, func(from, to int, plain string) { open("base64", s.text[from:to], plain) })
}

// parse takes a text apart that is an object or a list of JSON.
func parse(text string) (names.Tree, bool) {
	text = strings.TrimSpace(text)
	if text == "" || text[0] != '{' && text[0] != '[' {
		return nil, false
	}
	return names.Parse([]byte(text))
}

// bytes looks into bodies that are not compared in parts. What stands there by
// chance nobody can tell.
func (k *keeping) bytes(messages bool) {
	b, errB := k.j.decoded(k.baseline)
	f, errF := k.j.decoded(k.final)
	if errB != nil || errF != nil {
		return
	}
	holds := map[string]bool{}
	k.search.InBytes(f, messages, func(name string) { holds[name] = true })
	if len(holds) == 0 {
		return
	}
	k.search.InBytes(b, messages, func(name string) {
		if ps := k.pairs(name); holds[name] && len(ps) > 0 {
			k.say(&spot{place: InBody}, ps[0], noise.Presumed(noise.Identifier), "")
		}
	})
}

// cut looks into the beginnings of bodies that are not whole, in which nothing
// was translated.
func (k *keeping) cut() {
	if contentEncoding(k.baseline) != "" || contentEncoding(k.final) != "" {
		return
	}
	b, f := names.NewText(k.baseline.GetBody().GetContent()), names.NewText(k.final.GetBody().GetContent())
	for _, p := range k.known.All() {
		name := p.Baseline.Text
		certain := names.IsUnmistakable(name)
		if len(k.pairs(name)) == 0 || p.Candidate.Text == name || !p.Holds() || p.Kind == names.Moment.Kind || !certain && (len(name) < 2 || !names.IsDigits(name)) || !b.Has(name) || !f.Has(name) {
			continue
		}
		class := noise.Presumed(noise.Identifier)
		switch {
		case p.Proof != names.Created:
		case certain:
			class = ""
		default:
			class = Incomparable
		}
		k.say(&spot{place: InBody}, p, class, "")
	}
}

// longTime is from which length on, in bytes, a time is that of one event.
const longTime = len("2026-11-26T10:00:00")

// moments looks for times that both bodies hold, though the session has shown
// them as others.
func (x *comparing) moments() {
	var b, f *names.Text
	for _, p := range x.known.All() {
		name := p.Baseline.Text
		if p.Kind != names.Moment.Kind || !p.Holds() || p.Candidate.Text == name || p.From == x.r.GetExchange().GetId() || len(name) < longTime {
			continue
		}
		if b == nil {
			if x.final.GetBody().GetTruncated() || x.baseline.GetBody().GetTruncated() {
				return // a day, or seconds, may be that of something else
			}
			before, errB := x.j.decoded(x.baseline)
			after, errF := x.j.decoded(x.final)
			if errB != nil || errF != nil || len(before) == 0 || len(after) == 0 {
				return
			}
			b, f = names.NewText(before), names.NewText(after)
		}
		if b.Has(name) && f.Has(name) {
			x.add(Difference{
				Place: InBody, Path: "$", Location: "$", Kind: Value, Baseline: p.Candidate.Text, Candidate: name, Noise: noise.Presumed(noise.Timestamp),
				Why: x.c.because("both answers hold the baseline's name, which the candidate should call otherwise by now", p),
			}, noise.Value{}, noise.Value{})
		}
	}
}
