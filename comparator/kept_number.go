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
// its kind.
func (k *keeping) number(s *spot, at names.Sighting, p names.Pair) string {
	name := at.Name
	if s.key && at.Alone() {
		if len(name) > 1 && !k.isTheirs(name, p.Kind) {
			return noise.Presumed(noise.Identifier) // of whatever the map is keyed by
		}
		return harmless
	}
	if at.From > 0 || at.To < len(s.text) {
		label, member := names.LabelBefore(s.text, at.From)
		if is, asName := names.Calls(label, p.Kind); is && (asName || !member) && len(name) > 1 {
			return noise.Presumed(noise.Identifier)
		}
		if _, asName := names.Calls(s.label, p.Kind); asName && at.To == len(s.text) && len(name) > 1 {
			return noise.Presumed(noise.Identifier) // "order_number": "INV-1001"
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
	case asName, is && s.few, is && !names.IsPlural(s.label) && len(name) > 1 && (len(name) >= longNumber || !positions[p.Kind]), is && s.elements > 1 && names.IsPlural(s.label):
	case general && s.surrounded(p.Kind):
	case (general || place.Named) && isBeside(s.beside, p.Kind, false), s.elements > 0 && isBeside(s.beside, p.Kind, true):
	case len(name) >= longNumber && names.IsDigits(name) && place.Named && (place.Kind == "" || place.Kind == k.family && !k.ids[place.Kind]):
	default:
		return harmless
	}
	return noise.Presumed(noise.Identifier)
}

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
