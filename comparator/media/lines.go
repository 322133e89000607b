package media

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"understudy.dev/comparator/diff"
	"understudy.dev/exchange/message"
)

// lines makes a list of the lines of a text, without the blanks that they end
// with. A tab is none: it may end a column.
func lines(s *source, text []byte) (Document, error) {
	w := newWriter(s.options.Limits)
	kept := bytes.TrimRight(text, " \r\n")
	breaks := isMarkdown(s.kind)
	e := endings{common: "\n"}
	w.open('[')
	for number, rest := 1, kept; len(rest) > 0 && w.err == nil; number++ {
		whole, after, more := bytes.Cut(rest, []byte("\n"))
		line := bytes.TrimRight(whole, " \r")
		if breaks && bytes.HasPrefix(whole[len(line):], []byte(hardBreak)) {
			line = whole[:len(line)+len(hardBreak)]
		}
		w.text(string(line))
		if more {
			e.add(number, string(whole[len(line):])+"\n")
		}
		rest = after
	}
	w.close(']')
	rule := TrailingBlanks
	if !isProse(s.kind) && !breaks {
		rule = "" // they may mean something, as in code, and bytes are bytes
	}
	d, err := w.document(Text)
	d.Aside = []Aside{{rule, e.text(string(text[len(kept):]))}}
	d.place = elements(counted("line"))
	return d, err
}

// isProse says whether nobody sees what lines end with in a text of a media type: it
// is for people, or not what the type says.
func isProse(kind string) bool {
	return kind == "" || kind == "text/plain" || message.IsJSON(kind) || message.IsXML(kind)
}

var isMarkdown = of("text/markdown", "text/x-markdown")

// hardBreak at the end of a line, or longer, breaks it (CommonMark 0.31.2, 6.7).
const hardBreak = "  "

// endings tells what lines end with: all of them, those that end otherwise,
// and the text.
type endings struct {
	common string
	others strings.Builder
}

// maxAside bounds the text of what is set aside, in bytes; of the rest is the
// hash.
const maxAside = 512

func (e *endings) add(number int, end string) {
	if number == 1 && end == "\r\n" {
		e.common = end
	}
	if end != e.common {
		fmt.Fprintf(&e.others, "line %d ends in %q, ", number, end)
	}
}

func (e *endings) text(end string) string {
	out := e.others.String() + fmt.Sprintf("the text ends in %q", end)
	if e.common != "\n" {
		out = fmt.Sprintf("lines end in %q, ", e.common) + out
	}
	return bounded(out, maxAside)
}

// comment is the text of what stands in comments.
func comment(text *strings.Builder) string {
	return bounded(strings.TrimSpace(strings.ToValidUTF8(text.String(), "\uFFFD")), maxAside)
}

// bounded cuts a text; what is cut leaves its hash.
func bounded(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return strings.ToValidUTF8(text[:limit], "") + "… sha256 " + hex.EncodeToString(sum[:])
}

// openLines opens JSON by the line (NDJSON, JSON Lines), or by the record (RFC
// 7464). Blank lines are passed over.
func openLines(s *source) (Document, error) {
	text, err := s.text(JSONLines)
	if err != nil {
		return Document{}, err
	}
	end, word := byte('\n'), "line"
	if strings.HasSuffix(s.kind, "json-seq") {
		end, word = 0x1e, "record"
	}
	w := newWriter(s.options.Limits)
	var at []int
	w.open('[')
	for number, offset := 1, 0; offset < len(text) && w.err == nil; number++ {
		line, _, _ := bytes.Cut(text[offset:], []byte{end})
		if trimmed := bytes.Trim(line, " \t\r\n"); len(trimmed) > 0 {
			if err := s.valid(trimmed, JSONLines, int64(offset)); err != nil {
				return Document{}, err
			}
			w.raw(trimmed)
			at = append(at, number)
		}
		offset += len(line) + 1
	}
	w.close(']')
	d, err := w.document(JSONLines)
	if word == "record" {
		at = nil // the first record begins with the separator
	}
	d.place = elements(numbered(word, at))
	return d, err
}

// valid reports what is wrong with JSON inside of a format.
func (s *source) valid(json []byte, format string, offset int64) error {
	err := diff.Valid(json)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, diff.ErrLimit):
		return beyond("levels of JSON", diff.MaxDepth)
	}
	return s.syntax(format, offset, err.Error()+" of the value")
}

// event is one event of a stream. A nil field was not there.
type event struct {
	fields map[string]string
	data   []string
}

// openEvents opens server-sent events as the HTML standard (9.2.6) reads them.
// Fields it does not know are comments to it.
func openEvents(s *source) (Document, error) {
	text, err := s.text(EventStream)
	if err != nil {
		return Document{}, err
	}
	if !utf8.Valid(text) {
		return Document{}, s.syntax(EventStream, invalid(text), "invalid UTF-8")
	}
	w := newWriter(s.options.Limits)
	var comments strings.Builder
	e := event{fields: map[string]string{}}
	w.open('[')
	for rest := text; len(rest) > 0 && w.err == nil; {
		var line []byte
		line, rest = eventLine(rest)
		if len(line) == 0 {
			w.event(e, false)
			clear(e.fields)
			e.data = e.data[:0]
			continue
		}
		name, value, _ := strings.Cut(string(line), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case name == "data":
			e.data = append(e.data, value)
		case name == "event", name == "id" && !strings.Contains(value, "\x00"), name == "retry" && isDigits(value):
			e.fields[name] = value
		default:
			comments.Write(line)
			comments.WriteByte('\n')
		}
	}
	w.event(e, true)
	w.close(']')
	d, err := w.document(EventStream)
	if comments.Len() > 0 {
		d.Aside = append(d.Aside, Aside{Comments, comment(&comments)})
	}
	number := counted("event")
	d.place = func(ss []step) string {
		if len(ss) == 0 || ss[0].index < 0 {
			return ""
		}
		place := number(ss[0].index)
		if ss = ss[1:]; len(ss) > 0 && ss[0].index < 0 {
			place += " " + ss[0].name
			ss = ss[1:]
		}
		return within(place, ss)
	}
	return d, err
}

// eventLine is the first line and what follows it; CRLF, LF and CR end lines.
func eventLine(text []byte) (line, rest []byte) {
	n := bytes.IndexAny(text, "\r\n")
	if n < 0 {
		return text, nil
	}
	if text[n] == '\r' && n+1 < len(text) && text[n+1] == '\n' {
		return text[:n], text[n+2:]
	}
	return text[:n], text[n+1:]
}

func (w *writer) event(e event, unfinished bool) {
	if len(e.fields) == 0 && len(e.data) == 0 {
		return
	}
	w.open('{')
	if kind := e.fields["event"]; kind != "" && kind != "message" { // the default
		w.member("event", kind)
	}
	for _, name := range []string{"id", "retry"} {
		if value, ok := e.fields[name]; ok {
			w.member(name, value)
		}
	}
	if len(e.data) > 0 {
		data := strings.Join(e.data, "\n")
		w.key("data")
		if looksLikeJSON([]byte(data)) {
			w.raw([]byte(data))
		} else {
			w.text(data)
		}
	}
	if unfinished { // a client does not get to see it
		w.key("unfinished")
		w.raw([]byte("true"))
	}
	w.close('}')
}

func isDigits(s string) bool {
	_, err := strconv.ParseUint(s, 10, 63)
	return err == nil && s[0] != '+'
}
