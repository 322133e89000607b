package names

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"understudy.dev/exchange/timestamp"
)

// Answer is what one side answered to a request.
type Answer struct {
	Status uint32
	// Location is where the answer says that what it made is; empty if it says
	// nothing.
	Location string
	// Links are those in further header fields, by the name of the field.
	Links map[string]string
	// Body is a JSON document without content codings, or nothing.
	Body []byte
	// Tree is the body taken apart if it was already; nil if not.
	Tree Tree
}

// tree is the body taken apart; done must be called when nobody looks into it any
// more.
func (a Answer) tree() (t Tree, done func()) {
	if a.Tree != nil {
		return a.Tree, func() {}
	}
	t, _ = parse(a.Body, *spare.Get().(*Tree))
	return t, t.release
}

// Lesson is one request with both answers.
type Lesson struct {
	// Exchange is the id of the exchange.
	Exchange string
	// Method and Target are those of the request as recorded.
	Method, Target string
	// Sent is what the client sent, the target first and then the body: a value
	// in it was not made by the server.
	Sent                [][]byte
	Baseline, Candidate Answer
	// Frame is when each side worked on the request: times that are not tied to
	// one moment are no pair. nil learns no times.
	Frame *timestamp.Frame
	// Seen says whether a value stood in an earlier answer of the baseline in
	// the session, and so was not made now; nil knows of none.
	Seen func(value string) bool
	// Strict learns from an object only if what it holds beside names and times
	// is the same on both sides and tells it from others: what is random or the
	// next may be another thing.
	Strict bool
}

// Bounds of what is learned from.
const (
	maxDepth  = 64
	maxLesson = 1 << 16 // pairs: more than a body has room for that teaches something
)

// Learn finds the pairs of names in the two answers to one request. Created are
// those of what the request made: in the Location, the identifier of the
// answer's own object and those of parts that the client posted. Others are
// aligned: identifiers at the same members of answers that are otherwise alike.
// Elements of arrays are aligned by what they hold beside names and times, and
// never by their positions alone.
//
// Zero, nil, dates, amounts and what the client sent are no names, nor are
// numbers of another kind of thing, which may count the entries of a list of
// choices. An answer that refuses teaches nothing; one that failed, or two that
// refuse, only where they say that something is all the same.
func Learn(l Lesson) []Pair {
	s := Segments(l.Target, nil)
	n := &learner{Lesson: l, family: family(s), places: placesOf(finding{}, l.Target), sent: NewSent(l.Target, l.Sent)}
	n.places.answering(l.Method)
	n.sure, n.create = n.creates(s)
	for i := 1; i < len(s); i++ {
		if before := s[i-1]; s[i].Place.Scope == before.Text && before.Place.Kind != n.family {
			n.scope = before.Text
		}
	}
	if l.Baseline.Status >= 400 || l.Candidate.Status >= 400 {
		if IsRefusal(l.Baseline.Status) == IsRefusal(l.Candidate.Status) {
			n.location()
		}
		return n.pairs
	}
	a, release := l.Baseline.tree()
	defer release()
	b, release := l.Candidate.tree()
	defer release()
	if a != nil && b != nil {
		posted, _ := Parse(n.posted())
		n.listed = listLength(posted)
		n.walk(where{created: n.create, posted: posted}, a, b, 0)
	}
	n.location() // after the bodies, which tell numbers from texts
	for _, name := range slices.Sorted(maps.Keys(l.Baseline.Links)) {
		n.parameters(l.Baseline.Links[name], l.Candidate.Links[name])
	}
	return n.pairs
}

// IsRefusal says whether a status tells that what was asked for was not done, and
// so where an answer leads is not what was made (RFC 9110, section 15.5).
func IsRefusal(status uint32) bool { return status >= 400 && status < 500 }

type learner struct {
	Lesson
	family string
	scope  string // of what the family belongs to
	// create: something was made, sure: without a doubt.
	create, sure bool
	places       places
	sent         *Sent
	listed       int
	sorted       []Tree // members of the objects that are being walked
	pairs        []Pair
}

// posted is the body that the client sent.
func (l Lesson) posted() []byte {
	if len(l.Sent) > 1 {
		return l.Sent[1]
	}
	return nil
}

// creates says whether the request made something: it was answered 201, or a
// POST with a Location. A POST to a collection that is answered 200 may have
// made something or looked for it.
func (n *learner) creates(path []Segment) (sure, maybe bool) {
	post := n.Method == http.MethodPost
	switch {
	case !post && n.Method != http.MethodPut && n.Method != http.MethodPatch, n.Baseline.Status >= http.StatusMultipleChoices:
		return false, false
	case n.Baseline.Status == http.StatusCreated, n.Baseline.Location != "" && post:
		return true, true
	case !post || len(path) == 0:
		return false, false
	}
	last := path[len(path)-1]
	word := words(last.Text)
	return false, !last.Name && singular(word) != word
}

// where is a place in both answers.
type where struct {
	name      string
	enclosing []string
	// created: what stands here was made by the request.
	created bool
	// posted is what the client sent here, if it did.
	posted Tree
	// alike: both sides show the same thing here, as far as it can be told.
	alike bool
	// second: the thing has an id beside it.
	second bool
}

// inside is where what it holds stands.
func (w where) inside() where {
	return where{enclosing: append(slices.Clip(w.enclosing), w.name), alike: w.alike}
}

func (w where) at(name string, created bool, posted Tree) where {
	w.name, w.created, w.posted = name, created, posted
	return w
}

func (n *learner) walk(w where, a, b Tree, depth int) {
	if depth > maxDepth || len(n.pairs) >= maxLesson {
		return
	}
	switch a[0].Kind {
	case Object:
		if b.Is(Object) {
			n.members(w, a, b, depth)
		}
	case Array:
		if b.Is(Array) {
			n.elements(w, a, b, depth)
		}
	default:
		n.scalar(w, a, b)
	}
}

// members takes the members that two objects have both.
func (n *learner) members(w where, a, b Tree, depth int) {
	w.alike = w.alike || w.created && n.sure || !n.Strict || areAlike(a, b)
	from := len(n.sorted)
	n.sorted = appendSorted(n.sorted, a)
	as := n.sorted[from:]
	n.sorted = appendSorted(n.sorted, b)
	bs := n.sorted[from+len(as):]
	n.sorted = appendSorted(n.sorted, w.posted)
	sent := n.sorted[from+len(as)+len(bs):]
	defer func() { n.sorted = n.sorted[:from] }()
	inside := w.inside()
	hasID := isSet(member(as, "id")) || isSet(member(as, "_id"))
	for _, x := range as {
		key := x[0].Name
		y := member(bs, key)
		if y == nil {
			continue
		}
		posted := member(sent, key)
		in := inside.at(key, w.created && n.part(x, posted), posted)
		in.second = hasID && stemless(key) && termOf(key).word != "id"
		n.walk(in, x, y, depth+1)
	}
}

func isSet(t Tree) bool { return t != nil && !t.Is(Null) }

// part says whether a member belongs to what was made: a scalar, the thing
// itself within a wrapper, or a list that the client posted under the same
// name. A posted object may be one that was there before, found by what was
// posted.
func (n *learner) part(member, posted Tree) bool {
	switch member[0].Kind {
	case Object:
		t := termOf(member[0].Name)
		return t.kind == n.family || wrappers[t.word] || wrappers[t.kind] || t.wrapsAnswer
	case Array:
		return posted.Is(Array)
	}
	return true
}

// scalar takes two values at one place.
func (n *learner) scalar(w where, a, b Tree) {
	x, okA := a.value()
	y, okB := b.value()
	if !okA || !okB {
		return
	}
	if IsLink(x.Text) && IsLink(y.Text) && x != y && w.alike {
		n.link(x.Text, y.Text, Aligned)
		n.parameters(x.Text, y.Text)
		return
	}
	if IsDigest(w.name) || n.times(w.name, x, y) || !w.alike || !CanName(x) || !CanName(y) || w.second && !IsUnmistakable(x.Text) {
		return
	}
	place := n.places.member(w.name, w.enclosing)
	ofFamily := place.Kind == n.family && place.Kind != ""
	_, own := KindOf(w.name)
	if own {
		own = stemless(w.name) // parent_id was there before
	} else {
		own = place.Named && ofFamily
	}
	switch {
	case w.created && own && (n.sure || OtherSchemes(x, y)): // what was looked for would be another one of its kind
		n.add(place, x, y, Created)
	case !place.Named && !(IsUnique(x.Text) && IsUnique(y.Text)) && !(looksRandom(x.Text) && looksRandom(y.Text)):
	case place.Named && (OtherSchemes(x, y) || x == y), ofFamily && likeName(x) && likeName(y),
		(IsUnique(x.Text) || looksRandom(x.Text)) && (IsUnique(y.Text) || looksRandom(y.Text) || place.Named && likeName(y)):
		n.add(place, x, y, Aligned)
	}
}

// Moment is the place of a time. A time that both sides showed at one place is
// paired like a name: where it is shown again, it must be the same.
var Moment = Place{Kind: "@time", Named: true}

// Redacted is the place of what was redacted: two tokens, of values that differ in
// nothing but known names of the two sides.
var Redacted = Place{Kind: "@redacted", Named: true}

// Version is the place of an entity tag: two of them, which the sides gave the same
// version of a resource.
var Version = Place{Kind: "@version", Named: true}

// Cursor is the place of what tells where a page of a list begins.
var Cursor = Place{Kind: "@cursor", Named: true}

// Credential is what the kind of a credential begins with, before its place and
// its name there.
const Credential = "@secret "

// IsNoThing says whether a kind is one of what is handed back but names no
// thing: a version, a place in a list, a credential. What a record says of it
// explains no document.
func IsNoThing(kind string) bool {
	return kind == Version.Kind || kind == Cursor.Kind || strings.HasPrefix(kind, Credential)
}

// times takes two times of one place, and says whether they are.
func (n *learner) times(name string, x, y Value) bool {
	a, okA := timestamp.Read(x.Text, x.Number)
	b, okB := timestamp.Read(y.Text, y.Number)
	if place, _ := KindOf(name); !okA || !okB || place.Named && IsDigits(x.Text) {
		return false
	}
	if n.Frame != nil && n.Frame.Tie(a, b) == timestamp.Tied && !a.Style.IsDay() {
		n.add(Moment, x, y, Aligned)
	}
	return true
}

// stemless says whether a name is nothing but that of an identifier.
func stemless(name string) bool {
	return termOf(name).stemless
}

// likeName: a value that has the look of a name, not of a word.
func likeName(v Value) bool { return v.Number || IsGenerated(v.Text) }

// add takes a pair unless the client itself had sent the baseline's name.
func (n *learner) add(at Place, x, y Value, proof Proof) {
	switch {
	case n.sent.Has(at, x.Text):
		if x != y {
			return
		}
		proof = Aligned // both call it as the client does
	case proof == Created && n.Seen != nil && n.Seen(x.Text):
		proof = Aligned
	}
	if proof == Aligned && x == y && (!at.Named || at.Kind == "") {
		return // it goes by itself
	}
	if !at.Named {
		at.Kind = "" // the name of the member is not what it names
	}
	x.Text, y.Text = strings.Clone(x.Text), strings.Clone(y.Text) // not the documents around them
	n.pairs = append(n.pairs, Pair{Kind: at.Kind, Scope: strings.Clone(n.scopeOf(at)), Baseline: x, Candidate: y, From: n.Exchange, Proof: proof})
}

// scopeOf is the name of what a thing belongs to: in the answer to a request
// about the collection of something, that.
func (n *learner) scopeOf(at Place) string {
	if at.Scope == "" && at.Kind == n.family {
		return n.scope
	}
	return at.Scope
}

// location learns from the addresses of what was made.
func (n *learner) location() {
	if n.Baseline.Location == "" || n.Candidate.Location == "" {
		return
	}
	proof := Aligned
	if n.sure {
		proof = Created
	}
	n.link(n.Baseline.Location, n.Candidate.Location, proof)
}

// link learns from two links that are alike but for names.
func (n *learner) link(baseline, candidate string, proof Proof) {
	as, bs := Segments(baseline, nil), Segments(candidate, nil)
	if len(as) != len(bs) {
		return
	}
	var pairs []Pair
	for i, a := range as {
		b := bs[i]
		x, y := unescaped(a.Text), unescaped(b.Text)
		last := i == len(as)-1
		switch {
		case x == y && !(last && proof == Created):
			continue
		case !CanName(Value{Text: x}) || !CanName(Value{Text: y}) || IsVersion(x) || IsVersion(y):
			return
		case !(a.Name && b.Name) && !(last && proof == Created && a.Place.Kind == n.family && a.Place.Kind == b.Place.Kind):
			return // another kind of address: that of an operation, say
		}
		pairs = append(pairs, Pair{Kind: a.Place.Kind, Scope: a.Place.Scope, Baseline: Value{x, IsDigits(x)}, Candidate: Value{y, IsDigits(y)}})
	}
	for i, p := range pairs {
		as := Aligned
		if i == len(pairs)-1 {
			as = proof
		}
		n.add(Place{Kind: p.Kind, Named: true, Scope: p.Scope}, p.Baseline, p.Candidate, as)
	}
}

// parameters learns from the queries of two links to the same kind of place that
// differ in nothing but names and times.
func (n *learner) parameters(baseline, candidate string) {
	if len(Segments(baseline, nil)) != len(Segments(candidate, nil)) {
		return
	}
	as, bs := queryOf(baseline), queryOf(candidate)
	if len(as) != len(bs) || len(n.pairs) >= maxLesson {
		return
	}
	before := len(n.pairs)
	for _, name := range slices.Sorted(maps.Keys(as)) {
		a, b := as[name], bs[name]
		if len(a) != 1 || len(b) != 1 {
			n.pairs = n.pairs[:before]
			return
		}
		x, y := Value{Text: a[0]}, Value{Text: b[0]}
		place := n.places.member(name, nil)
		switch {
		case x == y, n.times(name, x, y):
		case CanName(x) && CanName(y) && (place.Named && likeName(x) && likeName(y) || IsUnmistakable(x.Text) && IsUnmistakable(y.Text)):
			n.add(place, x, y, Aligned)
		default: // the next page of another list, say
			n.pairs = n.pairs[:before]
			return
		}
	}
}

func queryOf(link string) url.Values {
	_, query, _ := strings.Cut(link, "?")
	query, _, _ = strings.Cut(query, "#")
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil
	}
	return values
}

func unescaped(segment string) string {
	if text, err := url.PathUnescape(segment); err == nil {
		return text
	}
	return segment
}
