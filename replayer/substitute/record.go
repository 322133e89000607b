package substitute

import (
	"bytes"
	"encoding/base64"
	"slices"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Bounds of what one replay says about names.
const (
	MaxListed      = 4096
	maxListedBytes = 256 << 10
)

// Record lists the pairs that the request used, and those of which either name
// stands in the recorded answer or in one of the candidate's, without what this
// exchange itself taught: a value must not vouch for itself. dropped counts
// what found no room.
func (x *Exchange) Record(r *Request, answers ...*understudyv1.Response) (out []*understudyv1.Substitution, dropped uint32) {
	if x == nil {
		return nil, 0
	}
	recorded := x.recorded.GetResponse()
	texts := []*heard{x.hear(recorded)}
	for i, a := range answers {
		if a != nil && (i == 0 || a != answers[0]) {
			texts = append(texts, x.hear(a))
		}
	}
	uses := map[names.Use]uint32{}
	if r != nil {
		uses = r.t.Uses()
	}
	seconds := secondsOf(recorded, plain(recorded.GetHeaders(), recorded.GetBody()))
	s := x.session
	s.mu.Lock()
	for _, h := range texts {
		for _, n := range h.found {
			s.borrow(n.Place, n.Value.Text)
		}
	}
	var pairs []names.Pair
	pairs = append(append(pairs, s.pairs.All()...), s.moments.All()...)
	retold := s.retold(seconds)
	s.mu.Unlock()
	size := 0
	list := func(p names.Pair, n uint32) {
		if x.memory.isSecret(p.Kind, p.Baseline.Text) || x.memory.isSecret(p.Kind, p.Candidate.Text) {
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
	for _, p := range others {
		for _, h := range texts {
			if h.has(p.Baseline.Text) || h.has(p.Candidate.Text) {
				list(p, 0)
				break
			}
		}
	}
	for _, p := range retold {
		shown := func(h *heard) bool { return h.has(p.Baseline.Text) || h.has(p.Candidate.Text) }
		if p.From != x.recorded.GetId() && !slices.ContainsFunc(texts, shown) {
			list(p, 0)
		}
	}
	return out, dropped
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
	found  []names.Name
	values map[string]bool
	text   *names.Text // where values are not all
}

func (h *heard) has(value string) bool {
	return h.values[value] || h.text != nil && h.text.Has(value)
}

// hear finds the values in an answer: all strings and numbers of a JSON
// document and the names within them, or else the words of a text.
func (x *Exchange) hear(a *understudyv1.Response) *heard {
	body := plain(a.GetHeaders(), a.GetBody())
	h := &heard{values: map[string]bool{}}
	f := names.NewSeeker(string(x.recorded.GetRequest().GetTarget()), nil)
	if isJSON(a.GetHeaders(), body) {
		f.JSON(body)
		scalars(body, h.values)
	} else if len(body) > 0 {
		h.text = names.NewText(body)
	}
	fields(f, a.GetHeaders())
	for _, value := range message.Values(a.GetHeaders(), "Set-Cookie") {
		_, value, _ = cutCookie(value)
		h.values[value] = true
	}
	found, cut := f.Found()
	for _, n := range found {
		h.values[n.Value.Text] = true
	}
	if h.found = found; cut && h.text == nil {
		h.text = names.NewText(body)
	}
	return h
}

// scalars collects the strings, names of members and numbers of a JSON
// document, those with escapes excepted.
func scalars(body []byte, into map[string]bool) {
	for at := 0; at < len(body); at++ {
		start := at
		switch c := body[at]; {
		case c == '"':
			for at++; at < len(body) && body[at] != '"'; at++ {
				if body[at] == '\\' {
					at++
				}
			}
			if at >= len(body) {
				break
			}
			if at-start <= 256 {
				into[string(body[start+1:at])] = true
			}
			coded(body[start+1:at], into)
		case c == '-' || c >= '0' && c <= '9':
			for at < len(body) && (body[at] >= '0' && body[at] <= '9' || body[at] == '.' || body[at] == '-' || body[at]|0x20 == 'e' || body[at] == '+') {
				at++
			}
			into[string(body[start:at])] = true
			at--
		}
	}
}

// coded collects what stands in base64 of JSON objects, alone or as the parts
// of a JSON Web Token; the judge opens them too.
func coded(text []byte, into map[string]bool) {
	if !bytes.HasPrefix(text, []byte("eyJ")) { // {" in base64
		return
	}
	for part := range bytes.SplitSeq(bytes.TrimRight(text, "="), []byte(".")) {
		encoding := base64.RawStdEncoding
		if bytes.ContainsAny(part, "-_") {
			encoding = base64.RawURLEncoding
		}
		if out, err := encoding.AppendDecode(nil, part); err == nil && bytes.HasPrefix(out, []byte("{")) {
			scalars(out, into)
		}
	}
}
