package redact

import "strings"

// isTable says whether a media type is one of lines of values, whose names stand
// in the first.
func isTable(media string) bool {
	return media == "text/csv" || media == "application/csv" || media == "text/tab-separated-values"
}

// maxColumns bounds those that are looked at.
const maxColumns = 1000

// table redacts the columns whose names are those of secrets, and what is a
// secret by its shape or by a name beside it anywhere.
func (w *work) table(text, media string) string {
	by := byte(',')
	if media == "text/tab-separated-values" {
		by = '\t'
	} else if line := text[:lineEnd(text)]; strings.Count(line, ";") > strings.Count(line, ",") {
		by = ';'
	}
	var columns []*name
	any := false
	for at, column := 0, 0; at < len(text) && column < maxColumns; column++ {
		from, to, next := cell(text, at, by)
		n := w.r.nameOf(text[from:to])
		columns = append(columns, n)
		any = any || n.secret || n.hint != 0 || len(n.rules) > 0
		at = next
		if at > 0 && text[at-1] == '\n' {
			break
		}
	}
	if !any {
		return w.plain(text)
	}
	var b strings.Builder
	done := 0
	for at, column := 0, 0; at < len(text); column++ {
		from, to, next := cell(text, at, by)
		n := nameless
		if column < len(columns) && at > 0 {
			n = columns[column]
		}
		if res := w.value(inText, n, text[from:to]); res.changed {
			b.WriteString(text[done:from])
			b.WriteString(res.text)
			done = to
		}
		if at = next; text[at-1] == '\n' {
			column = -1
		}
	}
	return w.plain(b.String() + text[done:])
}

// cell is where the value of a cell stands that begins at a place, without its
// quotes, and where the next begins.
func cell(text string, at int, by byte) (from, to, next int) {
	if text[at] == '"' {
		for i := at + 1; i < len(text); i++ {
			if text[i] != '"' {
				continue
			}
			if i+1 < len(text) && text[i+1] == '"' {
				i++
				continue
			}
			next = i + 1
			for next < len(text) && text[next] != by && text[next] != '\n' {
				next++
			}
			return at + 1, i, min(next+1, len(text))
		}
	}
	to = at
	for to < len(text) && text[to] != by && text[to] != '\n' {
		to++
	}
	next = min(to+1, len(text))
	if to > at && text[to-1] == '\r' {
		to--
	}
	return at, to, next
}
