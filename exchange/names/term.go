package names

import "understudy.dev/exchange/memo"

// term is what the name of a member, a parameter or a header field says.
type term struct {
	// place and own are those of KindOf.
	place Place
	own   bool
	// stemless: it is nothing but the name of an identifier.
	stemless bool
	// word is the name with _ between its words, kind that in the singular.
	word, kind string
	// keyed is what the names of the members of a map called so name.
	keyed string
	// What it does where it encloses an identifier.
	wraps, wrapsAnswer, lists, related, ofOwnKind bool
	// choice: it is called like one out of a few; operator: it compares what it
	// stands in.
	choice, operator bool
}

// Names of members repeat from document to document.
var terms = memo.New(newTerm)

// termOf takes a name apart.
func termOf(name string) *term { return terms.Of(name) }

func newTerm(name string) *term {
	t := &term{word: words(name)}
	t.kind = singular(t.word)
	t.place, t.own = kindOf(name)
	stem, named := stemOf(innermost(name))
	t.stemless = named && stem == ""
	t.keyed = keyed(t.word)
	t.wraps = t.kind == "" || identifiers[t.kind] || wrappers[t.word] || wrappers[t.kind]
	t.wrapsAnswer = answerWrappers[t.word] || answerWrappers[t.kind]
	t.lists, t.related, t.ofOwnKind = lists[t.word], relations[t.kind], ownRelations[t.kind]
	t.choice, t.operator = choices[t.kind], operators[t.word]
	return t
}
