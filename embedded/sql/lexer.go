package sql

import (
	"iter"
	"regexp"
	"strconv"
	"strings"
)

// A Token of a statement. Spaces and comments are not tokens.
type Token struct {
	Kind       byte   // one of those below, or the character of punctuation
	Text       string // of a quoted one without its quotes
	Start, End int    // where it stands in the statement, quotes and all
}

// Kinds of tokens.
const (
	Word = 'w'  // keywords, names without quotes, numbers
	Name = '`'  // a name in quotes
	Text = '\'' // a text
)

// IsName reports whether the token may name a function, an engine, a setting.
func (t Token) IsName() bool { return t.Kind == Word || t.Kind == Name }

// Is reports whether the token is a keyword.
func (t Token) Is(words ...string) bool {
	for _, word := range words {
		if t.Kind == Word && strings.EqualFold(t.Text, word) {
			return true
		}
	}
	return false
}

// Tokens cuts a statement into tokens as ClickHouse's src/Parsers/Lexer.cpp
// does, with its oddities: what this lexer took for a comment or a text and the
// engine did not would get past the fence. TestLexerAgreesWithTheEngine.
func Tokens(sql string) iter.Seq[Token] {
	return func(yield func(Token) bool) {
		var t Token
		for i := 0; i < len(sql); {
			if end := skipBlank(sql, i); end > i {
				i = end
				continue
			}
			t = next(sql, i, t)
			if !yield(t) {
				return
			}
			i = t.End
		}
	}
}

// Formats are the names that FORMAT says for the output: behind the clause
// stands nothing but SETTINGS.
func Formats(sql string) []string {
	var names []string
	var clause, name Token
	for t := range Tokens(sql) {
		if clause.Is("FORMAT") && name.Kind == Word && (t.Kind == ';' || t.Is("SETTINGS")) {
			names = append(names, name.Text)
		}
		clause, name = name, t
	}
	if clause.Is("FORMAT") && name.Kind == Word {
		names = append(names, name.Text)
	}
	return names
}

// next is the token that begins at i; before is the one before it.
func next(sql string, i int, before Token) Token {
	rest := sql[i:]
	switch c := rest[0]; {
	case c == '\'':
		return quoted(sql, i, Text)
	case c == '"' || c == '`':
		return quoted(sql, i, Name)
	case strings.HasPrefix(rest, "‘"):
		return between(sql, i, Text, "‘", "’")
	case strings.HasPrefix(rest, "“"):
		return between(sql, i, Name, "“", "”")
	case digitsEnd(rest) > 0:
		end := i + digitsEnd(rest)
		return Token{Text, sql[i+2 : end-1], i, end}
	case c == '.' && !before.IsName() && before.Kind != ')' && before.Kind != ']' && fraction.MatchString(rest):
		// Of .5INTO the engine makes two tokens, of t.5INTO three.
		end := i + len(fraction.FindString(rest))
		return Token{Word, sql[i:end], i, end}
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
				return Token{c, "$", i, i + 1}
			}
		}
		return Token{Word, sql[i:end], i, end}
	default:
		return Token{c, sql[i : i+1], i, i + 1}
	}
}

// fraction is a number that begins with its point.
var fraction = regexp.MustCompile(`^\.[0-9]+(_[0-9]+)*([eE][+-]?[0-9]*(_[0-9]+)*)?`)

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isWord(c byte) bool {
	return isLetter(c) || c == '_' || c == '$' || isDigit(c)
}

// quoted reads what ends with the quote that it begins with.
func quoted(sql string, start int, kind byte) Token {
	quote, plain := sql[start], true
	for i := start + 1; i < len(sql); i++ {
		switch c := sql[i]; {
		case c == '\\', c == quote && i+1 < len(sql) && sql[i+1] == quote:
			i++
			plain = false
		case c == quote && plain:
			return Token{kind, sql[start+1 : i], start, i + 1}
		case c == quote:
			return Token{kind, Unquote(sql[start+1:i], quote), start, i + 1}
		}
	}
	return Token{kind, sql[start+1:], start, len(sql)}
}

// escapes are the letters that stand for a control character behind a
// backslash (ClickHouse's src/IO/ReadHelpers.h).
var escapes = map[byte]byte{
	'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', '0': 0, 'a': '\a', 'v': '\v', 'e': 0x1b,
}

// Unquote reads what stands between two quotes: it takes out escapes and doubled
// quotes, so that `\x66ile` is file. Other escaped letters stand for themselves.
func Unquote(text string, quote byte) string {
	if strings.IndexByte(text, '\\') < 0 && strings.IndexByte(text, quote) < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == quote && i+1 < len(text):
			i++
			c = text[i]
		case c == '\\' && i+1 < len(text):
			i++
			code, err := strconv.ParseUint(text[i+1:min(i+3, len(text))], 16, 8)
			plain, control := escapes[text[i]]
			switch {
			case text[i] == 'x' && err == nil:
				c = byte(code)
				i += 2
			case control:
				c = plain
			default:
				c = text[i]
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// digitsEnd is where a text in binary or hexadecimal digits, b'01' or x'AB',
// ends; 0 when there is none. It does not handle doubled quotes.
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
func between(sql string, start int, kind byte, open, shut string) Token {
	body := start + len(open)
	if n := strings.Index(sql[body:], shut); n >= 0 {
		return Token{kind, sql[body : body+n], start, body + n + len(shut)}
	}
	return Token{kind, sql[body:], start, len(sql)}
}

// heredoc reads $tag$ … $tag$.
func heredoc(sql string, start int) (Token, bool) {
	size := strings.IndexByte(sql[start+1:], '$')
	if size < 0 {
		return Token{}, false
	}
	tag := sql[start : start+size+2]
	for i := 1; i < len(tag)-1; i++ {
		if !isWord(tag[i]) {
			return Token{}, false
		}
	}
	body := start + len(tag)
	n := strings.Index(sql[body:], tag)
	if n < 0 {
		return Token{}, false
	}
	return Token{Text, sql[body : body+n], start, body + n + len(tag)}, true
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
