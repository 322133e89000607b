package substitute

import (
	"bytes"
	"net/http"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// need is a name that stands in a request.
type need struct {
	at   names.Place
	name string
	// made are those who made it, as far as the recording shows.
	made []entry
	// unknown: it may have been made by what is forgotten.
	unknown bool
}

// Register enters an exchange: which names its request needs and which its
// recorded answer makes. Exchanges must be registered in the order of the
// schedule, each before the first one later in it is sent, and settled.
func (m *Memory) Register(e *understudyv1.Exchange) *Exchange {
	x := &Exchange{
		memory: m, session: m.session(e.GetSession()), recorded: e,
		origin: &origin{exchange: e.GetId(), sequence: m.sequence.Add(1), done: make(chan struct{})},
	}
	s, sent, answer := x.session, x.sent(), plain(e.GetResponse().GetHeaders(), e.GetResponse().GetBody())
	s.mu.Lock()
	x.need(sent[1])
	x.mint(sent, answer)
	if !isJSON(e.GetResponse().GetHeaders(), answer) {
		answer = nil
	}
	x.remember(sent[1], answer)
	s.mu.Unlock()
	m.trim()
	return x
}

// maxPlain bounds what a body is unpacked to, in bytes.
const maxPlain = 1 << 20

// plain is a body without its content codings; nothing if it cannot be had
// within bounds.
func plain(headers []*understudyv1.Header, body *understudyv1.Body) []byte {
	out, err := message.Decode(body.GetContent(), message.Joined(headers, "Content-Encoding"), maxPlain)
	if err != nil || len(out) > maxPlain {
		return nil
	}
	return out
}

// isJSON says whether a body is JSON, by its type or by how it begins.
func isJSON(headers []*understudyv1.Header, body []byte) bool {
	if message.IsJSON(message.MediaType(message.First(headers, "Content-Type"))) {
		return true
	}
	begin := bytes.TrimLeft(body, " \t\r\n\ufeff")
	return len(begin) > 0 && (begin[0] == '{' || begin[0] == '[')
}

// mute are fields that hold no names of things, beside those of connections.
var mute = map[string]bool{}

func init() {
	for _, name := range strings.Fields("Accept Accept-Charset Accept-Encoding Accept-Language Authorization Cache-Control Content-Encoding " +
		"Content-Language Content-Length Content-Md5 Content-Digest Content-Type Cookie Date Digest Dnt Etag Expect Expires Host If-Match " +
		"If-Modified-Since If-None-Match If-Range If-Unmodified-Since Last-Modified Origin Pragma Priority Range Repr-Digest Retry-After " +
		"Server Set-Cookie Te Traceparent Tracestate Upgrade-Insecure-Requests User-Agent Vary Via X-Forwarded-For X-Forwarded-Host " +
		"X-Forwarded-Proto X-Real-Ip X-Request-Id X-Correlation-Id X-Trace-Id X-Span-Id X-Amzn-Trace-Id Idempotency-Key X-Idempotency-Key") {
		mute[name] = true
	}
}

// hasNames says whether a field may hold names of things.
func hasNames(name string) bool {
	name = http.CanonicalHeaderKey(name)
	return !mute[name] && !strings.HasPrefix(name, "Sec-") && !strings.HasPrefix(name, ":") && !message.IsHopByHop(name)
}

// fields looks for names in header fields.
func fields(f *names.Finder, headers []*understudyv1.Header) {
	for _, h := range headers {
		if !hasNames(h.GetName()) {
			continue
		}
		value := string(h.GetValue())
		if strings.EqualFold(h.GetName(), "Link") {
			links(value, func(target string) string { f.Target(target); return target })
			continue
		}
		f.Value(h.GetName(), value)
	}
}

// links goes over the targets of a Link field (RFC 8288).
func links(value string, with func(string) string) string {
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(value, "<")
		target, after, closed := strings.Cut(rest, ">")
		if !ok || !closed {
			out.WriteString(value)
			return out.String()
		}
		out.WriteString(before + "<" + with(target) + ">")
		value = after
	}
}

// need finds the names that the request holds and who made them.
func (x *Exchange) need(body []byte) {
	s, q := x.session, x.recorded.GetRequest()
	target := string(q.GetTarget())
	f := names.NewSeeker(target, s.knows)
	path, query, _ := strings.Cut(target, "?")
	f.Target(path)
	found, _ := f.Found()
	inPath := len(found)
	f.Form([]byte(query))
	fields(f, q.GetHeaders())
	switch media := message.MediaType(message.First(q.GetHeaders(), "Content-Type")); {
	case message.IsForm(media):
		f.Form(body)
	case message.IsJSON(media):
		f.JSON(body)
	}
	found, _ = f.Found()
	type place struct {
		names.Place
		name string
	}
	seen := map[place]bool{}
	for i, n := range found {
		at := place{n.Place, n.Value.Text}
		if seen[at] {
			continue
		}
		seen[at] = true
		x.want(n, i < inPath && n.Place.Kind != "")
	}
	x.conditions()
}

// want takes one name of the request. A number or a word that nobody made, at a
// place of no kind that was made or listed, is the client's own choice.
func (x *Exchange) want(n names.Name, inPath bool) {
	s, name := x.session, n.Value.Text
	var made []entry
	own := false
	for _, e := range s.made.find(n.Place, name) {
		if own = own || e.by == nil; e.by != nil {
			made = append(made, e)
		}
	}
	for _, e := range s.memory.created.origins(n.Place, name) {
		if !contains(made, e.by) {
			made = append(made, e)
		}
	}
	matters := inPath || names.IsUnmistakable(name) || n.Place.Kind != "" && s.listed(n.Place, name)
	for _, e := range made {
		matters = matters || e.created || s.kinds[e.kind]
	}
	if !matters {
		return
	}
	isNew := len(made) == 0 && !own
	// What is unique is at least nobody else's.
	unknown := isNew && s.forgot && !names.IsUnique(name) && (inPath || s.kinds[n.Place.Kind])
	x.needs = append(x.needs, need{n.Place, name, made, unknown})
	if isNew && !unknown && (n.Place.Named || names.IsUnmistakable(name)) {
		s.note(name, entry{kind: kindAt(n.Place)})
	}
}

func contains(list []entry, by *origin) bool {
	for _, e := range list {
		if e.by == by {
			return true
		}
	}
	return false
}

// listed says whether things of the kind at a place were made or listed in the
// session.
func (s *session) listed(at names.Place, name string) bool {
	if s.kinds[at.Kind] {
		return true
	}
	for kind := range s.kinds {
		if at.Fits(kind, name) {
			return true
		}
	}
	return false
}

// kindAt is what a name at a place names, if the place tells.
func kindAt(at names.Place) string {
	if !at.Named {
		return ""
	}
	return at.Kind
}

// knows says whether a word in a path is a name.
func (s *session) knows(at names.Place, word string) bool {
	if at.Kind == "" {
		return false
	}
	return len(s.made.find(at, word)) > 0 || len(s.memory.created.origins(at, word)) > 0
}

// note remembers a name of the recording.
func (s *session) note(name string, e entry) {
	grown, lost := s.made.add(name, e, MaxNames)
	s.grow(grown)
	s.forgot = s.forgot || lost
}

// mint finds the names that first stood in this recorded answer: the client had
// not sent them, and no answer before had them.
func (x *Exchange) mint(sent [][]byte, body []byte) {
	s, q, a := x.session, x.recorded.GetRequest(), x.recorded.GetResponse()
	if a == nil || a.GetStatus() >= 400 {
		return
	}
	target := string(q.GetTarget())
	family := names.Family(target, s.knows)
	f := names.NewFinder(target, s.knows).Answering(q.GetMethod())
	if isJSON(a.GetHeaders(), body) {
		f.JSON(body)
	}
	fields(f, a.GetHeaders())
	client := names.NewSent(target, sent)
	found, _ := f.Found()
	for _, n := range found {
		kind := kindAt(n.Place)
		if kind == family && kind != "" && len(s.kinds) < MaxNames {
			s.kinds[kind] = true
		}
		if !client.Has(n.Place, n.Value.Text) {
			s.mintOne(n.Place, n.Value.Text, entry{kind: kind, by: x.origin})
		}
	}
	if method := q.GetMethod(); method != http.MethodPost && method != http.MethodPut && method != http.MethodPatch {
		x.versions()
		return
	}
	// What the request made is what it would teach if both sides agreed.
	own := names.Answer{Status: a.GetStatus(), Location: message.First(a.GetHeaders(), "Location"), Body: body}
	for _, p := range names.Learn(names.Lesson{Method: q.GetMethod(), Target: target, Sent: sent, Baseline: own, Candidate: own}) {
		if p.Proof != names.Created {
			continue
		}
		if s.mintOne(names.Place{Kind: p.Kind, Named: true}, p.Baseline.Text, entry{kind: p.Kind, by: x.origin, created: true}) {
			s.memory.created.register(p.Baseline.Text, entry{kind: p.Kind, by: x.origin, created: true})
		}
	}
	x.versions()
}

// mintOne remembers who made a name unless it was there before.
func (s *session) mintOne(at names.Place, name string, e entry) (isNew bool) {
	for _, before := range s.made.find(at, name) {
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
