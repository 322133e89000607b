package comparator

import (
	"slices"
	"strings"

	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/names"
)

// longNumber is from how many digits on an unchanged number is no coincidence.
const longNumber = 4

// number judges a number or a word: it is the name only of what is called one of
// its kind, or of what is called a name.
func (k *keeping) number(s *spot, at names.Sighting, p names.Pair) string {
	if class := k.ofKind(s, at, p); class != harmless || !k.isVague(s, at, p) && !k.isLong(s, at, p) {
		return class
	}
	return noise.Presumed(noise.Identifier)
}

// longAnywhere is from how many digits on a number that was made stands nowhere by
// chance, but where a place says that it names nothing.
const longAnywhere = 6

// isLong says whether a number that something was made by is so long that it names
// that behind any word, as it is never sent as the baseline calls it: {"x": 410023},
// "Bestellung 410023". Not where it is counted or measured, nor where other things
// are named that are known.
func (k *keeping) isLong(s *spot, at names.Sighting, p names.Pair) bool {
	if p.Proof != names.Created || !names.IsDigits(at.Name) || len(at.Name) < longAnywhere || s.key || cells[s.label] || s.counts(at) || !s.isBare(at) {
		return false
	}
	label := s.label
	if at.From > 0 || at.To < len(s.text) {
		label, _ = names.LabelBefore(s.text, at.From)
	} else if place := k.translator.Place(append(slices.Clip(s.enclosing), s.label)); place.Named && place.Kind != "" && place.Kind != p.Kind {
		return false
	}
	return !names.Measures(label) && !names.Measures(s.label) && !slices.ContainsFunc(s.enclosing, names.Measures)
}

// cells are elements of HTML that a heading elsewhere says what they count.
var cells = map[string]bool{"td": true, "dd": true}

// isBare says whether a number stands for itself in a text, if only between joints as
// in inv-410023.pdf: no part of a longer one, nor of an amount with its sign or point.
func (s *spot) isBare(at names.Sighting) bool {
	if s.text[at.From:at.To] != at.Name {
		return false
	}
	before, after := s.text[:at.From], s.text[at.To:]
	if hasSign(before) || isDecimal(before, after) {
		return false
	}
	word := s.text[at.Within:at.From]
	return (word == "" || strings.ContainsAny(word[len(word)-1:], joints)) && (at.To == at.Until || strings.ContainsAny(after[:1], joints))
}

// joints are what joins the parts of a word.
const joints = "-_.:~/"

// hasSign says whether a number behind a text has its sign there.
func hasSign(before string) bool {
	text, minus := strings.CutSuffix(before, "-")
	return strings.HasSuffix(before, "+") || minus && (text == "" || strings.ContainsAny(text[len(text)-1:], " \t\n(:=,["))
}

// isDecimal says whether what stands before and behind a number makes it a part of
// one with a point.
func isDecimal(before, after string) bool {
	whole, point := strings.CutSuffix(before, ".")
	return point && whole != "" && isDigit(whole[len(whole)-1]) || len(after) > 1 && after[0] == '.' && isDigit(after[1])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (k *keeping) ofKind(s *spot, at names.Sighting, p names.Pair) string {
	name := at.Name
	if s.key && at.Alone() {
		if len(name) > 1 && !k.isTheirs(name, p.Kind) {
			return noise.Presumed(noise.Identifier) // of whatever the map is keyed by
		}
		return harmless
	}
	if s.counts(at) {
		return harmless
	}
	if k.begins(s, at, p) {
		return noise.Presumed(noise.Identifier)
	}
	if at.From > 0 || at.To < len(s.text) {
		label, member := names.LabelBefore(s.text, at.From)
		is, asName := names.Calls(label, p.Kind)
		isOf, isName := names.Calls(s.label, p.Kind)
		switch {
		case len(name) < 2:
		case is && (asName || !member), isName && at.To == len(s.text): // "order_number": "INV-1001"
			return noise.Presumed(noise.Identifier)
		case s.marked(at) && (names.IsShort(label, p.Kind) || isOf && !names.IsPlural(s.label)): // ORD-1001; "order": "#1001"
			return noise.Presumed(noise.Identifier)
		}
		return harmless
	}
	place := k.translator.Place(append(slices.Clip(s.enclosing), s.label))
	if s.place != InBody {
		place, _ = names.KindOf(s.label)
	}
	if place.Fits(p.Kind, name) {
		if q, certain := k.known.Of(place, name); s.outer != "" && certain && q == p && p.Proof == names.Created {
			return ""
		}
		return noise.Presumed(noise.Identifier) // of one thing or of another
	}
	is, asName := names.Calls(s.label, p.Kind)
	general := names.IsDesignator(s.label) || generals[strings.Trim(s.label, "@#")]
	switch {
	case is && s.place != InBody && !names.IsPlural(s.label) && p.Proof == names.Created && (len(name) >= longNumber || !positions[p.Kind]):
		return "" // a field, or a cookie, that says nothing else
	case asName, is && s.few, is && !names.IsPlural(s.label) && len(name) > 1 && (len(name) >= longNumber || !positions[p.Kind]), is && s.elements > 1 && names.IsPlural(s.label):
	case general && (s.surrounded(p.Kind) || s.isAbout(p.Kind)):
	case (general || place.Named) && isBeside(s.beside, p.Kind, false), s.elements > 0 && isBeside(s.beside, p.Kind, true):
	case len(name) >= longNumber && names.IsDigits(name) && place.Named && (place.Kind == "" || place.Kind == k.family && !k.ids[place.Kind]):
	default:
		return harmless
	}
	return noise.Presumed(noise.Identifier)
}

// counts says whether a number tells how many things there are.
func (s *spot) counts(at names.Sighting) bool {
	switch {
	case s.key || !names.IsDigits(at.Name):
		return false
	case at.From == 0 && at.To == len(s.text):
		return s.elements <= 1 && names.Counts(s.label)
	}
	return names.CountsIn(s.text, at.From, at.To)
}

// isVague says whether a number that something was made by is a whole value whose
// label says that it is a name, and does not quite say of what: "reference": 1001,
// "ord_id": 1001. Both systems' names for one thing are no coincidence there.
func (k *keeping) isVague(s *spot, at names.Sighting, p names.Pair) bool {
	if p.Proof != names.Created || !names.IsDigits(at.Name) || len(at.Name) < longNumber || at.To < len(s.text) || s.key || at.From > 0 && !s.marked(at) {
		return false
	}
	if vague[strings.ToLower(s.label)] {
		return true
	}
	if at.From > 0 {
		return false
	}
	kind := k.translator.Place(append(slices.Clip(s.enclosing), s.label)).Kind
	return names.IsShort(kind, p.Kind) || isVagueMember(s)
}

// isVagueMember says whether a spot is the name of what the members around it only
// call something: event.resource.id.
func isVagueMember(s *spot) bool {
	last := len(s.enclosing) - 1
	return names.IsDesignator(s.label) && last >= 0 && s.enclosing[last] != "" && names.IsVague(s.enclosing[last])
}

// begins says whether a number tells where a page of a list begins or ends, which
// may be told by the name of what stands there: /orders?after=1001.
func (k *keeping) begins(s *spot, at names.Sighting, p names.Pair) bool {
	if !names.IsDigits(at.Name) || len(at.Name) < 2 || s.key {
		return false
	}
	label, kind := s.label, k.family
	if at.From > 0 || at.To < len(s.text) {
		before, _ := names.LabelBefore(s.text, at.From)
		if path, _, isLink := strings.Cut(s.text, "?"); isLink && names.Family(path, nil) != "" {
			kind = names.Family(path, nil)
		}
		if !names.IsDesignator(before) || s.outer == "" { // a cursor "id:1001"
			label = before
		}
	} else if names.IsDesignator(label) && s.outer != "" && len(s.enclosing) > 0 {
		label = s.enclosing[len(s.enclosing)-1] // {"id": 1001} in one
	}
	return names.IsPager(label) && (names.Agree(p.Kind, kind) || p.Proof == names.Created && len(at.Name) >= longNumber)
}

// marked says whether nothing but a mark stands before a name in a text: #1001,
// INV-1001.
func (s *spot) marked(at names.Sighting) bool {
	return at.From > 0 && at.From <= longestMark && at.To == len(s.text) && !strings.ContainsAny(s.text[:at.From], " \t\n/?&=0123456789")
}

// longestMark is the length of the longest mark before a name, in bytes.
const longestMark = 8

// vague are labels of names of whatever.
var vague = map[string]bool{"number": true, "no": true, "nr": true, "num": true, "ref": true, "reference": true}

// positions are kinds that are also words for where something stands: what is
// called so, with few digits, may be that.
var positions = map[string]bool{
	"order": true, "rank": true, "position": true, "place": true, "line": true, "row": true, "item": true, "entry": true, "page": true, "step": true, "level": true, "version": true,
}

// generals are members that hold the value of what is named beside or around
// them.
var generals = map[string]bool{"value": true, "content": true, "text": true, "body": true, "": true}

// surrounded says whether what a spot stands in is called by a kind: an object, or
// a list in members that only hold it, as in orders.edges[].node.id. What an
// element holds in such a member are its parts: orders[].items[].id.
func (s *spot) surrounded(kind string) bool {
	if s.where == nil {
		return false
	}
	held := false
	for at := s.where; at != nil; at = at.before {
		switch {
		case at.form != "":
			return false
		case at.index >= 0:
			if held && at.before != nil && !names.IsContainer(at.before.name) {
				return false
			}
		case at.name == "" || at.name == s.label:
		case names.IsContainer(at.name) && !generals[at.name]:
			held = true
		default:
			is, asName := names.Calls(at.name, kind)
			return is && (asName || names.IsDesignator(s.label)) && (!held || names.IsPlural(at.name))
		}
	}
	return false
}

// isAbout says whether what an object stands in, in members that only hold it, says
// what it is: {"type": "order.created", "data": {"object": {"id": 17}}}.
func (s *spot) isAbout(kind string) bool {
	for i, object := range append(slices.Clip(s.above), s.beside) {
		n := 0
		for m := range object.Members() {
			if n++; n > maxMembers {
				break
			}
			if m[0].Kind == names.String && len(m[0].Text) <= maxBeside && names.IsPartly(m[0].Text, kind) && (i < len(s.above) || names.IsContainer(s.label)) {
				return true
			}
		}
	}
	return false
}

// Bounds of what is looked at beside a value: members, and bytes of a text that
// may be the word for a kind.
const (
	maxMembers = 64
	maxBeside  = 64
)

// isBeside says whether a member says that the others are about a kind; asName:
// as the name of one of it.
func isBeside(object names.Tree, kind string, asName bool) bool {
	n := 0
	for m := range object.Members() {
		if n++; n > maxMembers {
			break
		}
		if m[0].Kind == names.String && len(m[0].Text) <= maxBeside {
			if is, as := names.Calls(m[0].Text, kind); is && (as || !asName) {
				return true
			}
		}
	}
	return false
}
