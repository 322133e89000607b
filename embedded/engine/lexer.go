package engine

import (
	"iter"
	"regexp"
	"strconv"
	"strings"
)

// A token of a statement. Spaces and comments are none.
type token struct {
	kind       byte   // one of those below, or the character of punctuation
	text       string // of a quoted one without its quotes
	start, end int
}

const (
	tokenWord   = 'w'  // keywords, names without quotes, numbers
	tokenName   = '`'  // a name in quotes
	tokenString = '\'' // a text
)

// isName tells whether the token may name a function, an engine, a setting.
func (t token) isName() bool { return t.kind == tokenWord || t.kind == tokenName }

// is tells whether the token is a keyword.
func (t token) is(words ...string) bool {
	for _, word := range words {
		if t.kind == tokenWord && strings.EqualFold(t.text, word) {
			return true
		}
	}
	return false
}

// tokens cuts a statement into tokens as ClickHouse's src/Parsers/Lexer.cpp
// does, with its oddities: what this lexer took for a comment or a text and the
// engine did not would get past the fence. TestLexerAgreesWithTheEngine.
func tokens(sql string) iter.Seq[token] {
	return func(yield func(token) bool) {
		var t token
		for i := 0; i < len(sql); {
			if end := skipBlank(sql, i); end > i {
				i = end
				continue
			}
			t = next(sql, i, t)
			if !yield(t) {
				return
			}
			i = t.end
		}
	}
}

// next is the token that begins at i; before is the one before it.
func next(sql string, i int, before token) token {
	rest := sql[i:]
	switch c := rest[0]; {
	case c == '\'':
		return quoted(sql, i, tokenString)
	case c == '"' || c == '`':
		return quoted(sql, i, tokenName)
	case strings.HasPrefix(rest, "‘"):
		return between(sql, i, tokenString, "‘", "’")
	case strings.HasPrefix(rest, "“"):
		return between(sql, i, tokenName, "“", "”")
	case digitsEnd(rest) > 0:
		end := i + digitsEnd(rest)
		return token{tokenString, sql[i+2 : end-1], i, end}
	case c == '.' && !before.isName() && before.kind != ')' && before.kind != ']' && fraction.MatchString(rest):
		// Of .5INTO the engine makes two tokens, of t.5INTO three.
		end := i + len(fraction.FindString(rest))
		return token{tokenWord, sql[i:end], i, end}
	case isWord(c):
		end := i + 1
		for end < len(sql) && isWord(sql[end]) && (sql[end] != '$' || !isDigit(c)) {
			end++
		}
		if c == '$' {
			if t, ok := heredoc(sql, i); ok {
				return t
			}
			if end == i+1 || sql[i+1] == '$' {
				return token{c, "$", i, i + 1}
			}
		}
		return token{tokenWord, sql[i:end], i, end}
	default:
		return token{c, sql[i : i+1], i, i + 1}
	}
}

// fraction is a number that begins with its point.
var fraction = regexp.MustCompile(`^\.[0-9]+(_[0-9]+)*([eE][+-]?[0-9]*(_[0-9]+)*)?`)

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return isLetter(c) || c == '_' || c == '$' || isDigit(c)
}

// quoted reads what ends with the quote that it begins with.
func quoted(sql string, start int, kind byte) token {
	quote, plain := sql[start], true
	for i := start + 1; i < len(sql); i++ {
		switch c := sql[i]; {
		case c == '\\', c == quote && i+1 < len(sql) && sql[i+1] == quote:
			i++
			plain = false
		case c == quote && plain:
			return token{kind, sql[start+1 : i], start, i + 1}
		case c == quote:
			return token{kind, unquote(sql[start+1:i], quote), start, i + 1}
		}
	}
	return token{kind, sql[start+1:], start, len(sql)}
}

// unquote takes out escapes and doubled quotes: `\x66ile` is file. Other
// escaped letters stand for themselves, where in the engine some are control
// characters: no name that matters has any.
func unquote(text string, quote byte) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if c := text[i]; (c == '\\' || c == quote) && i+1 < len(text) {
			i++
			if code, err := strconv.ParseUint(text[i+1:min(i+3, len(text))], 16, 8); c == '\\' && text[i] == 'x' && err == nil {
				b.WriteByte(byte(code))
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// digitsEnd is where a text in binary or hexadecimal digits, b'01' or x'AB',
// ends; 0 when there is none. It knows no doubled quotes.
func digitsEnd(rest string) int {
	digits := map[byte]string{'b': "01", 'B': "01", 'x': "0123456789abcdefABCDEF", 'X': "0123456789abcdefABCDEF"}[rest[0]]
	if digits == "" || len(rest) < 3 || rest[1] != '\'' {
		return 0
	}
	n := len(rest) - 2 - len(strings.TrimLeft(rest[2:], digits))
	if n+2 < len(rest) && rest[n+2] == '\'' {
		return n + 3
	}
	return 0
}

// between reads what stands in typographic quotes, which have no escapes.
func between(sql string, start int, kind byte, open, shut string) token {
	body := start + len(open)
	if n := strings.Index(sql[body:], shut); n >= 0 {
		return token{kind, sql[body : body+n], start, body + n + len(shut)}
	}
	return token{kind, sql[body:], start, len(sql)}
}

// heredoc reads $tag$ … $tag$.
func heredoc(sql string, start int) (token, bool) {
	size := strings.IndexByte(sql[start+1:], '$')
	if size < 0 {
		return token{}, false
	}
	tag := sql[start : start+size+2]
	for i := 1; i < len(tag)-1; i++ {
		if !isWord(tag[i]) {
			return token{}, false
		}
	}
	body := start + len(tag)
	n := strings.Index(sql[body:], tag)
	if n < 0 {
		return token{}, false
	}
	return token{tokenString, sql[body : body+n], start, body + n + len(tag)}, true
}

// skipBlank returns the position behind the space or comment at i, or i.
func skipBlank(sql string, i int) int {
	rest := sql[i:]
	switch {
	case strings.IndexByte(" \t\n\r\f\v\x00", rest[0]) >= 0:
		return i + 1
	case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "//"), strings.HasPrefix(rest, "# "), strings.HasPrefix(rest, "#!"):
		if end := strings.IndexByte(rest, '\n'); end >= 0 {
			return i + end + 1
		}
		return len(sql)
	case strings.HasPrefix(rest, "/*"):
		if end := strings.Index(rest[2:], "*/"); end >= 0 {
			return i + 2 + end + 2
		}
		return len(sql)
	}
	return i
}
