package comparator

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"understudy.dev/comparator/diff"
	"understudy.dev/comparator/media"
	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/timestamp"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// comparing are two answers that are compared: the baseline's in the candidate's names.
//
// What the session knows is known from the record. What this exchange itself
// has named is learned only if a difference could be one of names; then the
// comparison begins anew. So it does if times that seem proven contradict each
// other, which is known only when all were seen.
type comparing struct {
	j                     *Judge
	c                     *collector
	r                     *understudyv1.Replay
	rs                    rules
	baseline, final       *understudyv1.Response
	later, failed         bool
	own                   bool // two answers of one side
	translator            *names.Translator
	again                 *names.Translator // over what it has translated; nil until it is needed
	evidence              *noise.Evidence
	known                 *names.Pairs // all, also those that are only aligned
	search                *names.Search
	keeps                 *keeping // nil until it is needed
	learned, begun, stuck bool
	broken                map[timestamp.Pair]timestamp.Pair // times that contradict each other
	depth                 int                               // of documents within values
	opened                *opened                           // nil if the bodies were not
	// control explains what the baseline does with itself; nil without one.
	control *control
	// places gathers where the answers differ, whatever explains it; nil where
	// nobody asks.
	places *places
}

// opened are bodies that were compared as documents, and the baseline's in the
// candidate's names.
type opened struct {
	baseline, candidate media.Document
	translated          []byte
}

// emitter takes a difference with its values for the noise classes.
type emitter func(d Difference, baseline, candidate noise.Value, name string) bool

// compare looks for differences between the final answers of both sides.
func (j *Judge) compare(c *collector, r *understudyv1.Replay, k *control, baseline, final *understudyv1.Response, later, failed bool) {
	x := &comparing{j: j, c: c, r: r, rs: j.rulesFor(r), control: k, baseline: baseline, final: final, later: later, failed: failed}
	if k == nil {
		x.compare()
		return
	}
	candidate := newPlaces()
	x.places = &candidate
	x.compare()
	if x.stuck {
		candidate.overflow()
	}
	c.out.Tosses = tosses(r, k.places, candidate)
}

// compareOwn looks for differences between two answers of one side, which calls
// nothing by two names.
func (j *Judge) compareOwn(c *collector, r *understudyv1.Replay, first, second *understudyv1.Response) {
	x := &comparing{j: j, c: c, r: r, rs: j.rulesFor(r), baseline: first, final: second, later: true, own: true, learned: true}
	x.compare()
}

func (x *comparing) compare() {
	c, r := x.c, x.r
	x.known = idle.Get().(*names.Pairs)
	defer x.forget()
	if n := len(r.GetSubstitutions()); n > 0 {
		x.known.Grow(n)
	}
	for _, s := range r.GetSubstitutions() {
		if names.IsNoThing(s.GetKind()) {
			continue
		}
		p := pairOf(s)
		if p.BrokenBy == r.GetExchange().GetId() {
			p.BrokenBy = "" // this answer is judged by what was known before it
		}
		x.known.Add(p)
	}
	before := *c
	x.pass()
	if x.begun {
		x.forgo(before)
		x.learn()
		x.pass()
	}
	if x.broken = x.evidence.Contradictions(); len(x.broken) > 0 {
		x.forgo(before)
		x.pass()
	}
	for _, key := range x.translator.Keys() {
		x.key(key)
	}
	x.kept()
	c.unrecorded(r.GetExchange(), x.final)
	if r.GetSubstitutionsDropped() > 0 {
		c.incomplete("the record has no room for all names that stand in the answers, so it is not known which of them should be others by now")
	}
	if c.explains {
		c.names = x.known.All()
	}
}

// forgo forgets the differences that were found, before they are looked for anew.
func (x *comparing) forgo(before collector) {
	*x.c, x.stuck = before, false
	if x.places != nil {
		*x.places = newPlaces()
	}
}

// idle are the names of replays that are judged.
var idle = sync.Pool{New: func() any { return new(names.Pairs) }}

// manyNames is from how many names on their room is not kept.
const manyNames = 4096

func (x *comparing) forget() {
	if x.known.Len() <= manyNames && !x.c.explains { // else reasons hold on to them
		x.known.Reset()
		idle.Put(x.known)
	}
}

func pairOf(s *understudyv1.Substitution) names.Pair {
	p := names.Pair{
		Kind: s.GetKind(), From: s.GetLearnedFrom(), BrokenBy: s.GetBrokenBy(), Proof: names.Aligned,
		Baseline:  names.Value{Text: s.GetRecorded(), Number: s.GetRecordedNumber()},
		Candidate: names.Value{Text: s.GetCandidate(), Number: s.GetCandidateNumber()},
	}
	if s.GetProof() == understudyv1.Substitution_PROOF_CREATED {
		p.Proof = names.Created
	}
	return p
}

// pass compares the answers with what is known of names.
func (x *comparing) pass() {
	target := string(x.r.GetExchange().GetRequest().GetTarget())
	x.translator = names.NewTranslator(x.known, target).Answering(x.r.GetExchange().GetRequest().GetMethod()).Proven()
	x.evidence = x.j.evidence(x.r, x.known, x.translator)
	x.evidence.Broken = x.broken
	if x.own {
		x.evidence.OneSide, x.evidence.BaselineHost = true, ""
	}
	x.search, x.keeps, x.opened, x.again = names.NewSearch(x.known), nil, nil, nil
	baseline := x.translated()
	x.j.status(x.emit, x.baseline.GetStatus(), x.final.GetStatus(), x.later, x.failed)
	a := x.answers()
	a.baseline = baseline
	compareFields(x.emit, x.rs, a)
	x.bodies()
}

// answers are the two without names put into them.
func (x *comparing) answers() answers {
	a := newAnswers(x.r, x.final, x.later)
	a.own = x.own
	return a
}

// translated is the baseline's answer with its fields in the candidate's names.
func (x *comparing) translated() *understudyv1.Response {
	out := &understudyv1.Response{Status: x.baseline.GetStatus(), Protocol: x.baseline.GetProtocol(), Body: x.baseline.GetBody()}
	out.Headers, out.Trailers = x.fields(x.baseline.GetHeaders()), x.fields(x.baseline.GetTrailers())
	return out
}

func (x *comparing) fields(hs []*understudyv1.Header) []*understudyv1.Header {
	var out []*understudyv1.Header
	for i, h := range hs {
		with := x.field(h.GetName(), string(h.GetValue()))
		if with == string(h.GetValue()) {
			continue
		}
		if out == nil {
			out = append(out, hs...)
		}
		out[i] = proto.CloneOf(h)
		out[i].Value = []byte(with)
	}
	if out == nil {
		return hs
	}
	return out
}

// field is the value of a field in the candidate's names, also where it holds
// links beside something else.
func (x *comparing) field(name, value string) string {
	switch {
	case strings.EqualFold(name, "Location"), strings.EqualFold(name, "Content-Location"):
		return x.location(value)
	case strings.EqualFold(name, "Set-Cookie"):
		return x.cookie(value)
	case strings.EqualFold(name, "Link"):
		var out strings.Builder
		for {
			before, rest, opened := strings.Cut(value, "<")
			target, after, closed := strings.Cut(rest, ">")
			if !opened || !closed {
				return out.String() + value
			}
			out.WriteString(before + "<" + x.translator.Target(target) + ">")
			value = after
		}
	case strings.EqualFold(name, "Refresh"):
		if i := strings.Index(strings.ToLower(value), "url="); i >= 0 {
			return value[:i+len("url=")] + x.translator.Target(value[i+len("url="):])
		}
	}
	return x.translator.Value(name, value)
}

// learn finds the names that this exchange has made.
func (x *comparing) learn() {
	x.learned, x.begun = true, false
	e := x.r.GetExchange()
	for _, p := range names.Learn(names.Lesson{
		Exchange: e.GetId(), Method: e.GetRequest().GetMethod(), Target: string(e.GetRequest().GetTarget()),
		Sent:     x.j.sent(e.GetRequest()),
		Baseline: x.answer(x.baseline), Candidate: x.answer(x.final), Seen: x.known.Has,
	}) {
		if p.Kind != names.Moment.Kind { // a time does not vouch for itself
			x.known.Add(p)
		}
	}
}

func (x *comparing) answer(r *understudyv1.Response) names.Answer {
	a := names.Answer{Status: r.GetStatus(), Location: message.First(r.GetHeaders(), "Location")}
	if x.later && r == x.final && a.Location == "" {
		a.Location = message.First(x.r.GetCandidate().GetAck().GetHeaders(), "Location")
	}
	if a.Location == "" && (r.GetStatus() == http.StatusCreated || x.later) { // else it may be any answer's address
		a.Location = message.First(r.GetHeaders(), "Content-Location")
	}
	if body, err := x.j.decoded(r); err == nil && !r.GetBody().GetTruncated() {
		a.Body = body
	}
	return a
}

// emit settles the noise class of a difference in a field, a parameter or a
// cookie and counts it.
func (x *comparing) emit(d Difference, b, f noise.Value, name string) bool {
	return x.emitAt(d, b, f, []string{name})
}

// emitAt does so for a place in a document; path has the names of the members
// that lead there, from the outside in.
func (x *comparing) emitAt(d Difference, b, f noise.Value, path []string) bool {
	if !x.learned && x.ofNames(d, b, f, path) {
		x.begun = true
		return false
	}
	if d.Noise == "" {
		d.Noise = x.rs.class(d)
	}
	if d.Noise == "" && d.Kind == Value && !underOneKey(x.r) && redact.Alike(d.Baseline, d.Candidate) {
		d.Noise = Incomparable
	}
	if d.Noise == "" && (d.Kind == Value || d.Kind == Type) {
		if d.Kind == Value && x.inside(d, path, b, f) {
			return !x.stuck && !x.begun
		}
		x.explain(&d, path, b, f)
	}
	if d.Noise == "" && (d.Place == InHeader || d.Place == InTrailer) {
		d.Noise = x.presumedOfCompletion(d)
	}
	if recorded, put := x.translator.Put(d.Baseline); put {
		d.Baseline = recorded // as it stands in the recording
	}
	return x.add(d, b, f)
}

// add counts a difference of which everything is known but what a control says.
func (x *comparing) add(d Difference, b, f noise.Value) bool {
	if x.places != nil {
		x.places.note(d, b, f)
	}
	if class := x.control.class(d, b, f); class != d.Noise {
		d.Noise, d.Why = class, x.c.because(ownDifference, names.Pair{})
	}
	more := x.c.add(d)
	x.stuck = x.stuck || !more
	return more
}

// explain gives a difference its class: what only renames something known is
// explained by that, unless only answers that are otherwise alike show the names.
func (x *comparing) explain(d *Difference, path []string, b, f noise.Value) {
	element := strings.HasSuffix(d.Path, "[]") && !slices.Contains(listing, x.format())
	if names.IsDigits(b.Text) && names.IsDigits(f.Text) && !element && names.Counts(path[len(path)-1]) {
		return // how many there are
	}
	class, ok := x.renamed(*d, path, b.Text, f.Text)
	if !ok || noise.IsPresumed(class) {
		x.classify(d, path, b, f)
	}
	if ok && d.Noise == "" {
		d.Noise, d.Why = class, x.c.because("they differ in names that are known, or in what stands in them as base64", names.Pair{})
	}
}

// listing are the formats whose documents have lists of what is there once.
var listing = []string{media.XML, media.HTML, media.Form}

// classify gives a difference its class, and says why if that is asked for.
func (x *comparing) classify(d *Difference, path []string, b, f noise.Value) {
	if x.c.explains {
		d.Why = &Why{}
		d.Noise, d.Why.Reasons = x.evidence.Explain(path, b, f)
	} else {
		d.Noise = x.evidence.Class(path, b, f)
	}
}

// key reports that the name of a member was taken for another by a pair that
// nothing proves.
func (x *comparing) key(k names.Key) {
	path := "$"
	for _, name := range k.Path {
		if name == "" {
			path += "[]"
		} else {
			path = diff.Member(path, name)
		}
	}
	d := Difference{
		Place: InBody, Path: path, Location: path, Kind: Value, Baseline: k.Pair.Baseline.Text, Candidate: k.Pair.Candidate.Text,
	}
	if d.Noise = x.rs.class(d); d.Noise == "" {
		d.Noise = noise.Presumed(noise.Identifier)
		d.Why = x.c.because("the name of a member; that the two name one thing is shown only by answers that are otherwise alike", k.Pair)
	}
	x.add(d, noise.Value{}, noise.Value{})
}

// ofNames says whether a difference could be one of names that this exchange
// has made.
func (x *comparing) ofNames(d Difference, b, f noise.Value, path []string) bool {
	switch d.Kind {
	case Missing, Extra, Order:
		return d.Place == InBody // an element, or a member that has a name for a name
	case Value, Type:
	default:
		return false
	}
	if _, put := x.translator.Put(b.Text); put {
		return false
	}
	if names.IsLink(b.Text) {
		return true
	}
	can := names.CanName(names.Value{Text: b.Text, Number: b.Number}) && names.CanName(names.Value{Text: f.Text, Number: f.Number})
	return can && (x.translator.Place(path).Named || names.IsUnmistakable(b.Text) || names.IsUnmistakable(f.Text)) || len(b.Text) > longText
}

// longText is from which length on, in bytes, a text may have names in it.
const longText = 40

// options of a comparison of documents.
func (x *comparing) options() diff.Options {
	o := diff.Options{Arrays: x.rs.arrays(), Volatile: volatile}
	if x.rs.ignores() {
		o.Ignored = func(path string) bool {
			return x.rs.class(Difference{Place: InBody, Path: path, Kind: Value}) != ""
		}
	}
	return o
}

// volatile scalars may differ between two elements that are the same.
func volatile(name []byte, s diff.Scalar) bool {
	switch s.Type {
	case "string":
		if len(s.Raw) < 3 {
			return false
		}
		text := s.Text()
		if names.IsUnmistakable(text) || names.IsLink(text) {
			return true
		}
		if _, ok := timestamp.Parse(text); ok {
			return true
		}
	case "number":
		if _, ok := timestamp.Number(string(s.Raw)); ok {
			return true
		}
	default:
		return false
	}
	place, _ := names.KindOf(string(name))
	return place.Named
}

// evidence gathers what the record tells about values that may differ.
func (j *Judge) evidence(r *understudyv1.Replay, known *names.Pairs, t *names.Translator) *noise.Evidence {
	q, o := r.GetExchange().GetRequest(), r.GetCandidate()
	frame := timestamp.FrameOf(r, time.Duration(max(o.GetAckServiceNano(), o.GetCompletion().GetServiceNano())))
	frame.Skew = j.cfg.Skew
	return &noise.Evidence{Frame: frame, BaselineHost: q.GetAuthority(), CandidateHost: r.GetCandidateAuthority(), BaselineScheme: q.GetScheme(), CandidateScheme: r.GetCandidateScheme(), Sent: j.sent(q), Pairs: known, Translator: t}
}
