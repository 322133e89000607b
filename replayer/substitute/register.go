package substitute

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Register enters an exchange: which names its request needs and which its
// recorded answer makes. Exchanges must be registered in the order of the
// schedule, each before the first one later in it is sent, and settled.
func (m *Memory) Register(e *understudyv1.Exchange) *Exchange {
	x := &Exchange{
		memory: m, session: m.session(e.GetSession()), recorded: e,
		origin: &origin{exchange: e.GetId(), sequence: m.sequence.Add(1), done: make(chan struct{})},
	}
	s, sent, answer := x.session, x.sent(), contentOf(e.GetResponse())
	s.mu.Lock()
	x.need(sent[1])
	x.mint(sent, answer)
	x.remove()
	x.remember(sent[1], answer)
	s.mu.Unlock()
	m.trim()
	return x
}

// isJSON says whether a body is JSON, by its type or by how it begins.
func isJSON(headers []*understudyv1.Header, body []byte) bool {
	if message.IsJSON(message.MediaType(message.First(headers, "Content-Type"))) {
		return true
	}
	begin := bytes.TrimLeft(body, " \t\r\n\ufeff")
	return len(begin) > 0 && (begin[0] == '{' || begin[0] == '[')
}

// remove remembers that the baseline deleted what the request names.
func (x *Exchange) remove() {
	s, q := x.session, x.recorded.GetRequest()
	if a := x.recorded.GetResponse(); q.GetMethod() != http.MethodDelete || a == nil || a.GetStatus() >= 400 {
		return
	}
	path := names.Segments(string(q.GetTarget()), s.knows)
	if len(path) == 0 || !path[len(path)-1].Name {
		return
	}
	last := path[len(path)-1]
	name, err := url.PathUnescape(last.Text)
	if err != nil {
		return
	}
	x.removes = thing{last.Place.Kind, name}
	s.memory.created.end(x.removes, x.origin.sequence)
}

// note remembers a name of the recording.
func (s *session) note(name string, e entry) {
	grown, lost := s.made.add(name, e, MaxNames)
	s.grow(grown)
	s.forgot = s.forgot || lost
}

// mint finds the names that first stood in this recorded answer: the client had
// not sent them, and no answer before had them.
func (x *Exchange) mint(sent [][]byte, body *content) {
	s, q, a := x.session, x.recorded.GetRequest(), x.recorded.GetResponse()
	headers := a.GetHeaders()
	if a.GetStatus() >= 400 && a.GetStatus() != http.StatusConflict { // it may have made something all the same
		body, headers = &content{}, only(headers, "Location")
	}
	if a == nil || a.GetStatus() >= 400 && len(headers) == 0 && len(body.plain) == 0 {
		return
	}
	target := string(q.GetTarget())
	family := names.Family(target, s.knows)
	f := names.NewFinder(target, s.knows).Answering(q.GetMethod())
	answers(f, q.GetMethod(), headers, body)
	fields(f, headers, tellsNames)
	if a.GetStatus() < 400 {
		fields(f, a.GetTrailers(), tellsNames)
		inSetCookies(f, headers)
	}
	if a.GetBody().GetTruncated() && !ofThing(target) && family != "" && len(s.cut) < MaxNames {
		s.cut[family] = true
	}
	client := names.NewSent(target, sent)
	found, _ := f.Found()
	writes := wrote(q.GetMethod())
	// What the request made is what it would teach if both sides agreed.
	var own []names.Pair
	if writes {
		a := names.Answer{Status: a.GetStatus(), Location: message.First(a.GetHeaders(), "Location"), Tree: body.first}
		own = names.Learn(names.Lesson{Method: q.GetMethod(), Target: target, Sent: sent, Baseline: a, Candidate: a})
	}
	for _, p := range own {
		if p.Proof != names.Created {
			continue
		}
		at := names.Place{Kind: p.Kind, Named: true, Scope: p.Scope}
		e := entry{kind: p.Kind, by: x.origin, created: true, written: true, loose: x.loose}
		earlier := s.memory.created.origins(at, p.Baseline.Text)
		if s.mintOne(at, p.Baseline.Text, e) {
			s.memory.created.register(p.Baseline.Text, e)
			if s.memory.created.isGone(p.Kind, p.Baseline.Text, earlier) {
				if x.renews == nil {
					x.renews = map[thing]bool{}
				}
				x.renews[thing{p.Kind, p.Baseline.Text}] = true
			}
		}
	}
	if writes {
		found = append(found, aliases(target, family, body)...)
		found = append(found, asCalled(target, family, found)...)
	}
	found = append(found, cursors(body.document())...)
	for _, n := range found {
		n.Place.Kind = strings.TrimPrefix(n.Place.Kind, "existing_") // of a conflict
		kind := kindAt(n.Place)
		if kind == family && kind != "" && len(s.kinds) < MaxNames {
			s.kinds[kind] = true
		}
		if !client.Has(n.Place, n.Value.Text) {
			e := entry{
				kind: kind, by: x.origin, written: writes || kind == names.Cursor.Kind, constant: x.constant,
				loose: x.loose && (kind == family || isCall(target)), found: !writes && kind == family && !names.TellsKind(family),
			}
			s.mintOne(n.Place, n.Value.Text, e)
			if kind != "" || names.IsUnmistakable(n.Value.Text) {
				s.memory.created.list(n.Value.Text, e)
			}
		}
	}
	if writes && len(found) == 0 && len(body.plain) > 0 && family != "" && !isReadable(a) && len(s.cut) < MaxNames {
		s.cut[family] = true // what it made is called there
	}
	x.versions()
	x.hand(body)
}

// isReadable says whether names are found in a body of the answer's type.
func isReadable(a *understudyv1.Response) bool {
	media := message.MediaType(message.First(a.GetHeaders(), "Content-Type"))
	return media == "" || message.IsJSON(media) || message.IsForm(media) || strings.HasPrefix(media, "text/") || strings.HasPrefix(media, "multipart/") ||
		strings.HasPrefix(media, "image/") || strings.HasSuffix(media, "xml") || strings.HasSuffix(media, "ndjson") || strings.HasSuffix(media, "yaml")
}

// only are the fields of one name.
func only(headers []*understudyv1.Header, name string) (out []*understudyv1.Header) {
	for _, h := range headers {
		if strings.EqualFold(h.GetName(), name) {
			out = append(out, h)
		}
	}
	return out
}

// mintOne remembers who made a name unless it was there before.
func (s *session) mintOne(at names.Place, name string, e entry) (isNew bool) {
	for _, before := range s.made.find(at, name) {
		if before.by == nil && e.created {
			continue // the client had guessed it, or means something else
		}
		if before.by != e.by && (e.created && before.created || s.memory.created.isGone(e.kind, name, []entry{before})) {
			continue // another thing now
		}
		if before.by != e.by {
			return false
		}
		if !e.created || before.created {
			return false
		}
	}
	s.note(name, e)
	return true
}

// sent is what the client sent: the target, and the body without codings.
func (x *Exchange) sent() [][]byte {
	q := x.recorded.GetRequest()
	return [][]byte{q.GetTarget(), plain(q.GetHeaders(), q.GetBody())}
}
