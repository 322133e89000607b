package redact

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/http"
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
	contentType, coding, field, isFile := "", "", "", false
	for line := range strings.SplitSeq(head, "\n") {
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r"), ":")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "content-type":
			contentType = strings.TrimSpace(value)
		case "content-transfer-encoding":
			coding = strings.ToLower(strings.TrimSpace(value))
		case "content-disposition":
			if _, p, err := mime.ParseMediaType(value); err == nil {
				field = p["name"]
				_, isFile = p["filename"]
			}
		}
	}
	blankLine := text[end : end+blank]
	head = w.partHead(head)
	n := w.r.nameOf(lastOfBrackets(field))
	w.trail = append(w.trail, field)
	defer func() { w.trail = w.trail[:len(w.trail)-1] }()
	if !isFile || n.secret || len(n.rules) > 0 {
		res := w.value(inMultipart, n, content)
		if res.changed || w.ruled(inMultipart, n) {
			return head + blankLine + res.text, true
		}
	}
	media := message.MediaType(contentType)
	if strings.HasPrefix(media, "multipart/") {
		if _, p, err := mime.ParseMediaType(contentType); err == nil && p["boundary"] != "" && depth < maxNested {
			inner, whole := w.multipart(content, p["boundary"], depth+1)
			return head + blankLine + inner, whole
		}
		return "", false
	}
	plain, encode, err := transferred(coding, content)
	if err != nil {
		return "", false
	}
	inner, reason := w.unpackedAt(media, contentType, plain, depth+1)
	if isSame(inner, plain) {
		return head + blankLine + content, reason == ""
	}
	return head + blankLine + encode(inner), reason == ""
}

// transferred undoes the transfer encoding of a part (RFC 2045, 6); encode does it
// again.
func transferred(coding, content string) (plain []byte, encode func([]byte) string, err error) {
	switch coding {
	case "base64":
		plain, err = base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(content))
		return plain, base64.StdEncoding.EncodeToString, err
	case "quoted-printable":
		plain, err = io.ReadAll(quotedprintable.NewReader(strings.NewReader(content)))
		return plain, func(b []byte) string {
			var out strings.Builder
			w := quotedprintable.NewWriter(&out)
			_, _ = w.Write(b) // to memory
			_ = w.Close()
			return out.String()
		}, err
	}
	return []byte(content), func(b []byte) string { return string(b) }, nil
}

// partHead redacts the fields of a part.
func (w *work) partHead(head string) string {
	before := w.field
	defer func() { w.field = before }()
	lines := strings.SplitAfter(head, "\n")
	for i, line := range lines {
		name, rest, ok := strings.Cut(line, ":")
		value := strings.Trim(rest, " \t\r\n")
		if !ok || value == "" {
			continue
		}
		w.field = strings.TrimSpace(name)
		at := len(name) + 1 + strings.Index(rest, value)
		out, dropped := w.line(inMultipart, w.r.headers[http.CanonicalHeaderKey(w.field)], value, false)
		if dropped {
			out = ""
		}
		lines[i] = line[:at] + out + line[at+len(value):]
	}
	return strings.Join(lines, "")
}
