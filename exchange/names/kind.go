package names

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// Place says what may stand at one place of a message.
type Place struct {
	// Kind is what a name there names, in the singular: "order" for order_id,
	// for orders[].id and for the segment after /orders/. Empty if unknown.
	Kind string
	// Named: the place is called one of an identifier. A member that is only
	// called like a kind ("order": 17) may hold something else.
	Named bool
	// Scope is the name before it in a path: in /repos/shop/issues/1 the issue 1
	// is that of shop. Empty where nothing says so.
	Scope string
}

// KindOf is the place that a member, parameter or header of a name is. The name
// of an identifier without a kind (id, uuid) says that it names what it stands
// in: own; so does one that names something of the same kind (parent_id). A
// handle (key, cursor, order_key) is a kind of its own.
func KindOf(name string) (place Place, own bool) {
	t := termOf(name)
	return t.place, t.own
}

func kindOf(name string) (place Place, own bool) {
	name = innermost(name)
	if listed(name, handles, handleEnds) && !IsIdentifier(name) {
		return Place{Kind: words(name), Named: true}, false
	}
	stem, named := stemOf(name)
	kind := singular(words(stem))
	switch {
	case ownReferences[words(name)]:
		return Place{Named: true}, true
	case !named:
		return Place{Kind: kind}, false
	case kind == "" || ownRelations[kind]:
		return Place{Named: true}, true
	case relations[kind]:
		return Place{Named: true}, false
	}
	return Place{Kind: kind, Named: true}, false
}

// innermost is the name of a parameter without what tells it from others of its
// kind: ids[], order_id_0, lines[0][product_id], and in one word where it stands
// behind what it belongs to: order.id. The marks of attributes (@id, @data-order-id)
// and operators ($oid) say nothing.
func innermost(name string) string {
	if attribute, ok := strings.CutPrefix(name, "@"); ok {
		name = strings.TrimPrefix(attribute, "data-")
	}
	name = strings.TrimRight(strings.TrimPrefix(name, "$"), "!<>~") // order_id!=17
	for strings.HasSuffix(name, "]") {
		open := strings.LastIndexByte(name, '[')
		if open < 0 {
			return name
		}
		if inner := name[open+1 : len(name)-1]; inner != "" && !IsDigits(inner) && !operators[inner] {
			return inner
		}
		name = name[:open]
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		of := name[strings.LastIndexByte(name[:i], '.')+1 : i]
		name = of + "_" + name[i+1:] // order.id
	}
	if i := strings.LastIndexByte(name, '_'); i > 0 && IsDigits(name[i+1:]) {
		return name[:i]
	}
	if stem, operator, ok := strings.Cut(name, "__"); ok && stem != "" && operators[operator] {
		return stem // order_id__in
	}
	return name
}

// stemOf takes away what calls a name one of an identifier.
func stemOf(name string) (stem string, named bool) {
	lower := strings.ToLower(name)
	if identifiers[lower] || identifiers[strings.TrimSuffix(lower, "s")] {
		return "", true
	}
	for _, plural := range []string{"", "s"} {
		short, ok := strings.CutSuffix(name, plural)
		if !ok {
			continue
		}
		low := strings.ToLower(short)
		for _, end := range identifierEnds {
			if strings.HasSuffix(low, end) {
				return short[:len(short)-len(end)], true
			}
		}
		for _, hump := range identifierHumps {
			if head, ok := strings.CutSuffix(short, hump); ok && head != "" && !isUpper(head[len(head)-1]) {
				return head, true
			}
		}
	}
	return name, false
}

// relations are words in the names of identifiers that say how a thing is
// related, and nothing of what it is. ownRelations relate things of one kind.
var (
	relations = set("source src target dest destination origin related relation reference ref linked link resource object entity element record x from to")

	ownRelations = set("parent child previous prev next first last root original duplicate replaced replacement self other reply in_reply_to copied_from new old")
)

// ownReferences name a thing of the same kind without the word for an identifier.
var ownReferences = set("reorder_of copy_of copied_from clone_of cloned_from duplicate_of revision_of replacement_of renewal_of correction_of amendment_of reversal_of " +
	"in_reply_to reply_to replaces replaced_by supersedes superseded_by")

// qualifiers are what may stand before a kind in the name of an identifier
// without making it another kind: billing_address_id names an address.
var qualifiers = set("oauth billing shipping delivery invoice pickup from to source target src dest destination original parent child previous prev next first last " +
	"existing current new old primary secondary default sender recipient main related linked approved_by created_by updated_by requested_by for " +
	"latest newest recent top best active selected preferred my own")

// roles are words for persons, by the kinds under which those are kept.
var roles = map[string]string{}

func init() {
	for role := range set("friend follower followee following subscriber collaborator participant attendee invitee guest moderator watcher contributor cc bcc owner author creator assignee reviewer approver manager sender recipient receiver reporter requester submitter created_by updated_by assigned_to approved_by") {
		roles[role] = "user account person member"
	}
	for role := range set("buyer client payer purchaser") {
		roles[role] = "customer"
	}
	roles["sub"] = "user account person member customer client" // of a token's claims
}

// people are kinds under which one person may be kept.
var people = set("user customer account member person client profile contact")

// agree says whether a name at a place called by a kind can be that of a thing
// of another: one of them is the other, qualified (latest_order), or it is a
// person in a role.
func agree(kind, place string) bool {
	if kind == place {
		return true
	}
	if kind, place = inFull(kind), inFull(place); kind == place {
		return true
	}
	if i := strings.LastIndex(place, "_by_"); i > 0 && place[i+len("_by_"):] == kind {
		return true
	}
	for _, of := range [...][2]string{{place, kind}, {kind, place}} {
		if qualifier, ok := strings.CutSuffix(of[0], "_"+of[1]); ok && qualifiers[qualifier] {
			return true
		}
	}
	return slices.Contains(strings.Fields(roles[place]), kind)
}

// shortened are kinds that one system calls both in full and short: GitHub answers to
// /repos with links to /repositories.
var shortened = map[string]string{
	"repo": "repository", "org": "organization", "config": "configuration", "doc": "document", "app": "application", "env": "environment",
	"img": "image", "msg": "message", "acct": "account", "txn": "transaction", "cust": "customer", "dept": "department",
}

// inFull is a kind whose last word is not shortened.
func inFull(kind string) string {
	i := strings.LastIndexByte(kind, '_') + 1
	if full, ok := shortened[kind[i:]]; ok {
		return kind[:i] + full
	}
	return kind
}

// words puts a name in lower case with _ between its words: lineItem → line_item.
func words(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		switch {
		case isUpper(c):
			if i > 0 && !isUpper(name[i-1]) && name[i-1] != '_' && name[i-1] != '-' {
				b.WriteByte('_')
			}
			b.WriteByte(c | 0x20)
		case c == '-' || c == '.' || c == ' ':
			b.WriteByte('_')
		default:
			b.WriteByte(c)
		}
	}
	return strings.TrimPrefix(strings.Trim(b.String(), "_@$"), "x_") // X-Order-Id
}

// singular is about the English singular of the last word. It need not be
// right, but must be the same for a word and its plural.
func singular(word string) string {
	head, last := "", word
	if i := strings.LastIndexByte(word, '_'); i >= 0 {
		head, last = word[:i+1], word[i+1:]
	}
	if one, ok := irregular[last]; ok {
		return head + one
	}
	switch {
	case len(last) < 3:
	case strings.HasSuffix(last, "ies") || strings.HasSuffix(last, "ie"):
		last = strings.TrimSuffix(strings.TrimSuffix(last, "s"), "ie") + "y" // movie and movies
	case strings.HasSuffix(last, "ses") && len(last) > 4, strings.HasSuffix(last, "shes"), strings.HasSuffix(last, "ches"), strings.HasSuffix(last, "xes"), strings.HasSuffix(last, "zes"):
		last = last[:len(last)-2]
	case strings.HasSuffix(last, "ss"), strings.HasSuffix(last, "us"), strings.HasSuffix(last, "is"):
	case strings.HasSuffix(last, "se") && len(last) > 3:
		last = last[:len(last)-1] // house, as houses
	default:
		last = strings.TrimSuffix(last, "s")
	}
	return head + last
}

var irregular = map[string]string{"people": "person", "children": "child", "men": "man", "women": "woman", "indices": "index", "vertices": "vertex", "data": "data"}

// wrappers are members that hold the thing a request is about, or all of them,
// without saying what it is. Those in lists do so only at the top of an answer
// about a collection; elsewhere they hold parts.
var (
	wrappers       = set("data result payload response resource object entity attributes body params param variables variable input arguments args where filter filters criteria selector")
	answerWrappers = set("content value results hits documents embedded page records values collection")

	lists = set("items entries elements list rows nodes edges node item element entry row")
)

// selves are words in a path for the person who asks.
var selves = set("me whoami self myself viewer current_user currentuser")

// operators are members that hold what another member is compared with:
// {"order_id": {"eq": 17}}.
var operators = set("eq ne neq equals equal in nin not_in gt gte lt lte is is_not any_of one_of")

// searches are words in a path for what may find or show anything.
var searches = set("search find lookup query autocomplete suggest suggestions feed dashboard home overview summary inbox activity timeline result")

// TellsKind says whether the family of a target is that of what is answered. What
// a search finds, or a dashboard shows, can be anything.
func TellsKind(family string) bool { return !searches[family] }

// ArePersons says whether two kinds may be those of one person, though each may be
// counted by itself: user 7 is customer 7, or somebody else.
func ArePersons(a, b string) bool { return people[a] && people[b] }

// Persons are the kinds under which one person may be kept.
func Persons() iter.Seq[string] { return maps.Keys(people) }

// Agree says whether what is called by one kind can be what is called by another:
// an order, the latest_order; a user, the owner.
func Agree(a, b string) bool { return a != "" && b != "" && (agree(a, b) || agree(b, a)) }
