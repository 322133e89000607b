package names

import "strings"

// designators are words that, behind a kind or before it, say that what follows
// tells one thing of the kind from others.
var designators = set("id ids uuid uuids guid guids uid uids oid oids pk pks number numbers num nums no nos nr nrs ref refs reference references handle handles")

// Calls says whether a label, the name of a member or the words before a value,
// is about things of a kind: data-order, last_customer. As a name: it says that
// the value tells one from others, in other words than those that make a Place
// Named: order_number, orderNo, customer_ref, id_customer, "order no."
func Calls(label, kind string) (is, asName bool) {
	stem, asName := undesignated(label)
	if stem == "" || kind == "" {
		return false, false
	}
	if word := singular(stem); agree(kind, word) || strings.HasSuffix(word, "_"+kind) {
		return true, asName
	}
	return false, false
}

// IsDesignator says whether a label is nothing but a designator: number, ref, id.
func IsDesignator(label string) bool {
	stem, is := undesignated(label)
	return is && stem == ""
}

// IsPlural says whether a label is that of several things.
func IsPlural(label string) bool {
	t := termOf(label)
	return t.kind != t.word
}

// IsContainer says whether a label is that of a member that only holds things, one
// or several, and does not say of what kind: items, data, edges.
func IsContainer(label string) bool {
	t := termOf(label)
	return t.lists || t.wraps || t.wrapsAnswer
}

// undesignated takes the designators away from a label.
func undesignated(label string) (stem string, some bool) {
	stem = strings.Trim(words(label), "_")
	for {
		head, last := "", stem
		if i := strings.LastIndexByte(stem, '_'); i >= 0 {
			head, last = stem[:i], stem[i+1:]
		}
		if stem == "" || !designators[last] {
			break
		}
		stem, some = strings.TrimRight(head, "_"), true
	}
	for {
		first, rest, _ := strings.Cut(stem, "_")
		if stem == "" || !designators[first] {
			return stem, some
		}
		stem, some = strings.TrimLeft(rest, "_"), true
	}
}

// Bounds of a label before a value.
const (
	maxGap   = 8
	maxLabel = 48
)

// LabelBefore is the label that stands before a place in a text, the word there
// with a word before it that it belongs to ("order no. 17"); empty if none does.
// member says that it is written as the name of a member of a JSON document.
func LabelBefore(text string, at int) (label string, member bool) {
	end := at
	for end > 0 && at-end < maxGap && strings.IndexByte(" \t\r\n:/#=\"'\\>([-_.", text[end-1]) >= 0 {
		end--
	}
	if end == at && (end == 0 || classes[text[end-1]]&aLetter == 0) {
		return "", false
	}
	gap := text[end:at]
	member = strings.Contains(gap, `"`) && strings.Contains(gap, ":")
	from := wordBefore(text, end)
	label = text[from:end]
	if IsDesignator(label) && from > 0 {
		before := from
		for before > 0 && from-before < 3 && strings.IndexByte(" -#.", text[before-1]) >= 0 {
			before--
		}
		if start := wordBefore(text, before); start < before && before < from {
			label = text[start:end]
		}
	}
	return label, member
}

// wordBefore is where the letters begin that end at a place.
func wordBefore(text string, end int) int {
	from := end
	for from > 0 && end-from < maxLabel && (classes[text[from-1]]&aLetter != 0 || text[from-1] == '_' || text[from-1] == '-' || text[from-1] >= 0x80) {
		from--
	}
	return from
}
