package substitute

import (
	"bytes"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// absolute is a link with its host.
var absolute = regexp.MustCompile(`(?i)\bhttps?://([^\s"'<>/?#\\]+)[^\s"'<>\\]*`)

// left finds an unguessable name of the baseline that still stands somewhere in what
// is to be sent, within a word or a code too, and that the candidate calls
// otherwise or does not know: a request with it would be about somebody else's
// thing. Links to other systems are theirs. The session's mu is held.
func (x *Exchange) left(sent []string) *Unresolved {
	s := x.session
	var of *Unresolved
	search := names.SearchUnguessable(func(name string) bool {
		of = s.unsaid(name)
		return of != nil
	})
	own := sameHosts(x.recorded.GetRequest())
	var look func(text string, depth int)
	look = func(text string, depth int) {
		if own != nil && strings.Contains(text, "://") {
			text = absolute.ReplaceAllStringFunc(text, func(link string) string {
				if own(absolute.FindStringSubmatch(link)[1]) {
					return link
				}
				return ""
			})
		}
		if of == nil {
			search.In(text, func(names.Sighting) bool { return of != nil })
		}
		if depth >= maxCodes {
			return
		}
		for plain := range names.Unescaped(text) {
			look(plain, maxCodes)
		}
		names.Coded(text, func(from, to int, plain string) {
			if of == nil {
				of = x.inCode(text[from:to], plain)
			}
			if of == nil {
				look(plain, depth+1)
			}
		})
	}
	for _, text := range append(x.called(), sent...) {
		if of == nil {
			look(breaks.Replace(text), 0)
		}
		if whole := softBreaks.Replace(text); of == nil && len(whole) < len(text) {
			look(whole, 0)
		}
	}
	return of
}

// softBreaks are those within a line of quoted-printable (RFC 2045, section 6.7).
var softBreaks = strings.NewReplacer("=\r\n", "", "=\n", "")

// called are the names of the fields and cookies of the recorded request: they leave as
// they are.
func (x *Exchange) called() (out []string) {
	for _, h := range x.recorded.GetRequest().GetHeaders() {
		out = append(out, h.GetName())
		if strings.EqualFold(h.GetName(), "Cookie") {
			for pair := range strings.SplitSeq(string(h.GetValue()), ";") {
				name, _, _ := strings.Cut(pair, "=")
				out = append(out, strings.TrimSpace(name))
			}
		}
	}
	return out
}

// inCode finds a name that stands at a place of its kind in JSON that was packed in
// base64, as a client does with a state: {"order_id":17}. The code was in the recorded
// request; one that the candidate gave has names of its own.
func (x *Exchange) inCode(code, plain string) *Unresolved {
	document := strings.TrimSpace(plain)
	if document == "" || document[0] != '{' && document[0] != '[' || !x.holds(code) {
		return nil
	}
	f := names.NewSeeker(string(x.recorded.GetRequest().GetTarget()), x.session.knows)
	f.JSON([]byte(document))
	found, _ := f.Found()
	for _, n := range found {
		p, ok := x.session.pairs.Of(n.Place, n.Value.Text)
		if !ok {
			p, ok = x.session.memory.created.known(n.Place, n.Value.Text, (*names.Pairs).Of)
		}
		if ok && n.Place.Named && p.Holds() && p.Renames() && p.Baseline.Text != p.Candidate.Text {
			return x.session.because(need{at: n.Place, name: n.Value.Text, fixed: true}, whyFixed, p.From)
		}
	}
	return nil
}

// holds says whether the recorded request has a text in it, as it was sent.
func (x *Exchange) holds(text string) bool {
	q := x.recorded.GetRequest()
	return bytes.Contains(q.GetTarget(), []byte(text)) || bytes.Contains(q.GetBody().GetContent(), []byte(text)) ||
		slices.ContainsFunc(q.GetHeaders(), func(h *understudyv1.Header) bool { return bytes.Contains(h.GetValue(), []byte(text)) })
}

// breaks are the escapes of breaks in a text: the letter in one is no part of the
// word behind it.
var breaks = strings.NewReplacer(`\n`, " ", `\r`, " ", `\t`, " ")

// codes goes over the names that a search finds, in texts without
// links to other systems: each as often as it stands there.
func (x *Exchange) codes(texts []string, search *names.Search, yield func(name string)) {
	own := sameHosts(x.recorded.GetRequest())
	var look func(text string, depth int)
	look = func(text string, depth int) {
		if plain, err := url.PathUnescape(text); err == nil {
			text = plain
		}
		if own != nil && strings.Contains(text, "://") {
			text = absolute.ReplaceAllStringFunc(text, func(link string) string {
				if own(absolute.FindStringSubmatch(link)[1]) {
					return link
				}
				return ""
			})
		}
		search.In(text, func(at names.Sighting) bool {
			if at.Until == len(text) || text[at.Until] != '@' { // no mail address
				yield(at.Name)
			}
			return true
		})
		if depth < maxCodes {
			names.Coded(text, func(_, _ int, plain string) { look(plain, depth+1) })
		}
	}
	for _, text := range texts {
		look(breaks.Replace(text), 0)
	}
}

// leftCode finds a mixed name of the baseline, which still
// stands in what is to be sent: more often than it was put in as what the
// candidate calls something. The session's mu is held.
func (x *Exchange) leftCode(r *Request) *Unresolved {
	s := x.session
	why := map[string]*Unresolved{}
	stand := map[string]uint32{}
	x.codes(r.sent, names.SearchMixed(func(name string) bool {
		u, seen := why[name]
		if !seen && len(why) < maxTags {
			u = s.unsaidCode(name)
			why[name] = u
		}
		return u != nil
	}), func(name string) { stand[name]++ })
	for name, n := range stand {
		if n > r.t.Times(name) {
			return why[name]
		}
	}
	return nil
}

// unsaidCode says why a mixed name of the baseline cannot be sent; nil if it can, or if
// nothing is called so.
func (s *session) unsaidCode(name string) *Unresolved {
	n := need{name: name, fixed: true}
	known := false
	for _, p := range append(s.pairs.Named(name), s.memory.created.pairsOf(name)...) {
		if p.Kind != "" && p.Baseline.Text != p.Candidate.Text && !staysIn(p) {
			n.at.Kind = p.Kind
			return s.because(n, whyFixed, p.From)
		}
		known = true
	}
	for _, e := range s.made.all(name) {
		if !known && e.by != nil && e.created && len(s.stood.all(name)) == 0 {
			n.at.Kind = e.kind
			return s.because(n, whyNowhere, e.by.exchange)
		}
	}
	return nil
}

// attends remembers who made what the request holds anywhere, to wait for them.
func (x *Exchange) attends(body []byte) {
	s, q := x.session, x.recorded.GetRequest()
	texts := append(x.called(), string(q.GetTarget()), string(body), softBreaks.Replace(string(body)))
	for _, h := range slices.Concat(q.GetHeaders(), q.GetTrailers()) {
		if hasNames(h.GetName()) {
			texts = append(texts, string(h.GetValue()))
		}
	}
	for _, text := range slices.Clone(texts) {
		texts = slices.AppendSeq(texts, names.Unescaped(text))
	}
	var made []entry
	makers := func(name string) []entry {
		all := append(s.made.all(name), s.memory.created.named(name)...)
		return slices.DeleteFunc(all, func(e entry) bool { return e.by == nil || e.by == x.origin || e.kind == "" })
	}
	known := func(name string) bool {
		return (s.made.holds(name) || s.memory.created.holds(name)) && len(makers(name)) > 0
	}
	for _, search := range []*names.Search{names.SearchMixed(known), names.SearchUnguessable(known)} {
		x.codes(texts, search, func(name string) {
			for _, e := range makers(name) {
				if !contains(made, e.by) {
					made = append(made, e)
					x.behind = append(x.behind, need{at: names.Place{Kind: e.kind}, name: name, made: []entry{e}})
				}
			}
		})
	}
}

// unsaid says why a name of the baseline cannot be sent; nil if it can, or if it is
// none.
func (s *session) unsaid(name string) *Unresolved {
	anywhere := need{at: names.Place{Named: true}, name: name, fixed: true}
	if p, ok := s.pairs.Of(anywhere.at, name); ok && p.Holds() {
		if p.Renames() && p.Baseline.Text != p.Candidate.Text {
			return s.because(anywhere, whyFixed, p.From)
		}
		return nil
	}
	if p, ok := s.memory.created.known(anywhere.at, name, (*names.Pairs).Of); ok && p.Holds() && !staysIn(p) {
		if p.Baseline.Text != p.Candidate.Text {
			return s.because(anywhere, whyFixed, p.From)
		}
		return nil
	}
	for _, e := range s.made.all(name) {
		if e.by == nil || len(s.stood.all(name)) > 0 || s.memory.created.shows(anywhere.at, name) {
			return nil
		}
		select {
		case <-e.by.done:
			return s.because(anywhere, whyNowhere, e.by.exchange)
		default:
		}
	}
	return nil
}
