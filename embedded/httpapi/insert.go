package httpapi

import "understudy.dev/embedded/sql"

// insert says where an INSERT's statement ends and its rows begin.
type insert struct {
	head, end int // text[:head] is the statement, text[end:] the rows
	format    string
}

// splitInsert looks for the FORMAT or VALUES of an INSERT outside of quotes,
// comments and parentheses. An INSERT … SELECT has none.
func splitInsert(text string) (insert, bool) {
	words, depth := 0, 0
	for t := range sql.Tokens(text) {
		switch t.Kind {
		case '(':
			depth++
		case ')':
			depth--
		case sql.Word:
			words++
		}
		switch {
		case words == 1 && !t.Is("INSERT"):
			return insert{}, false
		case depth != 0 || t.Kind != sql.Word:
		case t.Is("SELECT", "WITH", "INFILE"):
			return insert{}, false
		case t.Is("VALUES") && words > 2:
			return insert{t.Start, t.End, "Values"}, true
		case t.Is("FORMAT") && words > 2:
			return formatAt(text, t.Start, t.End)
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

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
