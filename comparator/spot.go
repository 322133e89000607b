package comparator

import (
	"slices"
	"strings"

	"understudy.dev/comparator/diff"
	"understudy.dev/comparator/media"
	"understudy.dev/exchange/names"
)

// A spot is a text of an answer that may hold names.
type spot struct {
	place Place
	// field is the path of a field; where is the way in a body, nil for the whole.
	field string
	where *step
	codes int // that it is within
	// label is what it is called, enclosing what that stands in, from the
	// outside in.
	label     string
	enclosing []string
	// few: what is called by a kind here is called so for no other reason, as in
	// a field, a form or an attribute.
	few bool
	// elements is how many there are of the list that it is one of.
	elements int
	key      bool // the name of a member
	// beside is what stands beside it, and above beside what that stands in as a
	// member that only holds it, from the outside in.
	beside names.Tree
	above  []names.Tree
	// outer is the code that it was within, which nothing was translated in.
	outer  string
	text   string
	secret bool
	// again is the text, into which names were put, with names put in once more; empty
	// if that is not known.
	again string
	// document is the body that it is in, or what it was opened as.
	document *media.Document
}

// step leads to a member, an element, or what was opened.
type step struct {
	before *step
	name   string
	index  int // -1 for a member
	form   string
	// path and location are empty until they are asked for.
	path, location string
}

// maxPath bounds the text of a path, in bytes.
const maxPath = 4 << 10

// paths are where a spot is, with positions folded and with them.
func (s *spot) paths() (path, location string) {
	root := s.field
	if root == "" {
		root = "$"
	}
	return s.where.paths(root)
}

// paths keeps what it made, for the steps that go on from here.
func (s *step) paths(root string) (path, location string) {
	if s == nil {
		return root, root
	}
	if s.path != "" {
		return s.path, s.location
	}
	path, location = s.before.paths(root)
	switch {
	case len(location)+len(s.name) > maxPath:
		path, location = strings.TrimSuffix(path, "…")+"…", strings.TrimSuffix(location, "…")+"…"
	case s.form != "":
		path, location = path+"("+s.form+")", location+"("+s.form+")"
	case s.index >= 0:
		path, location = path+"[]", location+"["+decimal(int64(s.index))+"]"
	default:
		path, location = diff.Member(path, s.name), diff.Member(location, s.name)
	}
	s.path, s.location = path, location
	return path, location
}

// held is a name at a spot. What stands on both sides is equal.
type held struct{ label, position, name, word, outer string }

// around is how much of a text before a name tells where it stands, in bytes.
const around = 32

// held tells a name that may be that of several things, as where both sides count,
// also by where it stands: 1002 is one order here and the next one there.
func (s *spot) held(at names.Sighting) held {
	h := held{label: s.label, name: at.Name, word: s.text[at.Within:at.Until], outer: s.outer}
	if names.IsUnique(at.Name) || names.IsRandom(at.Name) {
		return h
	}
	h.word = s.text[max(0, at.From-around):at.Until]
	for step := s.where; step != nil && len(h.position) < maxPath; step = step.before {
		switch {
		case step.index >= 0:
			h.position += "/" + decimal(int64(step.index))
		case len(step.name) > maxText || strings.ContainsAny(step.name, "0123456789"):
			h.position += "/?" // it may be a name itself
		default:
			h.position += "/" + step.name
		}
	}
	return h
}

// isProse says whether it may be what somebody wrote, and sent earlier: the replay
// sends words of it as they were that only hold names.
func (s *spot) isProse() bool {
	return s.place == InBody && s.outer == "" && strings.ContainsAny(s.text, " \t\r\n")
}

// made is what only the client could have made of a name, if it did not: the word
// or the code that it is in. The name itself is another one in what was sent.
func (s *spot) made(at names.Sighting) string {
	switch {
	case s.outer != "":
		return s.outer
	case at.Alone():
		return ""
	}
	return s.text[at.Within:at.Until]
}

// spots goes over the texts of an answer.
type spots func(yield func(*spot))

// maxWalk is how deep documents are looked into: as deep as they are compared.
const maxWalk = diff.MaxDepth

// walk goes over the texts of a document.
func (k *keeping) walk(s spot, t names.Tree, depth int, yield func(*spot)) {
	if depth > maxWalk {
		return
	}
	switch {
	case t.Is(names.Object):
		in := s
		in.enclosing, in.elements, in.beside, in.above = append(slices.Clip(s.enclosing), s.label), 0, t, nil
		if s.beside != nil && s.where != nil && s.where.index < 0 && names.IsContainer(s.label) {
			in.above = append(slices.Clip(s.above), s.beside)
		}
		for m := range t.Members() {
			in.label, in.where = m[0].Name, &step{before: s.where, name: m[0].Name, index: -1}
			key := in
			key.key, key.text = true, in.label
			k.within(key, depth, yield)
			k.walk(in, m, depth+1, yield)
		}
	case t.Is(names.Array):
		in := s
		in.elements = 0
		for e := range t.Elements() {
			if e.Is(names.String) || e.Is(names.Number) {
				in.elements++
			}
		}
		if s.document.Format == media.JSON {
			in.elements++ // a list of one is a list
		}
		i := 0
		for e := range t.Elements() {
			if i == 0 {
				in.beside = e
			}
			in.where = &step{before: s.where, index: i}
			k.walk(in, e, depth+1, yield)
			i++
		}
	case t.Is(names.String) || t.Is(names.Number):
		s.text, s.few = t[0].Text, isFew(s.document.Format) || strings.HasPrefix(s.label, "@")
		k.within(s, depth, yield)
	}
}

// within goes over a text, and over what stands in it as JSON or in base64.
func (k *keeping) within(s spot, depth int, yield func(*spot)) {
	yield(&s)
	if depth > maxWalk || s.codes >= maxInside {
		return
	}
	open := func(form, code, plain string) {
		in := s
		in.codes++
		in.where, in.text = &step{before: s.where, index: -1, form: form}, plain
		if in.outer == "" {
			in.outer = code
		}
		if tree, whole := parse(plain); whole {
			in.document = &media.Document{Format: media.JSON}
			k.walk(in, tree, depth+1, yield)
		} else if form != "json" {
			k.within(in, depth+1, yield)
		}
	}
	if s.document != nil || s.place != InBody { // a body that was not taken apart is no text in one
		open("json", s.text, s.text)
	}
	for plain := range names.Unescaped(s.text) {
		in := s
		in.text = plain
		yield(&in)
	}
	names.Coded(s.text, func(from, to int, plain string) { open("base64", s.text[from:to], plain) })
}

// parse takes a text apart that is an object or a list of JSON.
func parse(text string) (names.Tree, bool) {
	text = strings.TrimSpace(text)
	if text == "" || text[0] != '{' && text[0] != '[' {
		return nil, false
	}
	return names.Parse([]byte(text))
}
