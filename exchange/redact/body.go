package redact

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Why a body, or its end, is not kept.
const (
	withheldCut       = "cut"       // at the capture limit, or in the transfer: what follows the last value that is whole
	withheldMalformed = "malformed" // likewise, in a body that is not what its type says
	withheldCoding    = "coding"    // its content coding cannot be undone
	withheldTooLarge  = "too_large" // unpacked it would be larger than maxPlain
	withheldTooDeep   = "too_deep"  // its values nest deeper than maxDepth
	withheldOpaque    = "opaque"    // nothing knows its type, and an allow-list holds
	withheldRule      = "rule"      // a rule says so
)

// Withheld lists the reasons.
func Withheld() []string {
	return []string{withheldCut, withheldMalformed, withheldCoding, withheldTooLarge, withheldTooDeep, withheldOpaque, withheldRule}
}

// maxPlain bounds what a body is unpacked to, in bytes.
const maxPlain = 8 << 20

// body redacts the body that fields describe, and says whether it is no longer
// what it was. A hash is of what is kept, or keyed.
func (r *Redactor) body(headers []*understudyv1.Header, b *understudyv1.Body, list understudyv1.Redaction_Place, found *places) (changed bool) {
	if b == nil {
		return false
	}
	w := work{r: r, at: list, found: found, cut: b.Truncated}
	out, reason := w.kept(headers, b.Content)
	if reason != "" {
		w.found.withheld(list, reason)
		b.Truncated, b.Unreadable = true, w.unreadable
	}
	if changed = reason != "" || !isSame(out, b.Content); changed {
		b.Content = out
	}
	switch {
	case len(b.Sha256) == 0 || b.DigestKey != "":
	case b.Truncated:
		sum := r.key.Sum("digest", string(b.Sha256))
		b.Sha256, b.DigestKey = sum[:], r.key.ID()
	case changed:
		sum := sha256.Sum256(b.Content)
		b.Sha256 = sum[:]
	}
	return changed
}

// isSame says whether two slices are one.
func isSame(a, b []byte) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// kept is what is kept of a body; reason says why not all of it is.
func (w *work) kept(headers []*understudyv1.Header, content []byte) (out []byte, reason string) {
	if len(content) == 0 {
		return content, ""
	}
	contentType := message.First(headers, "Content-Type")
	media := message.MediaType(contentType)
	for _, i := range w.r.nameOf(media).rules {
		if c := &w.r.rules[i]; c.places == 1<<inBody {
			if c.action == actionDrop {
				return nil, withheldRule
			}
			return content, ""
		}
	}
	coding := message.Joined(headers, "Content-Encoding")
	if isPlain := coding == "" || strings.EqualFold(coding, "identity"); isPlain {
		return w.unpacked(media, contentType, content)
	}
	if isOpaque(media) && !w.r.allow {
		return content, ""
	}
	if w.cut {
		return nil, withheldCut
	}
	plain, err := message.Decode(content, coding, maxPlain)
	switch {
	case errors.Is(err, message.ErrTooLong):
		return nil, withheldTooLarge
	case err != nil:
		w.unreadable = !errors.Is(err, message.ErrUnknownCoding)
		return nil, withheldCoding
	}
	redacted, reason := w.unpacked(media, contentType, plain)
	if reason == "" && isSame(redacted, plain) {
		return content, ""
	}
	if out, err = message.Encode(redacted, coding); err != nil {
		return nil, withheldCoding
	}
	return out, reason
}

// isOpaque says whether only a program can take bodies of a type apart.
func isOpaque(media string) bool {
	return message.IsOpaque(media) || strings.HasPrefix(media, "application/grpc") || binaries[media] || strings.HasSuffix(media, "+protobuf") ||
		strings.HasSuffix(media, "+cbor")
}

var binaries = setOf(`application/protobuf application/x-protobuf application/vnd.google.protobuf application/cbor application/msgpack application/x-msgpack
	application/vnd.msgpack application/wasm application/avro application/java-archive application/zstd application/x-tar application/x-bzip2`)

// unpacked redacts a body without content codings.
func (w *work) unpacked(media, contentType string, body []byte) (out []byte, reason string) {
	return w.unpackedAt(media, contentType, body, 0)
}

// unpackedAt does so with one that is a part of another, so deep.
func (w *work) unpackedAt(media, contentType string, body []byte, depth int) (out []byte, reason string) {
	if isForeign(contentType) && !isOpaque(media) {
		return nil, withheldMalformed
	}
	wide := wideCharset(contentType, body)
	// What calls itself a picture may be JSON all the same; the other opaque types
	// hold texts that must keep their length.
	isBinary := wide == nil && (!isTextual(media) || message.IsOpaque(media)) && !isText(body) || isOpaque(media) && !message.IsOpaque(media)
	if isBinary {
		if w.r.allow {
			return nil, withheldOpaque
		}
		return body, ""
	}
	text := string(body)
	if wide != nil {
		var ok bool
		if text, ok = narrow(wide, body[:len(body)&^1]); !ok || !w.cut && len(body)%2 != 0 {
			return nil, withheldMalformed
		}
	}
	redacted, reason := w.content(media, contentType, text, depth)
	if reason == "" && redacted == text {
		return body, ""
	}
	if out = []byte(redacted); wide != nil {
		if out, err := wide.NewEncoder().Bytes(out); err == nil {
			return out, reason
		}
		return nil, withheldMalformed
	}
	return out, reason
}

// isForeign says whether a text is in a charset in which names do not look as in
// ASCII: EBCDIC, or UTF-7.
func isForeign(contentType string) bool {
	_, p, _ := mime.ParseMediaType(contentType)
	name := strings.ToLower(p["charset"])
	return foreign[name] || strings.HasPrefix(name, "ebcdic")
}

var foreign = setOf("utf-7 ibm037 ibm273 ibm277 ibm278 ibm280 ibm284 ibm285 ibm297 ibm500 ibm871 ibm1047 ibm01140 ibm01141 ibm01148 cp037 cp500 cp1047 cp1140 cp1141 cp1148")

// wideCharset is the charset of two bytes that a text is in: by its byte order
// mark, or by its type; nil for another.
func wideCharset(contentType string, body []byte) encoding.Encoding {
	if len(body) < 4 {
		return nil
	}
	begin := string(body[:2])
	_, p, _ := mime.ParseMediaType(contentType)
	switch name := strings.ToLower(p["charset"]); {
	case begin == "\xfe\xff":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case begin == "\xff\xfe":
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case hasZeros(body, 0):
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case hasZeros(body, 1):
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case !strings.HasPrefix(name, "utf-16") || isText(body): // one that its type does not describe
		return nil
	case name == "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	}
	return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM) // as in the WHATWG Encoding standard
}

// hasZeros says whether a body begins with texts of two bytes a character, of
// which the first (0) or the second (1) is zero and the other is none.
func hasZeros(body []byte, which int) bool {
	for i, c := range body[:min(len(body)&^1, 64)] {
		if (c == 0) != (i%2 == which) {
			return false
		}
	}
	return true
}

// narrow is a text in UTF-8, if it is that text.
func narrow(wide encoding.Encoding, body []byte) (text string, ok bool) {
	out, err := wide.NewDecoder().Bytes(body)
	if err != nil {
		return "", false
	}
	back, err := wide.NewEncoder().Bytes(out)
	return string(out), err == nil && bytes.Equal(back, body)
}

// isTextual says whether a media type is one of texts.
func isTextual(media string) bool {
	return message.IsJSON(media) || message.IsXML(media) || message.IsForm(media) || strings.HasPrefix(media, "text/") || strings.HasPrefix(media, "multipart/")
}

// isText says whether bytes can be a text.
func isText(body []byte) bool { return utf8.Valid(body) && bytes.IndexByte(body, 0) < 0 }

// guards stand before JSON that no other page's script shall read.
var guards = []string{"\ufeff", ")]}',", ")]}'", "while(1);", "for(;;);"}

// content redacts a text by its media type and by how it begins, because a client
// that posts JSON often names another type or none.
func (w *work) content(media, contentType, text string, depth int) (out, reason string) {
	if depth > maxNested {
		return "", withheldTooDeep
	}
	head := ""
	for _, g := range guards {
		if rest, ok := strings.CutPrefix(text, g); ok {
			head, text = head+g, rest
		}
	}
	begin := strings.TrimLeft(text, " \t\r\n\x1e")
	switch {
	case begin == "":
		return head + text, ""
	case strings.HasPrefix(media, "multipart/"):
		_, p, err := mime.ParseMediaType(contentType)
		if err != nil || p["boundary"] == "" {
			return "", withheldMalformed
		}
		out, whole := w.multipart(text, p["boundary"], depth)
		if !whole {
			return head + out, w.unfinished()
		}
		return head + out, ""
	case begin[0] == '{' || begin[0] == '[' || begin[0] == '"' && message.IsJSON(media):
		doc := w.json(text)
		switch {
		case doc.whole:
			return head + doc.out, ""
		case doc.deep:
			return head + doc.out, withheldTooDeep
		case w.cut || doc.hidden:
			return head + doc.out, w.unfinished()
		}
		return head + doc.out + w.plain(doc.rest), ""
	case isTable(media) && !w.cut:
		return head + w.table(text, media), ""
	case media == "text/event-stream":
		if !w.cut {
			return head + w.events(text), ""
		}
		kept := text[:strings.LastIndexByte(text, '\n')+1]
		return head + w.events(kept), w.lacks(text, kept)
	case begin[0] == '<':
		kept := text
		if w.cut {
			kept = text[:strings.LastIndexByte(text, '<')]
		}
		out, rest := w.markup(kept)
		if rest > 0 { // a tag without an end: what stands in it is text
			out = out[:len(out)-rest] + w.plain(kept[len(kept)-rest:])
		}
		return head + out, w.lacks(text, kept)
	case message.IsForm(media) && strings.Contains(text, "="):
		kept := text
		if w.cut {
			kept = text[:strings.LastIndexByte(text, '&')+1]
		}
		return head + w.parameters(inForm, kept, maxNested), w.lacks(text, kept)
	case message.IsJSON(media):
		if doc := w.json(text); doc.whole { // a number, a word
			return head + doc.out, ""
		}
	}
	if strings.Contains(text, "\x00") {
		return "", withheldMalformed // in a charset of two bytes, which nobody has looked at
	}
	kept := text
	if w.cut {
		kept = upToWord(text)
	}
	return head + w.plain(kept), w.lacks(text, kept)
}

// unfinished is why what does not end is not kept.
func (w *work) unfinished() string {
	if w.cut {
		return withheldCut
	}
	return withheldMalformed
}

// lacks is why less is kept than there is, if less is.
func (w *work) lacks(text, kept string) string {
	if len(kept) < len(text) {
		return withheldCut
	}
	return ""
}
