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
		if len(name) > 1 && !k.isTheirs(name) {
			return noise.Presumed(noise.Identifier) // of whatever the map is keyed by
		}
		return harmless
	}
	if at.From > 0 || at.To < len(s.text) {
		label, member := names.LabelBefore(s.text, at.From)
		if is, asName := names.Calls(label, p.Kind); is && (asName || !member) && len(name) > 1 {
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
	case asName, is && s.few, is && s.elements > 1 && names.IsPlural(s.label):
	case general && k.surrounded(s, p.Kind):
	case (general || place.Named) && isBeside(s.beside, p.Kind, false), s.elements > 0 && isBeside(s.beside, p.Kind, true):
	case len(name) >= longNumber && names.IsDigits(name) && place.Named && (place.Kind == "" || place.Kind == k.family && !k.ids[place.Kind]):
	default:
		return harmless
	}
	return noise.Presumed(noise.Identifier)
}

// generals are members that hold the value of what is named beside or around
// them.
var generals = map[string]bool{"value": true, "content": true, "text": true, "body": true, "": true}

// surrounded says whether what a spot stands in is called by a kind.
func (k *keeping) surrounded(s *spot, kind string) bool {
	for i := len(s.enclosing) - 1; i >= 0; i-- {
		if name := s.enclosing[i]; name != "" && name != s.label {
			is, asName := names.Calls(name, kind)
			return is && (asName || names.IsDesignator(s.label))
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
