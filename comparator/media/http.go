package media

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
)

// HTTP is a message of HTTP as a body, as the parts of a batch are.
const HTTP = "http"

// openHTTP opens application/http (RFC 9112, section 10.2) that is one message: its
// start line, its fields, but for the length, and its body by its own type.
func openHTTP(s *source) (Document, error) {
	if s.depth+1 > min(s.options.Depth, 8) {
		return Document{}, beyond("messages in each other", min(s.options.Depth, 8))
	}
	if *s.parts++; *s.parts > s.options.Parts {
		return Document{}, beyond("parts", s.options.Parts)
	}
	head := bufio.NewReader(bytes.NewReader(s.body))
	r := textproto.NewReader(head)
	line, err := r.ReadLine()
	if err != nil || !strings.Contains(line, "HTTP/") {
		return Document{}, s.syntax(HTTP, 0, "no start line")
	}
	fields, err := r.ReadMIMEHeader()
	if err != nil && !errors.Is(err, io.EOF) {
		return Document{}, s.syntax(HTTP, -1, "no header fields")
	}
	rest, err := io.ReadAll(head)
	if err != nil {
		return Document{}, s.syntax(HTTP, -1, err.Error())
	}
	if n, err := strconv.Atoi(fields.Get("Content-Length")); err == nil && n >= 0 && n < len(rest) {
		rest = rest[:n] // what follows parts it from the next
	}
	rest = bytes.TrimRight(rest, "\r\n")
	w := newWriter(s.options.Limits)
	w.open('{')
	if status, ok := strings.CutPrefix(line, "HTTP/"); ok {
		_, status, _ = strings.Cut(status, " ")
		code, _, _ := strings.Cut(status, " ")
		w.member("status", code)
	} else {
		method, target, _ := strings.Cut(line, " ")
		w.member("method", method)
		target, _, _ = strings.Cut(target, " HTTP/")
		w.member("target", target)
	}
	w.key("fields")
	w.open('{')
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name != "Content-Length" {
			w.member(strings.ToLower(name), strings.Join(fields[name], ", "))
		}
	}
	w.close('}')
	w.key("body")
	var inside Document
	if len(rest) == 0 {
		w.text("")
	} else {
		inner := newSource(fields.Get("Content-Type"), rest, s.options)
		inner.depth, inner.parts, inner.inside = s.depth+1, s.parts, s.inside
		inside, err = s.inside(inner)
		if err == nil && inside.Format == JSON {
			err = inner.valid(inside.JSON, JSON, 0)
		}
		if syntax := (*SyntaxError)(nil); errors.As(err, &syntax) {
			inside, err = inner.plain()
		}
		if err != nil {
			return Document{}, err
		}
		w.raw(inside.JSON)
	}
	w.close('}')
	d, err := w.document(HTTP)
	d.Aside = inside.Aside
	d.place = func(ss []step) string {
		if len(ss) == 0 {
			return ""
		}
		if ss[0].name == "body" && inside.place != nil {
			if in := inside.Place(location(ss[1:])); in != "$" {
				return "body: " + in
			}
		}
		return within("message", ss)
	}
	return d, err
}
