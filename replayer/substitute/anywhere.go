package substitute

import (
	"bytes"
	"encoding/json"
	"strings"

	"understudy.dev/exchange/names"
)

// A number that an answer held as an identifier names that thing also behind a
// word that nobody knows (/cart/add/93001, {"prod": 93001}), and is never sent as
// the baseline calls it while the candidate calls it otherwise. Only a place that
// plainly says something else has a number of the client's own.

// measured are the values of a JSON document that stand within a measure, by the
// kind of their place: {"price": {"value": 93001}}.
func measured(body []byte) map[thing]bool {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	out := map[thing]bool{}
	var walk func(name string, in bool, v any, depth int)
	walk = func(name string, in bool, v any, depth int) {
		place, own := names.KindOf(name)
		in = in && !place.Named && !own
		switch x := v.(type) {
		case map[string]any:
			for key, value := range x {
				if depth < maxNested {
					walk(key, in || !place.Named && names.IsMeasure(place.Kind), value, depth+1)
				}
			}
		case []any:
			for _, value := range x {
				if depth < maxNested {
					walk(name, in, value, depth+1)
				}
			}
		case json.Number:
			if in && len(out) < maxDescribe {
				out[thing{place.Kind, x.String()}] = true
			}
		case string:
			if in && len(out) < maxDescribe {
				out[thing{place.Kind, x}] = true
			}
		}
	}
	for {
		var v any
		if d.Decode(&v) != nil {
			return out
		}
		walk("", false, v, 0)
	}
}

// between separates several names in the value of a place of which nobody knows
// what it is.
const between = ",|;.:~/ "

// numbers are those in a value that are long enough to be no choice out of a few.
func numbers(value string) (out []string) {
	if names.IsDigits(value) && len(value) >= longNumber {
		return []string{value}
	}
	if len(value) > maxShown || !strings.ContainsAny(value, between) || names.IsUnique(value) || names.IsRandom(value) {
		return nil
	}
	for _, part := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(between, r) }) {
		if names.IsDigits(part) && len(part) >= longNumber && len(out) < maxParts {
			out = append(out, part)
		}
	}
	return out
}

// anywhere wants the numbers in a name of the request that stands behind a word of
// which nobody knows what it names. Those that the session was handed count
// anywhere, those that were made in another one only where an identifier is due.
// It says whether there are any.
func (x *Exchange) anywhere(n names.Name, inPath bool) (wanted bool) {
	s, at := x.session, n.Place
	if names.HoldsNames(at, n.Value.Text) { // each is wanted by itself
		return false
	}
	if (inPath || !at.Named) && names.IsMeasure(at.Kind) || x.measures[thing{at.Kind, n.Value.Text}] || x.as != nil && at == x.as["client_id"] {
		return false
	}
	for _, name := range numbers(n.Value.Text) {
		var made []entry
		for _, e := range s.made.all(name) {
			if e.by != nil && e.kind != "" && !e.constant && !contains(made, e.by) {
				made = append(made, e)
			}
		}
		if inPath || at.Named || vagueKinds[at.Kind] || vagueNames[at.Kind] {
			for _, e := range s.memory.created.named(name) {
				if e.by != x.origin && !contains(made, e.by) {
					made = append(made, e)
				}
			}
		}
		if len(made) > 0 {
			wanted = true
			x.needs = append(x.needs, need{at: at, name: name, made: made, anywhere: true, fixed: name != n.Value.Text})
		}
	}
	return wanted
}

// resolveAnywhere says whether a number can be sent behind a word of which nobody
// knows what it names: as it is, if the candidate calls all things so that the
// baseline does.
func (s *session) resolveAnywhere(n need) *Unresolved {
	for _, p := range append(s.pairs.Named(n.name), s.memory.created.pairsOf(n.name)...) {
		for _, e := range n.made {
			if p.Baseline.Text != p.Candidate.Text && (e.kind == p.Kind || e.by.exchange == p.From) {
				return s.because(n, whyUnclear, p.From)
			}
		}
	}
	stood := s.stood.all(n.name)
	for _, e := range n.made {
		switch {
		case !e.created && !e.written:
			// It was shown, and the candidate shows something else there.
			if e.by.answered && len(stood) == 0 && !s.memory.created.shows(names.Place{Kind: e.kind, Named: true}, n.name) {
				return s.because(n, whyUnclear, e.by.exchange)
			}
		case !e.by.answered:
			return s.because(n, whyLost, e.by.exchange)
		case !contains(stood, e.by) && !s.memory.created.shows(names.Place{Kind: e.kind, Named: true}, n.name):
			return s.because(n, whyUnclear, e.by.exchange)
		}
	}
	return nil
}
