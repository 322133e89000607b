package substitute

import (
	"net/url"
	"regexp"
	"strings"

	"understudy.dev/exchange/names"
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
		if plain, err := url.PathUnescape(text); of == nil && err == nil && plain != text && depth < maxCodes {
			look(plain, maxCodes)
		}
		if of == nil && depth < maxCodes {
			names.Coded(text, func(_, _ int, plain string) {
				if of == nil {
					look(plain, depth+1)
				}
			})
		}
	}
	for _, text := range sent {
		if of == nil {
			look(text, 0)
		}
	}
	return of
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
