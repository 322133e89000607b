// Package noise says why two values of one place may differ without harm, as far
// as the record itself shows it. It never looks beyond one record, so the same
// record always gives the same classes.
//
// What the record proves (a name that both sides made in answer to this or an
// earlier request, a time that is tied to the request or to what it tells of)
// has a class. What only its name or its shape explains has the class with
// "presumed:" before it, which is no match.
package noise

import (
	"slices"
	"strings"

	"understudy.dev/exchange/names"
	"understudy.dev/exchange/timestamp"
)

// The classes.
const (
	// Timestamp: both values are tied to the same moment.
	Timestamp = "timestamp"
	// Identifier: one value is the candidate's name for what the other names.
	Identifier = "identifier"
	// Random: both are tokens out of a generator.
	Random = "random"
)

// presumed begins a class that nothing proves.
const presumed = "presumed:"

// Presumed is the class of what only looks like a class.
func Presumed(class string) string { return presumed + class }

// IsPresumed says whether a class is presumed, and not proven.
func IsPresumed(class string) bool { return strings.HasPrefix(class, presumed) }

// Control is the class of what the baseline does not do alike when it is asked
// twice.
const Control = "control"

// ByControl is the class of a difference, of this class until now, that a
// control has shown to be the baseline's own: "control:random" of what was
// presumed to be random, and Control of what had no class.
func ByControl(class string) string {
	if class, ok := strings.CutPrefix(class, presumed); ok {
		return Control + ":" + class
	}
	return Control
}

// IsControl says whether a control explains it.
func IsControl(class string) bool {
	return class == Control || strings.HasPrefix(class, Control+":")
}

// Evidence is what one record tells about its values. It belongs to one
// goroutine.
type Evidence struct {
	// Frame is when each side worked on the request.
	Frame timestamp.Frame
	// Pairs are the names known in the session and those of this exchange.
	Pairs *names.Pairs
	// Translator has put the candidate's names into the baseline's values.
	Translator *names.Translator
	// Sent holds what the client sent: target, header values, body. A value
	// that stands in it was not generated and must come back unchanged.
	Sent [][]byte
	// BaselineHost is the authority that the client spoke to. Links to it may
	// name another one on the candidate's side, always the same.
	BaselineHost string
	// CandidateHost is the authority under which the candidate was asked; empty
	// if unknown.
	CandidateHost string
	// Broken are times of this answer that contradict each other, as Evidence of the
	// same answer has found; nil before anything has looked.
	Broken map[timestamp.Pair]timestamp.Pair
	// BaselineScheme and CandidateScheme are "http" or "https", by which each was
	// asked; empty if unknown.
	BaselineScheme, CandidateScheme string

	// OneSide: both values are of one system, which calls nothing by two names and
	// repeats the tokens that it has made. Only times may be others.
	OneSide bool

	// order are the times that seem proven.
	order timestamp.Order
	// shapes are the pairs that only their looks suggest, one to one.
	shapes names.Pairs
	// moments are the pairs of times in Pairs, and shownAs those by the
	// candidate's; nil until they are asked for.
	moments []moment
	shownAs map[int64][]moment
	// reasons are noted only while Explain asks for them.
	reasons *[]Reason
}

// Value is a scalar as text, and whether it was a number.
type Value struct {
	Text   string
	Number bool
}

func (v Value) name() names.Value { return names.Value{Text: v.Text, Number: v.Number} }

// maxValue is the longest value that is classified, in bytes.
const maxValue = 16 << 10

// Class says which class explains the difference of two values, "" if none
// does. path has the names of the members that lead to them, from the outside
// in.
func (e *Evidence) Class(path []string, baseline, candidate Value) string {
	b, c := baseline.Text, candidate.Text
	if b == c || b == "" || c == "" || len(b) > maxValue || len(c) > maxValue {
		e.because("an empty value, or one longer than 16 KiB, is never excused")
		return ""
	}
	name := ""
	if len(path) > 0 {
		name = path[len(path)-1]
	}
	if class, certain := e.pair(e.Translator.Place(path), b, c); certain {
		return class
	}
	if names.SentAs(e.Sent, name, b) {
		e.because("the client had sent the baseline's value, so it must come back unchanged")
		return ""
	}
	if place, _ := names.KindOf(name); place.Named && names.OtherSchemes(baseline.name(), candidate.name()) && e.alike(b, c) {
		e.because("it is called an identifier, and each side makes such names in its own way; no pair ties the two")
		return Presumed(Identifier)
	}
	if baseline.Number != candidate.Number {
		e.because("one is a number, the other a text")
		return ""
	}
	if class, both := e.times(baseline, candidate); both {
		return class
	}
	if names.IsDigest(name) {
		e.because("it is called a checksum or a signature, which follows from what it covers")
		return ""
	}
	if class := e.shape(name, baseline, candidate); class != "" || baseline.Number {
		return class
	}
	if names.IsLink(b) || names.IsLink(c) {
		return e.links(b, c)
	}
	if class := e.links(b, c); class != "" {
		return class
	}
	if class := e.words(b, c); class != "" {
		return class
	}
	if names.AreRandom(b, c) && e.alike(b, c) {
		e.because("both look like tokens out of a generator")
		return Presumed(Random)
	}
	return ""
}

// pair goes by what is known of either name. certain: it decides.
func (e *Evidence) pair(at names.Place, b, c string) (class string, certain bool) {
	return e.pairOf(at, b, c, true)
}

func (e *Evidence) pairOf(at names.Place, b, c string, translated bool) (class string, certain bool) {
	if _, put := e.Translator.Put(b); put && translated {
		e.byPut(at, b)
		return "", true // it is the candidate's name already, and differs
	}
	if p, ok := e.Pairs.Of(at, b); ok {
		switch {
		case !p.Holds() || p.Candidate.Text != c:
			e.byPair(p, "the candidate calls the thing otherwise")
			return "", true
		case p.Proof == names.Created:
			e.byPair(p, "the candidate's name for the same thing")
			return Identifier, true
		}
		e.byPair(p, "the candidate's name for the same thing, as far as two answers that are otherwise alike show it")
		return Presumed(Identifier), true
	}
	p, ok := e.Pairs.For(at, c)
	if ok {
		e.byPair(p, "the candidate's value is its name for something else")
	}
	return "", ok // the name of something else
}

// shape: both look like names that a system makes, in the same way.
func (e *Evidence) shape(name string, baseline, candidate Value) string {
	b, c := baseline.Text, candidate.Text
	place, _ := names.KindOf(name)
	unique := names.IsUnique(b) && names.IsUnique(c)
	switch {
	case place.Named && isSnowflake(b) && isSnowflake(c):
		unique = true
	case baseline.Number:
		return ""
	case place.Named:
		// Each side may make its names in its own way, as long as one of them
		// cannot be a choice out of a few.
		unique = unique || names.SameSeries(b, c) ||
			names.IsUnmistakable(b) && names.IsUnmistakable(c) && (names.IsRandom(b) || names.IsRandom(c) || names.IsUnique(b) || names.IsUnique(c))
	}
	if unique && names.CanName(baseline.name()) && names.CanName(candidate.name()) && e.alike(b, c) {
		e.because("both look like names that a system makes; no pair ties the two")
		return Presumed(Identifier)
	}
	return ""
}

// otherwise says whether two texts are names that are made in different ways, and
// no words.
func otherwise(b, c string) bool {
	name := func(s string) bool { return names.IsUnmistakable(s) || names.IsDigits(s) }
	return name(b) && name(c) && names.OtherSchemes(names.Value{Text: b}, names.Value{Text: c})
}

// isKind says whether a word is that for what the session has names of.
func (e *Evidence) isKind(word string) bool {
	return word != "" && slices.ContainsFunc(e.Pairs.All(), func(p names.Pair) bool { return p.Kind == word })
}

// isSnowflake says whether a number holds a time and a counter, and is no choice
// out of a few.
func isSnowflake(s string) bool {
	return names.IsDigits(s) && len(s) >= 18 && len(s) <= 19 && s[0] != '0'
}

// alike pairs two values by their looks, one to one; those of one side it never
// does.
func (e *Evidence) alike(b, c string) bool {
	if e.OneSide {
		return false
	}
	e.shapes.Add(names.Pair{Baseline: names.Value{Text: b}, Candidate: names.Value{Text: c}, From: "this", Proof: names.Created})
	p, ok := e.shapes.Of(names.Place{Named: true}, b)
	return ok && p.Holds() && p.Candidate.Text == c
}

// weaker is the class of a whole whose parts have these classes: one that is
// not explained leaves the whole unexplained, a presumed one makes it presumed.
func weaker(a, b string) string {
	switch {
	case a == "" || b == "":
		return ""
	case IsPresumed(b) || a == same:
		return b
	}
	return a
}

// same is the class of parts that do not differ.
const same = "same"

// words compares two texts word by word. Every word that differs must have a
// class of its own.
func (e *Evidence) words(b, c string) string {
	bs, cs := split(b), split(c)
	if len(bs) != len(cs) || len(bs) < 2 {
		return ""
	}
	class := same
	at := 0
	for i := range bs {
		from := at
		at += len(bs[i])
		if bs[i] == cs[i] {
			continue
		}
		if names.IsDigits(bs[i]) && names.CountsIn(b, from, at) {
			e.because("it tells how many there are")
			return ""
		}
		if class = weaker(class, e.word(before(bs[:i]), bs[i], cs[i])); class == "" {
			return ""
		}
	}
	return class // not same: the texts differ
}

// before is what the word before a place calls it: order 17.
func before(words []string) names.Place {
	for i := len(words) - 1; i >= 0 && i >= len(words)-4; i-- {
		if w := strings.Trim(words[i], ` "'()[]{}<>,;!?=#:`); w != "" && !names.IsDigits(w) {
			place, _ := names.KindOf(strings.Trim(w, ".:"))
			place.Named = place.Kind != ""
			return place
		}
	}
	return names.Place{}
}

// longWord is from which length on, in bytes, two words that are the two names
// of one thing are no words by chance.
const longWord = 8

// longNumber is likewise for two numbers, which may be such words.
const longNumber = 4

func (e *Evidence) word(at names.Place, b, c string) string {
	// Of the words of a text only those that are unmistakable were translated.
	if class, certain := e.pairOf(at, b, c, names.IsUnmistakable(b)); certain {
		return class
	}
	if e.Pairs.Tie(b, c) {
		long := len(b) >= longWord && (len(c) >= longWord || !names.IsDigits(b))
		switch {
		case long || names.IsUnguessable(b) || names.IsUnguessable(c):
			e.because("both sides made the two for one thing")
			return Identifier
		case len(b) >= longNumber && len(c) >= longNumber && names.IsDigits(b) && names.IsDigits(c):
			e.because("both sides made the two for one thing, but they may be numbers of something else")
			return Presumed(Identifier)
		}
	}
	if names.SentAs(e.Sent, "", b) && names.IsSelfEvident(b) {
		e.because("the client had sent the baseline's value, so it must come back unchanged")
		return ""
	}
	if class, both := e.times(Value{Text: b}, Value{Text: c}); both {
		return class
	}
	switch {
	case (names.IsUnique(b) && names.IsUnique(c) || e.isKind(at.Kind) && otherwise(b, c)) && e.alike(b, c):
		e.because("both look like names that a system makes; no pair ties the two")
		return Presumed(Identifier)
	case names.AreRandom(b, c) && e.alike(b, c):
		e.because("both look like tokens out of a generator")
		return Presumed(Random)
	}
	return e.links(b, c)
}

// split cuts a text into words and what is between them.
func split(s string) []string {
	var out []string
	from := 0
	in := func(c byte) bool {
		return c > ' ' && strings.IndexByte(`"'()[]{}<>,;!?=`, c) < 0
	}
	for i := 1; i <= len(s); i++ {
		if i < len(s) && in(s[i]) == in(s[i-1]) {
			continue
		}
		word := s[from:i]
		if trimmed := strings.TrimRight(word, ".:"); trimmed != "" && trimmed != word {
			out = append(out, trimmed)
			word = word[len(trimmed):]
		}
		out = append(out, word)
		from = i
	}
	return out
}
