package redact

import (
	"slices"
	"strings"
)

// events redacts a text line by line, where each may be a document behind a name
// and a colon (server-sent events), or several of one name together.
func (w *work) events(text string) string {
	var b strings.Builder
	lines := slices.Collect(strings.SplitAfterSeq(text, "\n"))
	for i := 0; i < len(lines); {
		n := 1
		for name, _, ok := strings.Cut(lines[i], ":"); ok && i+n < len(lines) && strings.HasPrefix(lines[i+n], name+":"); {
			n++
		}
		if out, ok := w.joined(lines[i : i+n]); ok {
			b.WriteString(out)
		} else {
			for _, line := range lines[i : i+n] {
				b.WriteString(w.event(line))
			}
		}
		i += n
	}
	if b.String() == text {
		return text
	}
	return b.String()
}

// event redacts one line.
func (w *work) event(line string) string {
	lead, body, end, ok := eventParts(line)
	if inner, is := w.document(body); ok && is {
		return lead + inner + end
	}
	return w.plain(line)
}

// joined redacts lines that are one document together.
func (w *work) joined(lines []string) (out string, ok bool) {
	if len(lines) < 2 {
		return "", false
	}
	bodies := make([]string, len(lines))
	for i, line := range lines {
		_, bodies[i], _, _ = eventParts(line)
	}
	inner, ok := w.document(strings.Join(bodies, "\n"))
	changed := strings.Split(inner, "\n") // no value of JSON has a line's end within it
	if !ok || len(changed) != len(lines) {
		return "", false
	}
	var b strings.Builder
	for i, line := range lines {
		lead, _, end, _ := eventParts(line)
		b.WriteString(lead + changed[i] + end)
	}
	return b.String(), true
}

// eventParts are the field of a line with its colon and blanks, what stands there,
// and the line's end.
func eventParts(line string) (lead, body, end string, ok bool) {
	field, rest, ok := strings.Cut(line, ":")
	if !ok {
		return line, "", "", false
	}
	body = strings.TrimLeft(rest, " ")
	lead = line[:len(field)+1+len(rest)-len(body)]
	trimmed := strings.TrimRight(body, "\r\n")
	return lead, trimmed, body[len(trimmed):], true
}
