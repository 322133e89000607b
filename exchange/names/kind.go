package names

import "strings"

// Place says what may stand at one place of a message.
type Place struct {
	// Kind is what a name there names, in the singular: "order" for order_id,
	// for orders[].id and for the segment after /orders/. Empty if unknown.
	Kind string
	// Named: the place is called one of an identifier. A member that is only
	// called like a kind ("order": 17) may hold something else.
	Named bool
}

// KindOf is the place that a member, parameter or header of a name is. The name
// of an identifier without a kind (id, uuid, key) says that it names what it
// stands in: own.
func KindOf(name string) (place Place, own bool) {
	stem, named := stemOf(innermost(name))
	if !named {
		return Place{Kind: singular(words(stem))}, false
	}
	kind := singular(words(stem))
	if kind == "" {
		return Place{Named: true}, true
	}
	if relations[kind] {
		return Place{Named: true}, false
	}
	return Place{Kind: kind, Named: true}, false
}

// innermost is the name of a parameter without what tells it from others of its
// kind: ids[], order_id_0, lines[0][product_id].
func innermost(name string) string {
	for strings.HasSuffix(name, "]") {
		open := strings.LastIndexByte(name, '[')
		if open < 0 {
			return name
		}
		if inner := name[open+1 : len(name)-1]; inner != "" && !IsDigits(inner) {
			return inner
		}
		name = name[:open]
	}
	if i := strings.LastIndexByte(name, '_'); i > 0 && IsDigits(name[i+1:]) {
		return name[:i]
	}
	return name
}

// stemOf takes away what calls a name one of an identifier.
func stemOf(name string) (stem string, named bool) {
	lower := strings.ToLower(name)
	if identifiers[lower] || identifiers[strings.TrimSuffix(lower, "s")] || handles[lower] {
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
	for _, end := range handleEnds {
		if strings.HasSuffix(lower, end) {
			return name[:len(name)-len(end)], true
		}
	}
	return name, false
}

// relations are words in the names of identifiers that say how a thing is
// related, not what it is: parent_id names whatever the thing itself is, or
// another.
var relations = set("parent child previous prev next first last root source src target dest destination origin original related relation " +
	"reference ref linked link self other duplicate replaced replacement reply in_reply_to copied_from from to resource object entity item element record x new old")

// roles are words for persons: owner_id may name what was made as a user.
var roles = set("owner author creator assignee reviewer approver manager sender recipient receiver buyer seller reporter requester submitter " +
	"user account person customer member contact profile created_by updated_by assigned_to client")

// agree says whether two kinds can be the same thing.
func agree(a, b string) bool { return a == b || roles[a] && roles[b] && (people[a] != people[b]) }

// people are the kinds under which persons are kept; two of them (a user, a
// customer) are different things, each of which the other roles may name.
var people = set("user account person customer member contact profile client")

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

// singular is the usual English singular of the last word; it need not be
// right, but the same for a word and its plural.
func singular(word string) string {
	switch {
	case len(word) < 4:
		return word
	case strings.HasSuffix(word, "ies"):
		return word[:len(word)-3] + "y"
	case strings.HasSuffix(word, "sses"), strings.HasSuffix(word, "shes"), strings.HasSuffix(word, "ches"), strings.HasSuffix(word, "xes"):
		return word[:len(word)-2]
	case strings.HasSuffix(word, "ss"), strings.HasSuffix(word, "us"), strings.HasSuffix(word, "is"):
		return word
	}
	return strings.TrimSuffix(word, "s")
}

// wrappers are members that hold the thing a request is about without saying
// what it is.
var wrappers = set("data result item payload response resource object entity attributes body content element value results items entries elements list rows hits documents embedded page records values collection nodes edges node")

// Segment is one segment of a path.
type Segment struct {
	// From and To are where it stands in the target.
	From, To int
	// Text is the segment as it is written.
	Text string
	// Place is what may stand there: after /orders/ the name of an order.
	Place Place
	// Name: it names a thing; otherwise it is the name of a collection, of an
	// action, or a version.
	Name bool
}

// Segments takes the path of a target or of a link apart. A segment is a name
// by its shape, or because known says so; known may be nil.
func Segments(target string, known func(Place, string) bool) []Segment {
	from, end := pathOf(target)
	var out []Segment
	kind := ""
	for from <= end && from < len(target) {
		to := from
		for to < end && target[to] != '/' {
			to++
		}
		if text := target[from:to]; text != "" {
			s := Segment{From: from, To: to, Text: text, Place: Place{Kind: kind, Named: true}}
			switch {
			case IsVersion(text):
			case IsSegment(text), kind != "" && strings.ContainsAny(text, digits), known != nil && known(s.Place, text):
				s.Name, kind = true, ""
			default:
				kind = singular(words(text))
			}
			out = append(out, s)
		}
		from = to + 1
	}
	return out
}

// pathOf is where the path of a target or of a link begins and ends.
func pathOf(target string) (from, to int) {
	to = len(target)
	if i := strings.IndexAny(target, "?#"); i >= 0 {
		to = i
	}
	if i := strings.Index(target[:to], "://"); i >= 0 {
		slash := strings.IndexByte(target[i+3:to], '/')
		if slash < 0 {
			return to, to
		}
		from = i + 3 + slash
	}
	return from, to
}

// family is the kind of thing that a path is about: the last collection in it.
func family(segments []Segment) string {
	kind := ""
	for _, s := range segments {
		if !s.Name && !IsVersion(s.Text) {
			kind = singular(words(s.Text))
		}
	}
	return kind
}
