package substitute

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Bounds of what one replay says about names.
const (
	MaxListed      = 4096
	maxListedBytes = 256 << 10
)

// Record lists the pairs that the request used, and those of which either name
// stands in the recorded answer or in one of the candidate's, without what this
// exchange itself taught: a value must not vouch for itself. So are the pairs of
// tokens that differ in such names, and of entity tags of one version. Before them
// stands what else was put in: versions, places in lists, and credentials, of
// which only the place and the exchange that gave them are told. dropped counts
// what found no room.
func (x *Exchange) Record(r *Request, answers ...*understudyv1.Response) (out []*understudyv1.Substitution, dropped uint32) {
	if x == nil {
		return nil, 0
	}
	if r != nil {
		out, dropped = r.others, r.dropped
	}
	if x.session.isBare() {
		return out, dropped
	}
	texts := []*heard{x.hear(x.recorded.GetResponse())}
	for i, a := range answers {
		if a != nil && (i == 0 || a != answers[0]) {
			texts = append(texts, x.hear(a))
		}
	}
	var uses map[names.Use]uint32
	if r != nil {
		uses = r.uses
	}
	s := x.session
	var seconds []int64
	if a := x.recorded.GetResponse(); s.isDated() {
		seconds = secondsOf(a, plain(a.GetHeaders(), a.GetBody()))
	}
	values := x.revealed(answers)
	var long []string // names of what was made anywhere in the run
	for _, h := range texts {
		h.within(names.SearchUnguessable(s.memory.created.mentions), func(name string) { long = append(long, name) })
	}
	s.mu.Lock()
	for _, h := range texts {
		for _, n := range h.found {
			s.borrow(n.Place, n.Value.Text)
		}
	}
	for _, name := range long {
		s.borrow(names.Place{Named: true}, name)
	}
	pairs := append(mentioned(s.pairs, uses, texts), mentioned(s.moments, uses, texts)...)
	for _, p := range s.retold(seconds) {
		if !slices.ContainsFunc(pairs, func(q names.Pair) bool { return q.Baseline == p.Baseline && q.Candidate == p.Candidate }) {
			pairs = append(pairs, p)
		}
	}
	hidden := append(x.hidden(values), x.shown(answers)...)
	s.mu.Unlock()
	size := 0
	list := func(p names.Pair, n uint32) {
		if !isThing(p) && (x.memory.isSecret(p.Kind, p.Baseline.Text) || x.memory.isSecret(p.Kind, p.Candidate.Text)) {
			p.Baseline, p.Candidate = names.Value{Text: secret}, names.Value{Text: secret}
			if n == 0 {
				return // it explains nothing
			}
		}
		size += len(p.Kind) + len(p.Baseline.Text) + len(p.Candidate.Text) + len(p.From) + len(p.BrokenBy) + 16
		if len(out) >= MaxListed || size > maxListedBytes {
			dropped++
			return
		}
		out = append(out, substitution(p, n))
	}
	var others []names.Pair
	for _, p := range pairs {
		if p.From == x.recorded.GetId() {
			continue
		}
		if n := uses[names.Use{Kind: p.Kind, Baseline: p.Baseline.Text, Candidate: p.Candidate.Text}]; n > 0 {
			list(p, n) // first, so that it finds room
			continue
		}
		others = append(others, p)
	}
	for _, p := range slices.Concat(hidden, others) {
		list(p, 0)
	}
	return out, dropped
}

// isThing says whether a pair names something that was made, or has tokens for
// names: no secret, also if a cookie says it too (last_order=…), unless its kind is
// that of secrets or of sessions.
func isThing(p names.Pair) bool {
	return p.Kind == names.Redacted.Kind || p.Proof == names.Created && p.Kind != "" && p.Kind != "session" && p.Kind != "login" && !redact.IsSecret(p.Kind)
}

// isBare says whether no pair is known that the session could use, and no version.
func (s *session) isBare() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pairs.Len() == 0 && s.moments.Len() == 0 && len(s.tags) == 0 && s.memory.created.isEmpty()
}

// isDated says whether the session knows a moment by two times.
func (s *session) isDated() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seconds) > 0
}

// mentioned are the pairs that were used or of which a name stands in one of the
// answers, in the order in which they were learned.
func mentioned(pairs *names.Pairs, uses map[names.Use]uint32, texts []*heard) (out []names.Pair) {
	all := pairs.All()
	if len(all) == 0 {
		return nil
	}
	var which []int
	add := func(value string) { which = pairs.AppendNamed(which, value) }
	for use := range uses {
		add(use.Baseline)
	}
	search := names.NewSearch(pairs)
	for _, h := range texts {
		h.values(add)
		h.within(search, add)
		if h.text == nil {
			continue
		}
		for i := range all {
			if h.text.Has(all[i].Baseline.Text) || h.text.Has(all[i].Candidate.Text) {
				which = append(which, i)
			}
		}
	}
	slices.Sort(which)
	for _, i := range slices.Compact(which) {
		out = append(out, all[i])
	}
	return out
}

func substitution(p names.Pair, uses uint32) *understudyv1.Substitution {
	proof := understudyv1.Substitution_PROOF_ALIGNED
	if p.Proof == names.Created {
		proof = understudyv1.Substitution_PROOF_CREATED
	}
	return &understudyv1.Substitution{
		Kind: p.Kind, Recorded: p.Baseline.Text, RecordedNumber: p.Baseline.Number, Candidate: p.Candidate.Text, CandidateNumber: p.Candidate.Number,
		LearnedFrom: p.From, Uses: uses, Proof: proof, BrokenBy: p.BrokenBy,
	}
}

// heard is what stands in one answer.
type heard struct {
	found []names.Name
	json  []byte // a document
	other []string
	text  *names.Text // where values are not all
	whole []string    // all texts of the answer: its body, fields and cookies
	bytes []byte      // the body if it is no text
	grpc  bool
}

// maxCodes is how many codes within each other are opened.
const maxCodes = 4

// within goes over the names that stand somewhere in the answer, in words, codes
// and bytes too; the judge looks there for what kept its name.
func (h *heard) within(search *names.Search, yield func(name string)) {
	if search.Idle() {
		return
	}
	var look func(text string, depth int)
	look = func(text string, depth int) {
		search.In(text, func(at names.Sighting) bool {
			yield(at.Name)
			return false
		})
		if depth < maxCodes {
			for plain := range names.Unescaped(text) {
				look(plain, maxCodes)
			}
		}
		if depth < maxCodes {
			names.Coded(text, func(_, _ int, plain string) { look(plain, depth+1) })
		}
	}
	for _, text := range h.whole {
		look(text, 0)
	}
	search.InBytes(h.bytes, h.grpc, yield)
}

// values goes over the values in it; one may come several times.
func (h *heard) values(yield func(string)) {
	for _, n := range h.found {
		yield(n.Value.Text)
	}
	scalars(h.json, yield)
	for _, v := range h.other {
		yield(v)
	}
}

// hear finds the values in an answer: all strings and numbers of a JSON
// document and the names within them, or else the words of a text.
func (x *Exchange) hear(a *understudyv1.Response) *heard {
	body := plain(a.GetHeaders(), a.GetBody())
	h := &heard{}
	f := names.NewSeeker(string(x.recorded.GetRequest().GetTarget()), nil)
	if isJSON(a.GetHeaders(), body) {
		f.JSON(body)
		h.json = body
	} else if len(body) > 0 {
		h.text = names.NewText(body)
	}
	fields(f, a.GetHeaders(), tellsNames)
	h.grpc = strings.HasPrefix(message.MediaType(message.First(a.GetHeaders(), "Content-Type")), "application/grpc")
	if h.grpc || !utf8.Valid(body) {
		h.bytes = body
	} else if len(body) > 0 {
		h.whole = append(h.whole, unescaped(string(body)))
	}
	for _, fields := range [...][]*understudyv1.Header{a.GetHeaders(), a.GetTrailers()} {
		for _, field := range fields {
			if name := field.GetName(); tellsNames(name) || strings.EqualFold(name, "Set-Cookie") || strings.EqualFold(name, "ETag") {
				h.whole = append(h.whole, string(field.GetValue()))
			}
		}
	}
	for _, value := range message.Values(a.GetHeaders(), "Set-Cookie") {
		_, value, _ = cutCookie(value)
		h.other = append(h.other, value)
	}
	found, cut := f.Found()
	if h.found = found; cut && h.text == nil {
		h.text = names.NewText(body)
	}
	return h
}

// unescaped is a document with the escapes of letters, digits and what joins them
// undone (RFC 8259, 7): names stand there as they are.
func unescaped(document string) string {
	if !strings.Contains(document, `\u00`) {
		return document
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(document, `\u00`)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		document = rest
		if code, err := strconv.ParseUint(rest[:min(2, len(rest))], 16, 8); err == nil && len(rest) >= 2 && code > ' ' && code < 0x7f {
			out.WriteByte(byte(code))
			document = rest[2:]
		} else {
			out.WriteString(`\u00`)
		}
	}
}

// scalars goes over the strings, names of members and numbers of a JSON
// document, those with escapes excepted.
func scalars(body []byte, yield func(string)) {
	text := string(body)
	for at := 0; at < len(text); at++ {
		start := at
		switch c := text[at]; {
		case c == '"':
			for at++; at < len(text) && text[at] != '"'; at++ {
				if text[at] == '\\' {
					at++
				}
			}
			if at >= len(text) {
				break
			}
			if at-start <= 256 {
				yield(text[start+1 : at])
			}
			coded(text[start+1:at], yield)
		case c == '-' || c >= '0' && c <= '9':
			for at < len(text) && (text[at] >= '0' && text[at] <= '9' || text[at] == '.' || text[at] == '-' || text[at]|0x20 == 'e' || text[at] == '+') {
				at++
			}
			yield(text[start:at])
			at--
		}
	}
}

// coded goes over what stands in base64 of JSON objects, alone or as the parts
// of a JSON Web Token; the judge opens them too.
func coded(text string, yield func(string)) {
	if strings.HasPrefix(text, "eyJ") { // {" in base64
		names.Coded(text, func(_, _ int, plain string) {
			if strings.HasPrefix(plain, "{") {
				scalars([]byte(plain), yield)
			}
		})
	}
}
