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
	if word := singular(stem); agree(kind, word) || strings.HasSuffix(word, "_"+kind) || people[kind] && isParty(word) {
		return true, asName
	}
	return false, false
}

// parties are words for a person by what is done to them; what somebody does
// ends in by. They also name an address or a firm, so they prove nothing.
var parties = set("bill_to billed_to ship_to shipped_to sold_to deliver_to delivered_to addressed_to sent_to actor by")

func isParty(word string) bool {
	return parties[word] || strings.HasSuffix(word, "_by") && !ownReferences[word]
}

// IsShort says whether a label is the beginning of the word for a kind: ord, INV,
// cus.
func IsShort(label, kind string) bool {
	label = strings.ToLower(strings.Trim(label, "_-"))
	return len(label) >= leastShort && len(label) < len(kind) && strings.HasPrefix(kind, label)
}

// leastShort is how long a word for a kind is at least that is cut, in bytes.
const leastShort = 3

// IsPartly says whether a word has the one for a kind in it: order.created.
func IsPartly(word, kind string) bool {
	if strings.ContainsAny(word, " \t\n") {
		return false
	}
	for part := range strings.FieldsFuncSeq(words(word), func(c rune) bool { return strings.ContainsRune("._:/", c) }) {
		if agree(kind, singular(part)) {
			return true
		}
	}
	return false
}

// pagers are labels of where a page of a list begins or ends, which may be told by
// the name of what stands there.
var pagers = set("after before since cursor next_cursor prev_cursor previous_cursor start_cursor end_cursor after_cursor before_cursor starting_after ending_before start_after " +
	"after_id before_id since_id max_id min_id last_id first_id last_seen last_seen_id page_token next_page_token continuation_token next_token marker next_marker last_key")

// IsPager says whether a label is that of where a page of a list begins or ends:
// after, next_cursor, since_id.
func IsPager(label string) bool { return pagers[termOf(label).word] }

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

// Counts says whether a number alone tells how many things there are where it stands
// under a label: "orders": 1001. Those of a list are names.
func Counts(label string) bool {
	t := termOf(label)
	if t.kind == t.word || t.place.Named {
		return false
	}
	_, asName := undesignated(label)
	return !asName
}

// CountsIn says whether the number from one place of a text to another stands behind
// such a label, and alone: "orders: 1001", and not "orders 1001 and 1002".
func CountsIn(text string, from, to int) bool {
	label, _ := LabelBefore(text, from)
	head := strings.TrimRight(text[:from], " \t:=>\"")
	if label == "" || !strings.HasSuffix(head, label) || !Counts(label) {
		return false
	}
	if head = head[:len(head)-len(label)]; head != "" && strings.IndexByte(":./#", head[len(head)-1]) >= 0 {
		return false // shop.orders:1001
	}
	rest := text[to:]
	if rest != "" && strings.IndexByte(" \t\r\n,;<})]\"", rest[0]) < 0 {
		return false
	}
	rest = strings.TrimLeft(rest, " \t,;&")
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "and "), " ")
	return rest == "" || !isDigit(rest[0])
}

// IsContainer says whether a label is that of a member that only holds things, one
// or several, and does not say of what kind: items, data, edges.
func IsContainer(label string) bool {
	t := termOf(label)
	return t.lists || t.wraps || t.wrapsAnswer
}

// IsVague says whether a label only holds something, or relates it, and says
// nothing of what it is: resource, object, target.
func IsVague(label string) bool {
	t := termOf(label)
	return t.wraps || t.related
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
