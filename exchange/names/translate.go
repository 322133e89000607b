package names

// Translator puts the candidate's names in the place of the baseline's. Every
// place is looked at once, so that a name put in is never taken for one of the
// baseline's: 17 → 18 and 18 → 19 do not chain. It belongs to one goroutine.
type Translator struct {
	pairs  *Pairs
	target string
	answer bool // to the method
	method string
	own    func(host string) bool
	as     map[string]Place
	places *places       // made when they are first needed
	uses   map[int32]use // by the pair's number
	made   uint32        // replacements
	broken map[string]Pair
	guess  bool // of names of members
	proven bool
	keys   []Key
}

// use is how often a pair was put in, and which of all it was the last time.
type use struct{ n, latest uint32 }

// Use is a pair that was put in.
type Use struct{ Kind, Baseline, Candidate string }

// NewTranslator makes a translator for messages about what target names, which
// is the target of the request as recorded. The pairs must not change while it
// is in use.
func NewTranslator(pairs *Pairs, target string) *Translator {
	return &Translator{pairs: pairs, target: target}
}

func (t *Translator) at() *places {
	if t.places == nil {
		p := placesOf(replacing{t}, t.target)
		p.own, p.as = t.own, t.as
		if t.answer {
			p.answering(t.method)
		}
		t.places = &p
	}
	return t.places
}

// Answering makes it one for the answer to a method. A list of things that was
// asked for holds them in members that only say that there are several.
func (t *Translator) Answering(method string) *Translator {
	t.answer, t.method = true, method
	return t
}

// Of makes own say which hosts are the system's: links to others stay as they are.
func (t *Translator) Of(own func(host string) bool) *Translator {
	t.own = own
	return t
}

// As gives members of a name another place than that name says, as that of a Finder.
func (t *Translator) As(places map[string]Place) *Translator {
	t.as = places
	return t
}

// Uses is how often each pair was put in.
func (t *Translator) Uses() map[Use]uint32 {
	out := make(map[Use]uint32, len(t.uses))
	for i, u := range t.uses {
		p := &t.pairs.list[i]
		out[Use{p.Kind, p.Baseline.Text, p.Candidate.Text}] += u.n
	}
	return out
}

// Times is how often a text was put in, as the candidate's name of anything.
func (t *Translator) Times(text string) (n uint32) {
	for i := t.pairs.latest(ofCandidate, text); i >= 0; i = t.pairs.earlier(ofCandidate, i) {
		n += t.uses[i].n
	}
	return n
}

// Broken are the pairs that were met and not put in because they are broken, by
// the baseline's name.
func (t *Translator) Broken() map[string]Pair { return t.broken }

// Key is the name of a member that was replaced by a pair that is only aligned.
type Key struct {
	// Path leads to the map: names of members, and "" for elements of an array.
	Path []string
	Pair Pair
}

// Proven makes it replace only by pairs that are created and hold. Names of the
// members of maps it replaces by pairs that are only aligned, too: elsewhere such
// names can be compared where they stand, but under another name a member is
// missing. Keys tells which it did.
func (t *Translator) Proven() *Translator {
	t.proven, t.guess = true, true
	return t
}

// Keys are the names of members that were replaced by pairs that are only
// aligned.
func (t *Translator) Keys() []Key { return t.keys }

// Put says whether a text was put in somewhere, and what stood there.
func (t *Translator) Put(text string) (baseline string, ok bool) {
	if len(t.uses) == 0 {
		return "", false
	}
	var latest uint32
	for i := t.pairs.latest(ofCandidate, text); i >= 0; i = t.pairs.earlier(ofCandidate, i) {
		if u := t.uses[i]; u.n > 0 && u.latest >= latest {
			baseline, latest, ok = t.pairs.list[i].Baseline.Text, u.latest, true
		}
	}
	return baseline, ok
}

// Place is what may stand at a member of a JSON document; path has the names of
// the members that lead to it, from the outside in.
func (t *Translator) Place(path []string) Place {
	if len(path) == 0 {
		return Place{}
	}
	last := len(path) - 1
	return t.at().member(path[last], path[:last])
}

// Idle says that nothing can be replaced, because no pair renames anything.
func (t *Translator) Idle() bool {
	return t.pairs.renames == 0
}

// Target replaces names in a request target or in a link: whole segments of the
// path, and whole values of the query.
func (t *Translator) Target(raw string) string {
	if t.Idle() {
		return raw
	}
	return t.at().target(raw)
}

// Form replaces whole values of a URL-encoded form.
func (t *Translator) Form(body []byte) []byte {
	if t.Idle() {
		return body
	}
	return []byte(t.at().form(string(body)))
}

// Value replaces names in the value of a parameter, a header field or a cookie:
// the whole of it, a link, or whole words.
func (t *Translator) Value(name, value string) string {
	if t.Idle() {
		return value
	}
	if t.answer && IsDigits(value) && Counts(name) {
		return value
	}
	return t.at().text(t.at().member(name, nil), value)
}

// At replaces names in a text at a place of a document; path has the names of the
// members that lead to it, from the outside in.
func (t *Translator) At(path []string, text string) string {
	if t.Idle() {
		return text
	}
	return t.at().text(t.Place(path), text)
}

// Document replaces names in the document that a body of another format was
// opened as, in which every value is a text.
func (t *Translator) Document(body []byte) []byte {
	if t.Idle() {
		return body
	}
	texts := *t.at()
	texts.visitor = textual{replacing{t}}
	return texts.document(body, &markup{})
}

// textual is the visitor of a document in which there are no numbers.
type textual struct{ replacing }

func (r textual) visit(at Place, v Value) (Value, bool) {
	with, ok := r.replacing.visit(at, v)
	with.Number = false
	return with, ok
}

// JSON replaces names in a JSON document: whole strings and numbers, which take
// the type that the candidate writes, names of members, links, and words in
// texts. Every other byte stays as it is.
func (t *Translator) JSON(body []byte) []byte {
	if t.Idle() {
		return body
	}
	return t.at().json(body)
}

// Inner replaces names in a JSON document that was a text in another one, in which
// words have been replaced already: what they were replaced by may be the
// baseline's name of something else, the next in a series, and stays.
func (t *Translator) Inner(body []byte) []byte {
	if t.Idle() {
		return body
	}
	inner := *t.at()
	inner.visitor = second{replacing{t}}
	return inner.json(body)
}

// second is the visitor of what words were replaced in before.
type second struct{ replacing }

func (r second) visit(at Place, v Value) (Value, bool) {
	if IsUnmistakable(v.Text) || !v.Number && r.t.isWord(v.Text) {
		return v, false
	}
	return r.replacing.visit(at, v)
}

func (r second) visitKey(at Place, v Value, in *document) (Value, bool) {
	if IsUnmistakable(v.Text) || r.t.isWord(v.Text) {
		return v, false
	}
	return r.replacing.visitKey(at, v, in)
}

// isWord says whether a text was put in for a word.
func (t *Translator) isWord(text string) bool {
	for i := t.pairs.latest(ofCandidate, text); i >= 0; i = t.pairs.earlier(ofCandidate, i) {
		if t.uses[i].n > 0 && IsUnmistakable(t.pairs.list[i].Baseline.Text) {
			return true
		}
	}
	return false
}

// replacing is the visitor of a translator.
type replacing struct{ t *Translator }

func (r replacing) may(value string) bool { return r.t.pairs.Has(value) }

func (r replacing) visitKey(at Place, v Value, in *document) (Value, bool) {
	if with, ok := r.visit(at, v); ok || !r.t.guess {
		return with, ok
	}
	p, ok := r.t.pairs.Of(at, v.Text)
	if !ok || !p.Renames() || !p.Holds() || p.Proof != Aligned {
		return v, false
	}
	r.t.keys = append(r.t.keys, Key{in.path(), p})
	return Value{Text: p.Candidate.Text}, true
}

func (r replacing) known(at Place, text string) bool {
	_, ok := r.t.pairs.Of(at, text)
	return ok
}

func (r replacing) visit(at Place, v Value) (Value, bool) {
	t := r.t
	i, certain := t.pairs.find(ofBaseline, v.Text, at, t.proven)
	if !certain {
		return v, false
	}
	p := &t.pairs.list[i]
	if !p.Renames() {
		return v, false
	}
	if !p.Holds() {
		if t.broken == nil {
			t.broken = map[string]Pair{}
		}
		t.broken[p.Baseline.Text] = *p
		return v, false
	}
	if t.uses == nil {
		t.uses = map[int32]use{}
	}
	t.made++
	t.uses[i] = use{t.uses[i].n + 1, t.made}
	if t.proven && p.Baseline.Text == p.Candidate.Text {
		return v, false // the same name, and another type is no other name
	}
	// A client that wrote the baseline's text as a number, or its number as a text,
	// does the same with the candidate's.
	number := p.Candidate.Number
	if p.Baseline.Number != v.Number {
		number = v.Number && IsDigits(p.Candidate.Text) && (p.Candidate.Text[0] != '0' || len(p.Candidate.Text) == 1)
	}
	return Value{p.Candidate.Text, number}, true
}
