package redact

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// inner redacts what stands in a text that is the value of something else: a
// document, a form, URLs, names and values, any of these in base64. changed says
// that something was replaced.
func (w *work) inner(text string) (out string, changed bool) {
	if len(text) < leastShaped || w.nest >= maxNested {
		return text, false
	}
	if w.effort += len(text); w.effort > maxEffort {
		return w.r.made(text), true
	}
	w.nest++
	defer func() { w.nest-- }()
	switch {
	case text[0] == '{' || text[0] == '[':
		if out, ok := w.document(text); ok {
			return out, out != text
		}
	case text[0] == '<' && strings.Contains(text, "</"):
		out, rest := w.markup(text)
		return out, rest == 0 && out != text
	}
	if out, ok := w.packed(text); ok {
		return out, true
	}
	out = text
	switch equals := strings.IndexByte(text, '=') > 0; {
	case mayBeURL(text):
		out = w.url(text, maxNested)
	case equals && !strings.ContainsAny(text, " \t\r\n\"'<>(){}"):
		out = w.parameters(inForm, text, maxNested)
	default:
		if strings.Contains(text, "://") {
			out = w.urls(out)
		}
		if equals || strings.IndexByte(text, ':') > 0 || strings.IndexByte(text, ' ') > 0 {
			out = w.pairs(out, colonAndQuote)
		}
	}
	return out, out != text
}

// maxEffort bounds how much is looked at within other texts for one message, in
// bytes. Beyond it texts are replaced as a whole.
const maxEffort = 64 << 20

// urls redacts those in a text.
func (w *work) urls(text string) string {
	var b strings.Builder
	done := 0
	for from := 0; ; {
		i := strings.Index(text[from:], "://")
		if i < 0 {
			break
		}
		i += from
		least := max(done, from)
		begin, end := i, i+len("://")
		for begin > least && (charClass[text[begin-1]]&(isDigit|isUpper) != 0 || text[begin-1] >= 'a' && text[begin-1] <= 'z' || strings.IndexByte("+-.", text[begin-1]) >= 0) {
			begin--
		}
		for end < len(text) && end-begin < maxURL && text[end] > ' ' && strings.IndexByte("\"'<>`\\", text[end]) < 0 {
			end++
		}
		from = end
		if out := w.url(text[begin:end], maxNested); out != text[begin:end] {
			b.WriteString(text[done:begin])
			b.WriteString(out)
			done = end
		}
	}
	if done == 0 {
		return text
	}
	return b.String() + text[done:]
}

// escaped redacts a value of a form or a URL that is escaped once more.
func (w *work) escaped(value string) (out string, changed bool) {
	if w.nest >= maxNested || w.effort > maxEffort || strings.IndexByte(value, '%') < 0 {
		return value, false
	}
	plain, err := url.QueryUnescape(value)
	if err != nil || plain == value {
		return value, false
	}
	w.nest++
	defer func() { w.nest-- }()
	for _, f := range []func(string) (string, bool){w.inner, w.escaped} {
		if out, changed := f(plain); changed {
			return url.QueryEscape(out), true
		}
	}
	return value, false
}

// leastPacked is how long a text in base64 is at least that is looked into, in
// bytes.
const leastPacked = 24

// packed redacts a text that is another in base64: a document or a form.
func (w *work) packed(text string) (out string, changed bool) {
	bare := strings.TrimRight(text, "=")
	if len(bare) < leastPacked || len(bare)%4 == 1 {
		return text, false
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(bare, "-_") {
		encoding = base64.RawURLEncoding
	}
	var head [12]byte
	if _, err := encoding.Decode(head[:], []byte(bare[:16])); err != nil || !isPrintable(head[:]) {
		return text, false
	}
	plain, err := encoding.DecodeString(bare)
	if err != nil || !isText(plain) {
		return text, false
	}
	out, changed = w.inner(string(plain))
	if !changed {
		return text, false
	}
	if encoding = encoding.WithPadding(base64.NoPadding); len(bare) < len(text) {
		encoding = encoding.WithPadding(base64.StdPadding)
	}
	return encoding.EncodeToString([]byte(out)), true
}

func isPrintable(text []byte) bool {
	for _, c := range text {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
