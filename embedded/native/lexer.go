package native

import (
	"strings"

	"understudy.dev/embedded/sql"
)

// A token is a word, a number, a quoted text or one character of punctuation
// in a statement. Spaces and comments are not tokens.
type token struct {
	start, end int
	depth      int // of parentheses around it
	kind       byte
}

// Kinds of tokens; punctuation has itself as its kind.
const (
	tokenWord   = sql.Word
	tokenString = sql.Text
	tokenIdent  = sql.Name
)

// lex cuts a statement into at most limit tokens.
func lex(text string, limit int) []token {
	var tokens []token
	depth := 0
	for t := range sql.Tokens(text) {
		tok := token{start: t.Start, end: t.End, depth: depth, kind: t.Kind}
		switch t.Kind {
		case '(':
			depth++
		case ')':
			depth = max(depth-1, 0)
			tok.depth = depth
		}
		if tokens = append(tokens, tok); len(tokens) == limit {
			break
		}
	}
	return tokens
}

// A cursor walks over the tokens of a statement.
type cursor struct {
	text   string
	tokens []token
	at     int
}

func (c *cursor) more() bool { return c.at < len(c.tokens) }

// raw is the text of the present token, or "".
func (c *cursor) raw() string {
	if !c.more() {
		return ""
	}
	return c.text[c.tokens[c.at].start:c.tokens[c.at].end]
}

func (c *cursor) kind() byte {
	if !c.more() {
		return 0
	}
	return c.tokens[c.at].kind
}

// start is where the present token begins: the text's end behind the last.
func (c *cursor) start() int {
	if !c.more() {
		return len(c.text)
	}
	return c.tokens[c.at].start
}

// is says whether the present token is the given word in any case.
func (c *cursor) is(words ...string) bool {
	for _, word := range words {
		if c.kind() == tokenWord && strings.EqualFold(c.raw(), word) {
			return true
		}
	}
	return false
}

// accept steps over the token if it is the given word.
func (c *cursor) accept(word string) bool {
	if c.is(word) {
		c.at++
		return true
	}
	return false
}

// acceptMark steps over the token if it is the given punctuation.
func (c *cursor) acceptMark(mark byte) bool {
	if c.kind() == mark {
		c.at++
		return true
	}
	return false
}

// group steps over "( … )" and returns the tokens between.
func (c *cursor) group() ([]token, bool) {
	if c.kind() != '(' {
		return nil, false
	}
	depth := c.tokens[c.at].depth
	for i := c.at + 1; i < len(c.tokens); i++ {
		if c.tokens[i].kind == ')' && c.tokens[i].depth == depth {
			inner := c.tokens[c.at+1 : i]
			c.at = i + 1
			return inner, true
		}
	}
	return nil, false
}

// name reads an identifier or a quoted text without its quotes.
func (c *cursor) name() (string, bool) {
	raw := c.raw()
	switch c.kind() {
	case tokenWord:
	case tokenIdent, tokenString:
		quote := raw[:1]
		if len(raw) < 2 || strings.IndexByte("'`\"", raw[0]) < 0 {
			return "", false // a heredoc, typographic quotes, b'01'
		}
		raw = strings.ReplaceAll(raw[1:len(raw)-1], quote+quote, quote)
		raw = unescape(raw)
	default:
		return "", false
	}
	c.at++
	return raw, true
}
