package names

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
	maxLearn  = 1 << 20 // bytes of a document
	maxDepth  = 64
	maxLesson = 4096 // pairs
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
// choices. An answer that refuses teaches nothing but where it says that it made
// something all the same.
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
		n.location()
		return n.pairs
	}
	a, okA := decode(l.Baseline.Body)
	b, okB := decode(l.Candidate.Body)
	if okA && okB {
		posted, _ := decode(n.posted())
		n.listed = listLength(posted)
		n.walk(where{created: n.create, posted: posted}, a, b, 0)
	}
	n.location() // after the bodies, which tell numbers from texts
	for _, name := range slices.Sorted(maps.Keys(l.Baseline.Links)) {
		n.parameters(l.Baseline.Links[name], l.Candidate.Links[name])
	}
	return n.pairs
}

type learner struct {
	Lesson
	family string
	scope  string // of what the family belongs to
	// create: something was made, sure: without a doubt.
	create, sure bool
	places       places
	sent         *Sent
	listed       int
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
	posted any
	// alike: both sides show the same thing here, as far as it can be told.
	alike bool
	// second: the thing has an id beside it.
	second bool
}

func (w where) in(name string, created bool, posted any) where {
	return where{name: name, enclosing: append(slices.Clip(w.enclosing), w.name), created: created, posted: posted, alike: w.alike}
}

func (n *learner) walk(w where, a, b any, depth int) {
	if depth > maxDepth || len(n.pairs) >= maxLesson {
		return
	}
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			return
		}
		sent, _ := w.posted.(map[string]any)
		w.alike = w.alike || w.created && n.sure || !n.Strict || areAlike(x, y)
		for _, key := range slices.Sorted(maps.Keys(x)) {
			other, has := y[key]
			if !has {
				continue
			}
			in := w.in(key, w.created && n.part(key, x[key], sent), sent[key])
			in.second = stemless(key) && words(key) != "id" && (x["id"] != nil || x["_id"] != nil)
			n.walk(in, x[key], other, depth+1)
		}
	case []any:
		if y, ok := b.([]any); ok {
			n.elements(w, x, y, depth)
		}
	default:
		n.scalar(w, a, b)
	}
}

// part says whether a member belongs to what was made: a scalar, the thing
// itself within a wrapper, or a list that the client posted under the same
// name. A posted object may be one that was there before, found by what was
// posted.
func (n *learner) part(key string, value any, sent map[string]any) bool {
	switch value.(type) {
	case map[string]any:
		word := words(key)
		kind := singular(word)
		return kind == n.family || wrappers[word] || wrappers[kind] || answerWrappers[word] || answerWrappers[kind]
	case []any:
		_, posted := sent[key].([]any)
		return posted
	}
	return true
}

// elements aligns two arrays by what their elements hold beside names.
func (n *learner) elements(w where, as, bs []any, depth int) {
	sent, _ := w.posted.([]any)
	// The client's own order is an alignment, if the answers keep it.
	inOrder := w.created && len(sent) == len(as) && len(as) == len(bs)
	left, right := signatures(as), signatures(bs)
	if n.answersEach(as, bs) && !slices.Equal(left, right) {
		// Answers to what the client listed are alike though a member of them has
		// nothing in common with that of the other side.
		skip := strange(as, bs)
		if l, r := signatures(without(as, skip)), signatures(without(bs, skip)); slices.Equal(l, r) && !slices.Contains(l, "") {
			for i := range as {
				n.walk(w.in("", false, nil).named(w.name), as[i], bs[i], depth+1)
			}
			return
		}
	}
	if inOrder && slices.Equal(left, right) {
		for i := range as {
			n.walk(w.in("", true, sent[i]).named(w.name), as[i], bs[i], depth+1)
		}
		return
	}
	at := map[string][]int{}
	for i, s := range right {
		at[s] = append(at[s], i)
	}
	count := map[string]int{}
	for _, s := range left {
		count[s]++
	}
	for i, s := range left {
		if s != "" && count[s] == 1 && len(at[s]) == 1 {
			created := w.created && len(sent) == len(as)
			n.walk(w.in("", created, nil).named(w.name), as[i], bs[at[s][0]], depth+1)
		}
	}
}

// answersEach says whether two arrays may answer, one by one, what the client
// listed: as many as the only array that it posted has.
func (n *learner) answersEach(as, bs []any) bool {
	return len(as) == len(bs) && n.listed == len(as) && n.listed > 0
}

// listLength is how many elements the only array that holds any among the members of what the
// client posted has; 0 if there is no such array.
func listLength(posted any) (n int) {
	members, _ := posted.(map[string]any)
	for _, m := range members {
		if list, is := m.([]any); is && len(list) > 0 {
			if n > 0 {
				return 0
			}
			n = len(list)
		}
	}
	return n
}

// strange are the names of members that both sides have and that hold the same
// nowhere.
func strange(as, bs []any) map[string]bool {
	a, b, out := map[string]map[string]bool{}, map[string]map[string]bool{}, map[string]bool{}
	gather(a, "", as, 0)
	gather(b, "", bs, 0)
	for name, values := range a {
		out[name] = len(b[name]) > 0
		for v := range values {
			out[name] = out[name] && !b[name][v]
		}
	}
	return out
}

// gather collects what tells one value from another by the name of its member.
func gather(into map[string]map[string]bool, name string, v any, depth int) {
	switch x := v.(type) {
	case map[string]any:
		for key, value := range x {
			if depth < maxDepth {
				gather(into, key, value, depth+1)
			}
		}
	case []any:
		for _, e := range x {
			if depth < maxDepth {
				gather(into, name, e, depth+1)
			}
		}
	default:
		if b := (bytes.Buffer{}); sign(&b, name, v, 0) {
			if into[name] == nil {
				into[name] = map[string]bool{}
			}
			into[name][b.String()] = true
		}
	}
}

// without copies values without members of some names.
func without(values []any, skip map[string]bool) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
		switch x := v.(type) {
		case map[string]any:
			kept := map[string]any{}
			for key, value := range x {
				if !skip[key] {
					kept[key] = without([]any{value}, skip)[0]
				}
			}
			out[i] = kept
		case []any:
			out[i] = without(x, skip)
		}
	}
	return out
}

// named gives an element the name of its array.
func (w where) named(name string) where { w.name, w.alike = name, true; return w }

// signatures are what elements hold beside names and times; empty for what
// holds nothing else.
func signatures(elements []any) []string {
	out := make([]string, len(elements))
	for i, e := range elements {
		var b bytes.Buffer
		if sign(&b, "", e, 0) {
			out[i] = b.String()
		}
	}
	return out
}

// areAlike says whether two objects hold the same beside names, times and other
// containers, and something that tells.
func areAlike(a, b map[string]any) bool {
	flat := func(m map[string]any) map[string]any {
		out := map[string]any{}
		for key, value := range m {
			switch value.(type) {
			case map[string]any, []any:
			default:
				out[key] = value
			}
		}
		return out
	}
	var x, y bytes.Buffer
	return sign(&x, "", flat(a), 0) && sign(&y, "", flat(b), 0) && x.String() == y.String()
}

// sign writes a value without names and times, and says whether anything that
// tells it from another was written.
func sign(b *bytes.Buffer, name string, v any, depth int) (tells bool) {
	if depth > maxDepth {
		return false
	}
	switch x := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		var of []string // that of each member, by its name unless that may be a name
		for key, value := range x {
			var member bytes.Buffer
			if strings.ContainsAny(key, digits) {
				member.WriteByte('?')
			} else {
				member.WriteString(key)
			}
			member.WriteByte(':')
			tells = sign(&member, key, value, depth+1) || tells
			of = append(of, member.String())
		}
		slices.Sort(of)
		b.WriteString(strings.Join(of, ","))
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for _, e := range x {
			tells = sign(b, name, e, depth+1) || tells
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case string:
		if place, _ := KindOf(name); place.Named || IsUnmistakable(x) || IsDate(x) || isTime(x) || IsLink(x) {
			b.WriteByte('?')
			return false
		}
		tells = signText(b, x)
		return tells && !isState(name, x)
	case json.Number:
		if place, _ := KindOf(name); place.Named || len(x) >= 10 {
			b.WriteByte('?')
			return false
		}
		b.WriteString(plainNumber(string(x)))
		return !choices[singular(words(name))]
	case bool:
		if x {
			b.WriteByte('t')
		} else {
			b.WriteByte('f')
		}
	default:
		b.WriteByte('n')
	}
	return tells
}

// isState says whether a text is one out of a few: many things are open, and
// nothing is told from another by that.
func isState(name, text string) bool {
	return choices[singular(words(name))] || states[strings.ToLower(text)]
}

var (
	choices = set("status state type kind category role priority level severity currency country language lang locale color colour size active enabled visibility " +
		"method channel gender unit phase stage mode paid rating score rank version quantity qty count weight position index tag label tier plan grade")

	states = set("open closed new old paid unpaid pending done active inactive draft published shipped delivered cancelled canceled completed failed queued running " +
		"success error yes no low medium high normal urgent todo enabled disabled public private in_progress processing ready approved rejected archived deleted")
)

// signText writes a text without the words in it that may be names, and says
// whether there was another.
func signText(b *bytes.Buffer, s string) (tells bool) {
	b.WriteByte('"')
	for at := 0; at < len(s); {
		from := at
		if !inName(s[at]) {
			b.WriteByte(s[at])
			at++
			continue
		}
		for at < len(s) && inName(s[at]) {
			at++
		}
		if word := s[from:at]; strings.ContainsAny(word, digits) && len(word) < len(s) {
			b.WriteByte('?')
		} else {
			b.WriteString(word)
			tells = true
		}
	}
	b.WriteByte('"')
	return tells
}

// plainNumber spells equal numbers alike: 5.0 and 5, 35.30 and 35.3.
func plainNumber(s string) string {
	if strings.ContainsAny(s, "eE") {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			s = strconv.FormatFloat(f, 'f', -1, 64)
		}
	}
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

func isTime(s string) bool {
	_, ok := timestamp.Parse(s)
	return ok
}

func valueOf(v any) (Value, bool) {
	switch x := v.(type) {
	case string:
		return Value{Text: x}, true
	case json.Number:
		return Value{string(x), true}, true
	}
	return Value{}, false
}

// scalar takes two values at one place.
func (n *learner) scalar(w where, a, b any) {
	x, okA := valueOf(a)
	y, okB := valueOf(b)
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
	stem, named := stemOf(innermost(name))
	return named && stem == ""
}

// isNothing says whether a text stands for the lack of a name, on its own or
// behind a prefix: None, ord_undefined, ord_, {id}.
func isNothing(s string) bool {
	if strings.ContainsAny(s, "{}[]$%<>|") {
		return true
	}
	if i := strings.LastIndexAny(s, "_-:./"); i >= 0 {
		prefix := s[:i]
		if s = s[i+1:]; s == "" && (prefix == "" || strings.ContainsFunc(prefix, func(c rune) bool { return c < 'a' || c > 'z' })) {
			return prefix == "" // a random name may end so
		}
	}
	return nothings[strings.ToLower(s)]
}

var nothings = map[string]bool{"": true}

func init() {
	for word := range set("none nil null nan undefined unknown error empty missing na n/a todo tbd test example object false true invalid default") {
		nothings[word] = true
	}
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
	n.pairs = append(n.pairs, Pair{Kind: at.Kind, Scope: n.scopeOf(at), Baseline: x, Candidate: y, From: n.Exchange, Proof: proof})
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

// CanName says whether a value can be the name of a thing at all: not zero, nil,
// a date, an amount or a text with blanks.
func CanName(v Value) bool {
	s := v.Text
	switch {
	case s == "" || len(s) > maxName, strings.Trim(s, "0-") == "":
		return false
	case v.Number:
		return IsDigits(s)
	case IsDate(s), isDecimal(s), IsLink(s):
		return false
	case isNothing(s):
		return false
	}
	return !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '"' || c == '<' })
}

func decode(body []byte) (any, bool) {
	if len(body) == 0 || len(body) > maxLearn {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	return v, d.Decode(&v) == nil
}
