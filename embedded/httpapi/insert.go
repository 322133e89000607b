package httpapi

import "strings"

// insert says where an INSERT's statement ends and its rows begin.
type insert struct {
	head, end int // text[:head] is the statement, text[end:] the rows
	format    string
}

// splitInsert looks for the FORMAT or VALUES of an INSERT outside of quotes,
// comments and parentheses. An INSERT … SELECT has none.
func splitInsert(text string) (insert, bool) {
	words, depth := 0, 0
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\'' || c == '"' || c == '`':
			end := skipQuoted(text, i)
			if end < 0 {
				return insert{}, false
			}
			i = end
		case strings.HasPrefix(text[i:], "--") || c == '#':
			n := strings.IndexByte(text[i:], '\n')
			if n < 0 {
				return insert{}, false
			}
			i += n
		case strings.HasPrefix(text[i:], "/*"):
			n := strings.Index(text[i+2:], "*/")
			if n < 0 {
				return insert{}, false
			}
			i += n + 4
		case c == '(' || c == ')':
			depth += map[byte]int{'(': 1, ')': -1}[c]
			i++
		case isWord(c):
			end := i
			for end < len(text) && isWord(text[end]) {
				end++
			}
			word := strings.ToUpper(text[i:end])
			switch words++; {
			case words == 1 && word != "INSERT":
				return insert{}, false
			case depth == 0 && (word == "SELECT" || word == "WITH" || word == "INFILE"):
				return insert{}, false
			case depth == 0 && word == "VALUES" && words > 2:
				return insert{i, end, "Values"}, true
			case depth == 0 && word == "FORMAT" && words > 2:
				return formatAt(text, i, end)
			}
			i = end
		default:
			i++
		}
	}
	return insert{}, false
}

// formatAt reads the name after FORMAT; the rows begin after the white space
// that follows it, of which one line end belongs to the statement.
func formatAt(text string, at, end int) (insert, bool) {
	start := end
	for start < len(text) && isSpace(text[start]) {
		start++
	}
	stop := start
	for stop < len(text) && isWord(text[stop]) {
		stop++
	}
	if stop == start {
		return insert{}, false
	}
	name := text[start:stop]
	for stop < len(text) && (text[stop] == ' ' || text[stop] == '\t' || text[stop] == '\r') {
		stop++
	}
	if stop < len(text) && text[stop] == ';' {
		stop++
	}
	if stop < len(text) && text[stop] == '\n' {
		stop++
	}
	return insert{at, stop, name}, true
}

func skipQuoted(text string, at int) int {
	quote := text[at]
	for i := at + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case quote:
			return i + 1
		}
	}
	return -1
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
