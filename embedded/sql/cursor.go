package sql

import "strings"

// A Nested token knows how deep it stands.
type Nested struct {
	Token
	Depth int // of parentheses around it
}

// A Cursor walks over the tokens of a statement.
type Cursor struct {
	Statement string
	Tokens    []Nested
	At        int // the present token, len(Tokens) behind the last
}

// NewCursor cuts a statement into at most limit tokens and stands before the
// first.
func NewCursor(statement string, limit int) *Cursor {
	c := &Cursor{Statement: statement}
	depth := 0
	for t := range Tokens(statement) {
		nested := Nested{t, depth}
		switch t.Kind {
		case '(':
			depth++
		case ')':
			depth = max(depth-1, 0)
			nested.Depth = depth
		}
		if c.Tokens = append(c.Tokens, nested); len(c.Tokens) == limit {
			break
		}
	}
	return c
}

// Over walks over some of the tokens of the same statement.
func (c *Cursor) Over(tokens []Nested) *Cursor {
	return &Cursor{Statement: c.Statement, Tokens: tokens}
}

// More reports whether there is a present token.
func (c *Cursor) More() bool { return c.At < len(c.Tokens) }

// Token is the present token; behind the last it is zero, but stands at the
// statement's end.
func (c *Cursor) Token() Token {
	if !c.More() {
		return Token{Start: len(c.Statement), End: len(c.Statement)}
	}
	return c.Tokens[c.At].Token
}

// Accept steps over the present token if it is the given keyword.
func (c *Cursor) Accept(word string) bool {
	if c.Token().Is(word) {
		c.At++
		return true
	}
	return false
}

// AcceptMark steps over the present token if it is the given punctuation.
func (c *Cursor) AcceptMark(mark byte) bool {
	if c.Token().Kind == mark {
		c.At++
		return true
	}
	return false
}

// Group steps over "( … )" and returns the tokens between.
func (c *Cursor) Group() ([]Nested, bool) {
	if c.Token().Kind != '(' {
		return nil, false
	}
	depth := c.Tokens[c.At].Depth
	for i := c.At + 1; i < len(c.Tokens); i++ {
		if c.Tokens[i].Kind == ')' && c.Tokens[i].Depth == depth {
			inner := c.Tokens[c.At+1 : i]
			c.At = i + 1
			return inner, true
		}
	}
	return nil, false
}

// Name steps over an identifier or a quoted text and returns it without its
// quotes. It takes no heredoc, typographic quotes or b'01'.
func (c *Cursor) Name() (string, bool) {
	t := c.Token()
	switch t.Kind {
	case Word:
	case Name, Text:
		if t.End-t.Start < 2 || strings.IndexByte("'`\"", c.Statement[t.Start]) < 0 {
			return "", false
		}
	default:
		return "", false
	}
	c.At++
	return t.Text, true
}
