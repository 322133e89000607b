package blocks

import (
	"strings"
)

// Bounds of types, which come from the network.
const (
	MaxTypeBytes = 1 << 20 // an Enum16 may be long
	maxTypeDepth = 64
	// maxBlockColumns bounds the columns of a block, those within other types
	// counted.
	maxBlockColumns = 200_000
)

// splitType cuts "Name(a, b)" into its name and its arguments; a type without
// parentheses has none.
func splitType(text string) (name string, args []string, err error) {
	text = strings.TrimSpace(text)
	open := strings.IndexByte(text, '(')
	if open < 0 {
		return text, nil, nil
	}
	if !strings.HasSuffix(text, ")") {
		return "", nil, Malformed("type %.200q does not end with its parenthesis", text)
	}
	args, err = splitArguments(text[open+1 : len(text)-1])
	if err != nil {
		return "", nil, Malformed("type %.200q: %v", text, err)
	}
	return strings.TrimSpace(text[:open]), args, nil
}

// splitArguments cuts a list at its commas, leaving alone those within
// parentheses and quotes.
func splitArguments(text string) ([]string, error) {
	var args []string
	depth, start := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\'', '`', '"':
			end := QuotedEnd(text, i)
			if end < 0 {
				return nil, Malformed("a quote is not closed")
			}
			i = end - 1
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				return nil, Malformed("a parenthesis is not opened")
			}
		case ',':
			if depth == 0 {
				args = append(args, strings.TrimSpace(text[start:i]))
				start = i + 1
			}
		}
	}
	if depth != 0 {
		return nil, Malformed("a parenthesis is not closed")
	}
	if last := strings.TrimSpace(text[start:]); last != "" || len(args) > 0 {
		args = append(args, last)
	}
	return args, nil
}

// QuotedEnd returns the position behind the quoted text that begins at start,
// or -1. A backslash escapes, and so does a doubled quote.
func QuotedEnd(text string, start int) int {
	quote := text[start]
	for i := start + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case quote:
			if i+1 < len(text) && text[i+1] == quote {
				i++
				continue
			}
			return i + 1
		}
	}
	return -1
}

// elementType returns the type of a Tuple's or Nested's element, which may be
// preceded by a name: "Int8", "a Int8", "`a b` Int8".
func elementType(text string) string {
	text = strings.TrimSpace(text)
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '`', '"':
			end := QuotedEnd(text, i)
			if end < 0 {
				return text
			}
			i = end - 1
		case '(':
			return text
		case ' ', '\t', '\n':
			return strings.TrimSpace(text[i:])
		}
	}
	return text
}
