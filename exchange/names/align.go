package names

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"understudy.dev/exchange/timestamp"
)

// elements aligns two arrays by what their elements hold beside names.
func (n *learner) elements(w where, a, b Tree, depth int) {
	equal := slices.Equal(a[1:], b[1:])
	if equal && n.Frame == nil && !termOf(w.name).place.Named && !namesAny(a) {
		return // equal names are a pair only where they are called names
	}
	as, bs, sent := slices.Collect(a.Elements()), slices.Collect(b.Elements()), slices.Collect(w.posted.Elements())
	// The client's own order is an alignment, if the answers keep it.
	inOrder := w.created && len(sent) == len(as) && len(as) == len(bs)
	inside := w.inside()
	inside.alike = true // as what is aligned is
	left := signatures(as, nil)
	right, same := left, equal
	if !equal {
		right = signatures(bs, nil)
		same = slices.Equal(left, right)
	}
	if !same && n.answersEach(as, bs) {
		// Answers to what the client listed are alike though a member of them has
		// nothing in common with that of the other side.
		skip := strange(a, b)
		if l, r := signatures(as, skip), signatures(bs, skip); slices.Equal(l, r) && !slices.Contains(l, "") {
			for i := range as {
				n.walk(inside.at(w.name, false, nil), as[i], bs[i], depth+1)
			}
			return
		}
	}
	if inOrder && same {
		for i := range as {
			n.walk(inside.at(w.name, true, sent[i]), as[i], bs[i], depth+1)
		}
		return
	}
	at := make(map[string]int, len(right)) // where it stands, -1 if it does more than once
	for i, s := range right {
		if _, twice := at[s]; twice {
			i = -1
		}
		at[s] = i
	}
	count := make(map[string]int, len(left))
	for _, s := range left {
		count[s]++
	}
	for i, s := range left {
		if j, has := at[s]; s != "" && count[s] == 1 && has && j >= 0 {
			created := w.created && len(sent) == len(as)
			n.walk(inside.at(w.name, created, nil), as[i], bs[j], depth+1)
		}
	}
}

// namesAny says whether a member in a document is called a name.
func namesAny(t Tree) bool {
	return slices.ContainsFunc(t, func(n Node) bool { return n.Name != "" && termOf(n.Name).place.Named })
}

// answersEach says whether two arrays may answer, one by one, what the client
// listed: as many as the only array that it posted has.
func (n *learner) answersEach(as, bs []Tree) bool {
	return len(as) == len(bs) && n.listed == len(as) && n.listed > 0
}

// listLength is how many elements the only array that holds any among the members of what the
// client posted has; 0 if there is no such array.
func listLength(posted Tree) (n int) {
	for m := range posted.Members() {
		if m.Is(Array) && len(m) > 1 {
			if n > 0 {
				return 0
			}
			for range m.Elements() {
				n++
			}
		}
	}
	return n
}

// strange are the names of members that both sides have and that hold the same
// nowhere.
func strange(a, b Tree) map[string]bool {
	as, bs, out := gather(a), gather(b), map[string]bool{}
	for name, values := range as {
		out[name] = len(bs[name]) > 0
		for v := range values {
			out[name] = out[name] && !bs[name][v]
		}
	}
	return out
}

// gather collects what tells one value from another by the name of its member.
func gather(t Tree) map[string]map[string]bool {
	into := map[string]map[string]bool{}
	var walk func(name string, t Tree, depth int)
	walk = func(name string, t Tree, depth int) {
		switch {
		case depth > maxDepth:
		case t.Is(Object):
			for m := range t.Members() {
				walk(m[0].Name, m, depth+1)
			}
		case t.Is(Array):
			for e := range t.Elements() {
				walk(name, e, depth+1)
			}
		default:
			var s signer
			if s.sign(name, t, 0) {
				if into[name] == nil {
					into[name] = map[string]bool{}
				}
				into[name][string(s.out)] = true
			}
		}
	}
	walk("", t, 0)
	return into
}

// signatures are what elements hold beside names and times, and beside members
// of the names to skip; empty for what holds nothing else.
func signatures(elements []Tree, skip map[string]bool) []string {
	s, out := signer{skip: skip}, make([]string, len(elements))
	ends := make([]int, len(elements))
	for i, e := range elements {
		from := len(s.out)
		if !s.sign("", e, 0) {
			s.out = s.out[:from]
		}
		ends[i] = len(s.out)
	}
	all, from := string(s.out), 0
	for i, end := range ends {
		out[i], from = all[from:end], end
	}
	return out
}

// areAlike says whether two objects hold the same beside names, times and other
// containers, and something that tells.
func areAlike(a, b Tree) bool {
	x, y := signer{flat: true}, signer{flat: true}
	return x.sign("", a, 0) && y.sign("", b, 0) && bytes.Equal(x.out, y.out)
}

// signer writes values without names and times, in one spelling.
type signer struct {
	out     []byte
	skip    map[string]bool // names of members to leave out
	flat    bool            // leave out what is no scalar
	members []Tree          // of the objects it is in
}

// sign writes a value, and says whether anything that tells it from another was
// written.
func (s *signer) sign(name string, t Tree, depth int) (tells bool) {
	if depth > maxDepth {
		return false
	}
	switch text := t[0].Text; t[0].Kind {
	case Object:
		return s.object(t, depth)
	case Array:
		s.out = append(s.out, '[')
		for e := range t.Elements() {
			tells = s.sign(name, e, depth+1) || tells
			s.out = append(s.out, ',')
		}
		s.out = append(s.out, ']')
		return tells
	case String:
		if termOf(name).place.Named || IsUnmistakable(text) || IsDate(text) || isTime(text) || IsLink(text) {
			s.out = append(s.out, '?')
			return false
		}
		s.out, tells = signText(s.out, text)
		return tells && !isState(name, text)
	case Number:
		if termOf(name).place.Named || len(text) >= 10 {
			s.out = append(s.out, '?')
			return false
		}
		s.out = append(s.out, plainNumber(text)...)
		return !termOf(name).choice
	case True:
		s.out = append(s.out, 't')
	case False:
		s.out = append(s.out, 'f')
	default:
		s.out = append(s.out, 'n')
	}
	return false
}

// object writes each member by its name unless that may be a name itself; those
// come last, in the order of what they hold.
func (s *signer) object(t Tree, depth int) (tells bool) {
	from := len(s.members)
	s.members = appendSorted(s.members, t)
	s.out = append(s.out, '{')
	var unnamed []string
	for i := from; i < len(s.members); i++ {
		m := s.members[i]
		name := m[0].Name
		if s.skip[name] || s.flat && (m.Is(Object) || m.Is(Array)) {
			continue
		}
		start := len(s.out)
		isName := hasDigit(name)
		if !isName {
			s.out = append(s.out, name...)
		}
		s.out = append(s.out, ':')
		tells = s.sign(name, m, depth+1) || tells
		s.out = append(s.out, ',')
		if isName {
			unnamed = append(unnamed, string(s.out[start:]))
			s.out = s.out[:start]
		}
	}
	slices.Sort(unnamed)
	for _, m := range unnamed {
		s.out = append(append(s.out, '?'), m...)
	}
	s.out = append(s.out, '}')
	s.members = s.members[:from]
	return tells
}

// isState says whether a text is one out of a few: many things are open, and
// nothing is told from another by that.
func isState(name, text string) bool {
	return termOf(name).choice || len(text) <= longState && states[strings.ToLower(text)]
}

var (
	choices = set("status state type kind category role priority level severity currency country language lang locale color colour size active enabled visibility " +
		"method channel gender unit phase stage mode paid rating score rank version quantity qty count weight position index tag label tier plan grade")

	states = set("open closed new old paid unpaid pending done active inactive draft published shipped delivered cancelled canceled completed failed queued running " +
		"success error yes no low medium high normal urgent todo enabled disabled public private in_progress processing ready approved rejected archived deleted")
)

// longState is the length of the longest of the states, in bytes.
var longState = func() (n int) {
	for s := range states {
		n = max(n, len(s))
	}
	return n
}()

// signText writes a text without the words in it that may be names, and says
// whether there was another.
func signText(out []byte, s string) (_ []byte, tells bool) {
	out = append(out, '"')
	for at := 0; at < len(s); {
		from := at
		if !inName(s[at]) {
			out = append(out, s[at])
			at++
			continue
		}
		for at < len(s) && inName(s[at]) {
			at++
		}
		if word := s[from:at]; len(word) < len(s) && hasDigit(word) {
			out = append(out, '?')
		} else {
			out = append(out, word...)
			tells = true
		}
	}
	return append(out, '"'), tells
}

// plainNumber spells equal numbers alike: 5.0 and 5, 35.30 and 35.3.
func plainNumber(s string) string {
	if strings.ContainsAny(s, "eE") {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			s = strconv.FormatFloat(f, 'f', -1, 64)
		}
	}
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

func isTime(s string) bool {
	_, ok := timestamp.Parse(s)
	return ok
}
