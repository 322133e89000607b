package redact

import (
	"mime"
	"strings"

	"understudy.dev/exchange/message"
)

// multipart redacts the parts of a body, fields by their names and files by their
// types. whole is false if the last delimiter is missing; out then ends with the
// last part that has an end.
func (w *work) multipart(text, boundary string, depth int) (out string, whole bool) {
	delimiter := "--" + boundary
	var b strings.Builder
	at := 0
	if !strings.HasPrefix(text, delimiter) {
		i := strings.Index(text, "\n"+delimiter)
		if i < 0 {
			return "", false
		}
		b.WriteString(w.plain(text[:i+1]))
		at = i + 1
	}
	for range maxParts {
		// at is where a delimiter begins.
		rest := text[at+len(delimiter):]
		if strings.HasPrefix(rest, "--") {
			b.WriteString(text[at : at+len(delimiter)+2])
			b.WriteString(w.plain(rest[2:]))
			return b.String(), true
		}
		line := strings.IndexByte(rest, '\n')
		if line < 0 {
			return b.String(), false
		}
		begin := at + len(delimiter) + line + 1
		i := strings.Index(text[begin:], "\n"+delimiter)
		if i < 0 {
			return b.String(), false
		}
		end := begin + i
		if end > begin && text[end-1] == '\r' {
			end--
		}
		b.WriteString(text[at:begin])
		part, ok := w.part(text[begin:end], depth)
		if !ok {
			return b.String(), false
		}
		b.WriteString(part)
		b.WriteString(text[end : begin+i+1])
		at = begin + i + 1
	}
	return b.String(), false
}

// maxParts bounds the parts of a body.
const maxParts = 1000

// part redacts one part; ok is false if it cannot be taken apart.
func (w *work) part(text string, depth int) (out string, ok bool) {
	end, blank := strings.Index(text, "\r\n\r\n"), 4
	if i := strings.Index(text, "\n\n"); i >= 0 && (end < 0 || i < end) {
		end, blank = i, 2
	}
	if strings.HasPrefix(text, "\r\n") {
		end, blank = 0, 2
	} else if strings.HasPrefix(text, "\n") {
		end, blank = 0, 1
	}
	if end < 0 {
		return "", false
	}
	head, content := text[:end], text[end+blank:]
	contentType, field, isFile := "", "", false
	for line := range strings.SplitSeq(head, "\n") {
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r"), ":")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "content-type":
			contentType = strings.TrimSpace(value)
		case "content-disposition":
			if _, p, err := mime.ParseMediaType(value); err == nil {
				field = p["name"]
				_, isFile = p["filename"]
			}
		}
	}
	n := w.r.nameOf(lastOfBrackets(field))
	w.trail = append(w.trail, field)
	defer func() { w.trail = w.trail[:len(w.trail)-1] }()
	if !isFile || n.secret || len(n.rules) > 0 {
		res := w.value(inMultipart, n, content)
		if res.changed || w.ruled(inMultipart, n) {
			return text[:end+blank] + res.text, true
		}
	}
	media := message.MediaType(contentType)
	switch {
	case isOpaque(media) && !w.r.allow || !isTextual(media) && !isText([]byte(content)):
		return text, true
	case strings.HasPrefix(media, "multipart/"):
		if _, p, err := mime.ParseMediaType(contentType); err == nil && p["boundary"] != "" && depth < maxNested {
			inner, whole := w.multipart(content, p["boundary"], depth+1)
			return text[:end+blank] + inner, whole
		}
		return "", false
	}
	inner, reason := w.content(media, contentType, content, depth+1)
	return text[:end+blank] + inner, reason == ""
}
