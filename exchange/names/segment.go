package names

import (
	"slices"
	"strings"
)

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
	// Collection: it is the word for the things of what is before it, and nobody's
	// name: comments in /posts/17/comments, projects at the beginning.
	Collection bool
}

// Segments takes the path of a target or of a link apart. A segment is a name
// by its shape, or because known says so; known may be nil.
func Segments(target string, known func(Place, string) bool) []Segment {
	from, end := pathOf(target)
	out := make([]Segment, 0, 1+strings.Count(target[from:end], "/"))
	eachSegment(target, known, func(s Segment) { out = append(out, s) })
	return out
}

// eachSegment goes over the segments of a path.
func eachSegment(target string, known func(Place, string) bool, yield func(Segment)) {
	from, end := pathOf(target)
	kind, scope, plural, afterName := "", "", false, false
	for from <= end && from < len(target) {
		to := from
		for to < end && target[to] != '/' {
			to++
		}
		at := Place{Kind: kind, Named: true, Scope: scope}
		first := true
		whole := target[from:to]
		if i := fileEnd(whole); i > 0 && (known == nil || !known(at, whole)) {
			whole = whole[:i]
		}
		split(whole, from, func(s Segment) {
			if first || !afterName {
				at = Place{Kind: kind, Named: true, Scope: scope}
			}
			second := first && afterName && IsUnmistakable(s.Text) // /repos/shop-1/parts-2/issues
			first = false
			s.Place = at
			switch {
			case IsVersion(s.Text):
			case second, IsSegment(s.Text), kind != "" && hasDigit(s.Text), known != nil && known(s.Place, s.Text) && !isCollection(s.Text, plural, target[min(to+1, end):end]):
				s.Name, kind, scope, plural = true, "", s.Text, false
			default:
				t := termOf(s.Text)
				if plural && handling[t.word] {
					break // /orders/edit/17
				}
				if plural && t.kind == t.word { // /projects/columns leads to columns, not to a project
					scope = s.Text // /repos/shop/issues
				}
				s.Collection = isCollection(s.Text, plural, target[min(to+1, end):end])
				kind, plural = t.kind, t.kind != t.word
			}
			afterName = s.Name
			yield(s)
		})
		from = to + 1
	}
}

// isCollection says whether a word is that of a collection, and so no name that
// somebody gave: it is in the plural, and stands behind no other collection
// (/posts/17/comments) or before the name of a thing in it (/projects/columns/17,
// /projects/columns/cards/17). rest is the path after it.
func isCollection(word string, afterPlural bool, rest string) bool {
	if !IsPlural(word) {
		return false
	}
	if !afterPlural {
		return true
	}
	for next := range strings.SplitSeq(rest, "/") {
		if IsSegment(next) || !IsPlural(next) {
			return IsSegment(next)
		}
	}
	return false
}

// handling are words between a collection and the name of a thing in it.
var handling = set("view show edit details detail delete remove destroy update modify get read find fetch cancel id by_id")

// fileEnds are the ends of files that are a name's when it is asked for in a format.
var fileEnds = set("json xml pdf csv html htm txt md yaml yml ics vcf rss atom zip gz tgz png jpg jpeg gif svg webp xls xlsx docx")

// fileEnd is where the end of a file begins behind an unmistakable name; 0 if there is
// none.
func fileEnd(text string) int {
	i := strings.LastIndexByte(text, '.')
	if i <= 0 || !fileEnds[strings.ToLower(text[i+1:])] {
		return 0
	}
	if tar, ok := strings.CutSuffix(text[:i], ".tar"); ok {
		i = len(tar)
	}
	if !IsUnmistakable(text[:i]) {
		return 0
	}
	return i
}

// split takes apart what may be written in one segment: Orders(17) is a
// collection and a name (OData), and 17.json, 17:cancel and 17;v=2 are names
// with something behind them. 17:3 is one name.
func split(text string, from int, yield func(Segment)) {
	if text == "" {
		return
	}
	whole := Segment{From: from, To: from + len(text), Text: text}
	if !strings.ContainsAny(text, "(.:;,|") {
		yield(whole)
		return
	}
	if open := strings.IndexByte(text, '('); open > 0 && text[len(text)-1] == ')' {
		inner, at := text[open+1:len(text)-1], from+open+1
		if len(inner) > 2 && inner[0] == '\'' && inner[len(inner)-1] == '\'' {
			inner, at = inner[1:len(inner)-1], at+1
		}
		if inner == "" || strings.ContainsAny(inner, "=,'()") {
			yield(whole)
			return
		}
		yield(Segment{From: from, To: from + open, Text: text[:open]})
		yield(Segment{From: at, To: at + len(inner), Text: inner})
		return
	}
	if list := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(separators, r) }); len(list) > 1 && !slices.ContainsFunc(list, func(s string) bool { return !IsSegment(s) }) {
		for _, s := range list {
			yield(Segment{From: from, To: from + len(s), Text: s})
			from += len(s) + 1
		}
		return
	}
	if i := strings.IndexAny(text, ".:;,"); i > 0 && IsSegment(text[:i]) && !IsSegment(text) && !(text[i] != ';' && isPart(text[i:])) {
		yield(Segment{From: from, To: from + i, Text: text[:i]})
		return
	}
	yield(whole)
}

// isPart says whether what follows in a segment, a joint and what is behind it,
// makes one name, or a range of names, with what is before it.
func isPart(rest string) bool {
	joint, rest := rest[0], rest[1:]
	return rest != "" && (rest[0] == joint || isDigit(rest[0]) || IsSegment(rest))
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

// family is the kind of thing that a path is about: the last collection in it,
// which is the last word in the plural, or the last word of all.
func family(segments []Segment) string {
	kind, plural := "", false
	for _, s := range segments {
		if s.Name || IsVersion(s.Text) {
			continue
		}
		t := termOf(s.Text)
		if isPlural := t.kind != t.word; (isPlural || !plural) && !(plural && handling[t.word]) {
			kind, plural = t.kind, isPlural
		}
	}
	if selves[kind] {
		return "user"
	}
	return kind
}

// ofCollection says whether a path is that of a collection, not of a thing in
// it.
func ofCollection(segments []Segment) bool {
	return len(segments) > 0 && !segments[len(segments)-1].Name
}
