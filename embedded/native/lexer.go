package native

import (
	"strings"

	"understudy.dev/embedded/blocks"
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
	tokenWord   = 'w'
	tokenString = '\''
	tokenIdent  = '`' // an identifier in backticks or double quotes
)

// lex cuts a statement into at most limit tokens, after ClickHouse's
// src/Parsers/Lexer.cpp as far as the boundaries of tokens go.
func lex(text string, limit int) []token {
	var tokens []token
	depth := 0
	for i := 0; i < len(text) && len(tokens) < limit; {
		if next := skipBlank(text, i); next > i {
			i = next
			continue
		}
		tok := token{start: i, depth: depth}
		switch c := text[i]; {
		case c == '\'' || c == '`' || c == '"':
			tok.kind, tok.end = tokenIdent, blocks.QuotedEnd(text, i)
			if c == '\'' {
				tok.kind = tokenString
			}
			if tok.end < 0 {
				tok.end = len(text)
			}
		case c == '$' && heredocEnd(text, i) > 0:
			tok.kind, tok.end = tokenString, heredocEnd(text, i)
		case isWord(c):
			tok.kind, tok.end = tokenWord, i+1
			for tok.end < len(text) && isWord(text[tok.end]) {
				tok.end++
			}
		default:
			tok.kind, tok.end = c, i+1
			switch c {
			case '(':
				depth++
			case ')':
				depth = max(depth-1, 0)
				tok.depth = depth
			}
		}
		tokens = append(tokens, tok)
		i = tok.end
	}
	return tokens
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// skipBlank returns the position behind the space or comment at i, or i.
func skipBlank(text string, i int) int {
	rest := text[i:]
	switch {
	case strings.IndexByte(" \t\n\r\f\v\x00", rest[0]) >= 0:
		return i + 1
	case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "# "), strings.HasPrefix(rest, "#!"):
		if end := strings.IndexByte(rest, '\n'); end >= 0 {
			return i + end + 1
		}
		return len(text)
	case strings.HasPrefix(rest, "/*"):
		if end := strings.Index(rest[2:], "*/"); end >= 0 {
			return i + 2 + end + 2
		}
		return len(text)
	}
	return i
}

// heredocEnd returns the position behind $tag$…$tag$, or -1.
func heredocEnd(text string, start int) int {
	size := strings.IndexByte(text[start+1:], '$')
	if size < 0 {
		return -1
	}
	tag := text[start : start+size+2]
	for i := 1; i < len(tag)-1; i++ {
		if !isWord(tag[i]) {
			return -1
		}
	}
	end := strings.Index(text[start+len(tag):], tag)
	if end < 0 {
		return -1
	}
	return start + len(tag) + end + len(tag)
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
		if len(raw) < 2 || raw[0] == '$' {
			return "", false
		}
		raw = strings.ReplaceAll(raw[1:len(raw)-1], quote+quote, quote)
		raw = unescape(raw)
	default:
		return "", false
	}
	c.at++
	return raw, true
}
