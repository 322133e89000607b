package names

import "bytes"

// NewSeeker makes a finder for what a client sends. It also finds what stands
// at a member that is only called like a kind ("order": 17), which may be a name
// if such a one is known.
func NewSeeker(target string, known func(Place, string) bool) *Finder {
	f := &Finder{}
	f.places = placesOf(seeking{finding{f, known}}, target)
	return f
}

type seeking struct{ finding }

func (v seeking) visitKey(at Place, x Value, _ *document) (Value, bool) { return v.visit(at, x) }

func (v seeking) visit(at Place, x Value) (Value, bool) {
	if isList(at, x.Text) {
		v.f.add(Name{at, x}) // or all together
		return x, false      // each of them may be
	}
	if (at.Named || at.Kind != "" || IsUnmistakable(x.Text)) && CanName(x) {
		v.f.add(Name{at, x})
		return x, true
	}
	return x, false
}

// Fits says whether the name of a thing of a kind can be what stands at the
// place: any place for a name that is unmistakable, one where the kind stands
// for a number or a word.
func (at Place) Fits(kind, name string) bool {
	p := Pair{Kind: kind, Baseline: Value{Text: name}}
	return p.suits(at)
}

// Family is the kind of thing that a request target is about: the last
// collection in its path, in the singular. known may tell which words in it are
// names; nil knows none.
func Family(target string, known func(Place, string) bool) string {
	return family(Segments(target, known))
}

// Sent answers what the client had sent itself. It belongs to one goroutine.
type Sent struct {
	target string
	sent   [][]byte
	texts  []*Text
	at     map[string][]Place
}

// NewSent takes what a client sent: the target of its request, then the body, a
// JSON document or a form.
func NewSent(target string, sent [][]byte) *Sent {
	s := &Sent{target: target, sent: sent}
	for _, text := range sent {
		s.texts = append(s.texts, NewText(text))
	}
	return s
}

// Has says whether the client had sent what stands at a place: a text as a whole
// word anywhere, a number where the name of such a thing may stand. An order 3
// is not called so because three of something were ordered.
func (s *Sent) Has(at Place, value string) bool {
	if !IsDigits(value) {
		for _, text := range s.texts {
			if text.Has(value) {
				return true
			}
		}
		return false
	}
	if s.at == nil {
		s.find()
	}
	for _, other := range s.at[value] {
		if other.Fits(at.Kind, value) || at.Kind != "" && agree(at.Kind, other.Kind) {
			return true
		}
	}
	return false
}

// find finds where each value stands.
func (s *Sent) find() {
	f := NewSeeker(s.target, nil)
	f.Target(s.target)
	if len(s.sent) > 1 {
		body := s.sent[1]
		if begin := bytes.TrimLeft(body, " \t\r\n"); len(begin) > 0 && begin[0] != '{' && begin[0] != '[' {
			f.Form(body)
		} else {
			f.JSON(body)
		}
	}
	s.at = map[string][]Place{}
	for _, n := range f.found {
		s.at[n.Value.Text] = append(s.at[n.Value.Text], n.Place)
	}
}
