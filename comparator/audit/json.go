package audit

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"understudy.dev/comparator/diff"
)

// scalarKind is a kind of fault that puts another value in the place of a
// scalar; f gives its JSON, "" where the kind does not fit.
func scalarKind(name string, f func(s *subject, n *node) string) kind {
	return kind{name, Values, func(s *subject, most int) []plant {
		return s.choose(most, func(n *node) ([]splice, string) {
			if !n.scalar() {
				return nil, ""
			}
			text := f(s, n)
			if text == "" {
				return nil, ""
			}
			return []splice{n.with(text)}, n.path
		})
	}}
}

// knownKind is one where it is known what the value ought to be.
func knownKind(name string, f func(s *subject, n *node) string) kind {
	return scalarKind(name, func(s *subject, n *node) string {
		if !s.known(n) {
			return ""
		}
		return f(s, n)
	})
}

// nameKind is one in what a thing is called. Where the same name stands twice,
// the judge may report the other place: which of them is right nobody knows.
func nameKind(name string, f func(s *subject, n *node) string) kind {
	k := scalarKind(name, f)
	find := k.find
	k.find = func(s *subject, most int) []plant {
		out := find(s, most)
		for i := range out {
			out[i].anywhere = true
		}
		return out
	}
	return k
}

// structureKind is a kind of fault in what there is.
func structureKind(name string, f func(s *subject, n *node) ([]splice, string)) kind {
	return kind{name, Structures, func(s *subject, most int) []plant {
		return s.choose(most, func(n *node) ([]splice, string) { return f(s, n) })
	}}
}

var jsonKinds = []kind{
	knownKind("number one more", func(_ *subject, n *node) string { return shifted(n, "1") }),
	knownKind("number 1 % more", func(_ *subject, n *node) string { return shifted(n, "1%") }),
	knownKind("number with a digit less", func(_ *subject, n *node) string { return rounded(n) }),
	knownKind("letter or digit of a text", func(s *subject, n *node) string {
		if n.kind != '"' || isTime(n) {
			return ""
		}
		return quoteChanged(n, anotherLetter(s.random, n.text))
	}),
	knownKind("case of a letter", func(s *subject, n *node) string {
		if n.kind != '"' || isTime(n) {
			return ""
		}
		return quoteChanged(n, anotherCase(s.random, n.text))
	}),
	scalarKind("text cut short", func(s *subject, n *node) string {
		runes := []rune(n.text)
		if n.kind != '"' || len(runes) < 4 || s.clean(n.path) && !s.known(n) {
			return ""
		}
		return quoteChanged(n, strings.TrimRight(string(runes[:len(runes)/2]), " "))
	}),
	knownKind("flag flipped", func(_ *subject, n *node) string {
		return map[jsontext.Kind]string{'t': "false", 'f': "true"}[n.kind]
	}),
	scalarKind("null instead of a value", func(_ *subject, n *node) string {
		if n.kind == 'n' {
			return ""
		}
		return "null"
	}),
	scalarKind("another type", func(s *subject, n *node) string {
		switch n.kind {
		case '0':
			if isName(n) && !s.known(n) {
				return "" // each side may write its names in its own way
			}
			return quote(n.text)
		case 't', 'f':
			return quote(n.text)
		case '"':
			return "[" + quote(n.text) + "]"
		}
		return "0" // of null
	}),
	nameKind("name of another thing", anotherThing),
	nameKind("name of the baseline", recordedName),
	scalarKind("link to another thing", func(s *subject, n *node) string {
		if n.kind != '"' {
			return ""
		}
		return quoteChanged(n, s.anotherLink(n.text))
	}),
	scalarKind("claim of a token", claim),
	scalarKind("value in a document in a text", inside),
	structureKind("member missing", func(s *subject, n *node) ([]splice, string) {
		if n.parent == nil || n.parent.kind != '{' || s.extra[n.path] {
			return nil, ""
		}
		return []splice{n.parent.without(slices.Index(n.parent.children, n))}, n.path
	}),
	structureKind("member more", func(_ *subject, n *node) ([]splice, string) {
		if n.kind != '{' {
			return nil, ""
		}
		return []splice{n.and(`"planted":"by the audit"`)}, diff.Member(n.path, "planted")
	}),
	listKind("element missing", 1, func(s *subject, n *node) []splice {
		return []splice{n.without(s.random.IntN(len(n.children)))}
	}),
	listKind("element more", 0, func(_ *subject, n *node) []splice {
		like := map[jsontext.Kind]string{'"': `"planted"`, '0': "-1", 't': "false", 'f': "true"}
		if len(n.children) > 0 && like[n.children[0].kind] != "" {
			return []splice{n.and(like[n.children[0].kind])}
		}
		return []splice{n.and(`{"planted":"by the audit"}`)}
	}),
	listKind("element twice", 1, func(s *subject, n *node) []splice {
		c := n.children[s.random.IntN(len(n.children))]
		return []splice{n.and(string(s.body[c.from:c.to]))}
	}),
	listKind("two elements swapped", 2, func(s *subject, n *node) []splice {
		i := s.random.IntN(len(n.children) - 1)
		a, b := n.children[i], n.children[i+1]
		return []splice{a.with(string(s.body[b.from:b.to])), b.with(string(s.body[a.from:a.to]))}
	}),
	listKind("list empty", 1, func(_ *subject, n *node) []splice { return []splice{n.with("[]")} }),
}

// listKind is a structureKind in a list of at least some elements.
func listKind(name string, least int, f func(s *subject, n *node) []splice) kind {
	return structureKind(name, func(s *subject, n *node) ([]splice, string) {
		if n.kind != '[' || len(n.children) < least {
			return nil, ""
		}
		return f(s, n), n.path + "[]"
	})
}

func quoteChanged(n *node, text string) string {
	if text == n.text || text == "" {
		return ""
	}
	return quote(text)
}
