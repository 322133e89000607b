// Package redact replaces secrets in exchanges with keyed tokens before they
// leave the process. Names stay, and equal values get equal tokens wherever
// they occur, so it is still visible that a client sent back the cookie it was
// given, and that two systems answer with one e-mail address.
package redact

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"understudy.dev/exchange/memo"
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/token"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// domain labels the tokens made here: each begins with "rdx_".
const domain = "rdx"

// Redactor redacts exchanges. It is safe for concurrent use; a nil Redactor
// leaves everything as it is.
type Redactor struct {
	headers map[string]treatment
	query   map[string]bool
	kept    map[string]bool // by Config.Keep, in lower case
	rules   []rule
	allow   bool
	names   *memo.Memo[*name]
	key     *token.Key
	former  []*token.Key
}

type treatment uint8

const (
	whole treatment = iota + 1
	credentials
	cookies
	setCookie
	link
	digest
	structure
)

// New returns a Redactor, nil if redaction is off. Tokens are made with key;
// former ones are known from records made before. It panics if the configuration
// has Problems.
func New(cfg Config, key *token.Key, former ...*token.Key) *Redactor {
	if cfg.Off {
		return nil
	}
	if ps := cfg.Problems(); len(ps) > 0 {
		panic(fmt.Sprintf("redact: rule %d: %s %q %s", ps[0].Rule, ps[0].Key, ps[0].Value, ps[0].Fault))
	}
	r := &Redactor{
		headers: map[string]treatment{}, query: map[string]bool{}, kept: map[string]bool{},
		rules: compile(cfg.Rules), allow: cfg.AllowList, key: key, former: former,
	}
	for _, name := range linkHeaders {
		r.headers[name] = link
	}
	for _, name := range message.DigestFields() {
		r.headers[name] = digest
	}
	for _, name := range structureHeaders {
		r.headers[name] = structure
	}
	for _, name := range append(DefaultHeaders(), cfg.Headers...) {
		r.headers[http.CanonicalHeaderKey(name)] = treatmentOf(name)
	}
	for _, name := range append(DefaultQuery(), cfg.Query...) {
		r.query[strings.ToLower(name)] = true
	}
	for _, name := range cfg.Keep {
		delete(r.headers, http.CanonicalHeaderKey(name))
		delete(r.query, strings.ToLower(name))
		r.kept[strings.ToLower(name)] = true
	}
	r.names = memo.New(r.describe)
	return r
}

// with is the same Redactor with another key, or with other headers.
func (r *Redactor) with(key *token.Key, headers map[string]treatment) *Redactor {
	out := *r
	out.key, out.headers = key, headers
	return &out
}

func treatmentOf(name string) treatment {
	switch http.CanonicalHeaderKey(name) {
	case "Authorization", "Proxy-Authorization":
		return credentials
	case "Cookie":
		return cookies
	case "Set-Cookie":
		return setCookie
	}
	return whole
}

// structureHeaders say how a message is to be read: nobody could do so without
// them, so an allow-list keeps them.
var structureHeaders = []string{
	"Content-Type", "Content-Encoding", "Content-Length", "Transfer-Encoding", "Connection", "Trailer", "Te", "Upgrade", "Expect", "Date",
	"Accept", "Accept-Encoding", "Accept-Charset", "Vary", "Cache-Control", "Grpc-Status", "Grpc-Encoding", "Retry-After",
}

// Exchange replaces the secrets in e and lists in e.Redactions where they were.
// It never writes into the bytes of a value, so these may be shared.
func (r *Redactor) Exchange(e *understudyv1.Exchange) { r.exchange(e, nil) }

// Hit is a value that a rule replaced.
type Hit struct {
	// Place and Name are as in the list of an exchange's redactions; In is the
	// kind of place as rules name it.
	Place understudyv1.Redaction_Place
	Name  string
	In    string
	// Rule is "rules[2]" for the third of the configuration, "names" for a secret
	// by its name, "header" for one by its header, "allow_list", or a shape.
	Rule   string
	Action string
}

// Test is Exchange, and tells each value that is replaced.
func (r *Redactor) Test(e *understudyv1.Exchange, hit func(Hit)) { r.exchange(e, hit) }

func (r *Redactor) exchange(e *understudyv1.Exchange, hit func(Hit)) {
	if r == nil {
		return
	}
	e.RedactionKey = r.key.ID()
	found := places{into: e, hit: hit}
	if e.Request != nil {
		r.request(e.Request, &found)
	}
	r.response(e.Response, &found)
}

func (r *Redactor) request(q *understudyv1.Request, found *places) {
	q.Target = r.target(q.Target, understudyv1.Redaction_PLACE_REQUEST_TARGET, found)
	if strings.IndexByte(q.Authority, '@') > 0 {
		w := work{r: r, at: understudyv1.Redaction_PLACE_REQUEST_HEADER, found: found, field: "Host"}
		q.Authority = w.authority(q.Authority)
	}
	r.message(understudyv1.Redaction_PLACE_REQUEST_HEADER, understudyv1.Redaction_PLACE_REQUEST_BODY, &q.Headers, &q.Trailers, q.Body, found)
}

func (r *Redactor) response(a *understudyv1.Response, found *places) {
	if a != nil {
		r.message(understudyv1.Redaction_PLACE_RESPONSE_HEADER, understudyv1.Redaction_PLACE_RESPONSE_BODY, &a.Headers, &a.Trailers, a.Body, found)
	}
}

// message redacts the fields and the body of a request or an answer.
func (r *Redactor) message(inHead, inBody understudyv1.Redaction_Place, headers, trailers *[]*understudyv1.Header, body *understudyv1.Body, found *places) {
	// First, because the fields say how it is to be read.
	changed := r.body(*headers, body, inBody, found)
	r.lines(headers, inHeader, inHead, changed, found)
	r.lines(trailers, inTrailer, inHead, changed, found)
}

// lines redacts fields; changed says that the body is no longer what it was.
func (r *Redactor) lines(headers *[]*understudyv1.Header, in place, list understudyv1.Redaction_Place, changed bool, found *places) {
	w := work{r: r, at: list, found: found}
	dropped := false
	for i, h := range *headers {
		if len(h.Value) == 0 {
			continue // nothing to hide, and a token would invent a value
		}
		kind, ok := r.headers[h.Name]
		if !ok {
			// HTTP/2 and imported names may be in lower case.
			kind = r.headers[http.CanonicalHeaderKey(h.Name)]
		}
		w.field = h.Name
		text := string(h.Value)
		out, drop := w.line(in, kind, text, changed)
		switch {
		case drop:
			if !dropped {
				*headers, dropped = slices.Clone(*headers), true
			}
			(*headers)[i] = nil
		case out != text:
			h.Value = []byte(out)
		}
	}
	if dropped {
		*headers = slices.DeleteFunc(*headers, func(h *understudyv1.Header) bool { return h == nil })
	}
}

// line redacts the value of a field; drop says that nothing is left of it.
func (w *work) line(in place, kind treatment, text string, changed bool) (out string, drop bool) {
	n := w.r.nameOf(w.field)
	if kind == cookies || kind == setCookie {
		n = nameless // each cookie has its own
	}
	if len(n.rules) > 0 {
		if out := w.value(in, n, text); out.changed || w.ruled(in, n) {
			return out.text, out.dropped
		}
	}
	mark := func(out string) string {
		if out != text {
			w.note(in, n, labelHeader, actionToken)
		}
		return out
	}
	switch kind {
	case credentials:
		return mark(w.r.credentials(text)), false
	case cookies:
		return w.cookies(text), false
	case setCookie:
		return w.setCookie(text), false
	case whole:
		return mark(w.r.made(text)), false
	case digest:
		if changed {
			return mark(w.r.made(text)), false
		}
		return text, false
	case structure:
		if strings.IndexByte(text, '=') > 0 {
			return w.pairs(text, colonAndQuote), false // of the parameters that it has
		}
		return text, false
	case link:
		if out = w.links(text); out != text || !w.r.allow {
			return out, false
		}
	}
	out, drop, _ = w.text(in, n, text)
	return out, drop
}

// labelHeader is that of the fields which are secrets by default.
const labelHeader = "header"

// nameless is what is known of a value without a name.
var nameless = &name{}

// ruled says whether a rule about whole values decides on a name.
func (w *work) ruled(at place, n *name) bool {
	return slices.ContainsFunc(n.rules, func(i int) bool {
		c := &w.r.rules[i]
		return c.places&(1<<at) != 0 && !c.isPartial() && w.fits(c, n)
	})
}

// places counts redactions by place and name; there are too few for a map.
type places struct {
	into *understudyv1.Exchange
	hit  func(Hit) // nil if nobody asks
}

// maxPlaces bounds the places that an exchange lists; the others are counted
// under the name "…".
const maxPlaces = 64

func (p *places) add(place understudyv1.Redaction_Place, name string) {
	name = name[:min(len(name), maxName)]
	i := p.find(place, name)
	if i < 0 && len(p.into.Redactions) >= maxPlaces {
		name = "…"
		i = p.find(place, name)
	}
	if i >= 0 {
		p.into.Redactions[i].Count++
		return
	}
	p.into.Redactions = append(p.into.Redactions, &understudyv1.Redaction{Place: place, Name: strings.ToValidUTF8(name, "\uFFFD"), Count: 1})
}

func (p *places) find(place understudyv1.Redaction_Place, name string) int {
	return slices.IndexFunc(p.into.Redactions, func(x *understudyv1.Redaction) bool {
		return x.Place == place && x.Name == name && x.Withheld == ""
	})
}

// withheld notes that a body, or its end, is not kept.
func (p *places) withheld(place understudyv1.Redaction_Place, reason string) {
	p.into.Redactions = append(p.into.Redactions, &understudyv1.Redaction{Place: place, Count: 1, Withheld: reason})
	if p.hit != nil {
		p.hit(Hit{Place: place, In: placeNames[inBody], Rule: reason, Action: actionDrop})
	}
}
