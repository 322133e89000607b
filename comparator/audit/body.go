package audit

import (
	"bytes"
	"strings"

	"understudy.dev/comparator"
	"understudy.dev/comparator/media"
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/timestamp"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// bodyKind is a kind of fault in the body as a whole, or in one that is no JSON.
func bodyKind(name string, class Class, f func(s *subject) []splice, formats ...string) kind {
	return kind{name, class, func(s *subject, most int) []plant {
		if !s.whole || !isOne(formats, s.format) {
			return nil
		}
		var out []plant
		for range most {
			edits := f(s)
			if len(edits) == 0 || bytes.Equal(s.body, edited(s.body, edits...)) {
				break
			}
			out = append(out, s.inBody("$", edits...))
			if len(formats) == 0 {
				break // the same each time
			}
		}
		return out
	}}
}

func isOne(formats []string, format string) bool {
	for _, f := range formats {
		if f == format {
			return true
		}
	}
	return len(formats) == 0
}

// markups and texts are formats in which faults are planted as in text.
var (
	markups = []string{media.XML, media.HTML}
	texts   = []string{media.Text, media.CSV}
	listed  = []string{media.Text, media.CSV, media.JSONLines}
)

var bodyKinds = []kind{
	bodyKind("no body", Structures, func(s *subject) []splice { return []splice{{0, len(s.body), ""}} }),
	bodyKind("second half of the body lost", Structures, func(s *subject) []splice {
		if len(s.body) < 2 {
			return nil
		}
		return []splice{{len(s.body) / 2, len(s.body), ""}}
	}),
	bodyKind("something behind the body", Structures, func(s *subject) []splice {
		if s.format == media.EventStream || s.format == media.Multipart {
			return nil // readers skip it
		}
		return []splice{{len(s.body), len(s.body), "\nWarning: planted by the audit"}}
	}),
	bodyKind("word of a text", Values, word(whole), texts...),
	bodyKind("text in markup", Values, word(between), markups...),
	bodyKind("value in a form", Values, word(formValue), media.Form),
	bodyKind("text in a part", Values, word(part), media.Multipart),
	bodyKind("text in an event", Values, func(s *subject) []splice {
		if len(s.paths) > 0 {
			return nil // its data is JSON
		}
		return word(eventData)(s)
	}, media.EventStream),
	bodyKind("line missing", Structures, func(s *subject) []splice {
		at, text := someLine(s)
		if text == "" {
			return nil
		}
		return []splice{{at, min(at+len(text)+1, len(s.body)), ""}}
	}, listed...),
	bodyKind("line twice", Structures, func(s *subject) []splice {
		at, text := someLine(s)
		if text == "" {
			return nil
		}
		return []splice{{at, at, text + "\n"}}
	}, listed...),
	bodyKind("name missing in a form", Structures, func(s *subject) []splice {
		pairs := strings.Split(string(s.body), "&")
		if len(pairs) < 2 {
			return nil
		}
		pick := s.random.IntN(len(pairs) - 1)
		at := len(strings.Join(pairs[:pick], "&"))
		return []splice{{at + min(pick, 1), at + min(pick, 1) + len(pairs[pick]) + 1, ""}}
	}, media.Form),
	bodyKind("byte missing", Structures, func(s *subject) []splice {
		at := s.random.IntN(len(s.body))
		return []splice{{at, at + 1, ""}}
	}, media.Binary),
	{"another length of a body that was cut", Structures, func(s *subject, _ int) []plant {
		b := s.final.GetBody()
		if !b.GetTruncated() || len(b.GetSha256()) == 0 || message.Joined(s.final.GetHeaders(), "Content-Encoding") != "" {
			return nil
		}
		return []plant{{place: comparator.InBody, path: "$", put: func(r *understudyv1.Replay) {
			final, _ := finalOf(r)
			final.Body.Length++
			final.Body.Sha256[0] ^= 1
		}}}
	}},
	bodyKind("byte changed", Values, func(s *subject) []splice {
		at := s.random.IntN(len(s.body))
		if s.format == media.GRPC {
			at = len(s.body) - 1 // of the last message
			if at < 5 || s.body[0] != 0 {
				return nil
			}
		}
		return []splice{{at, at + 1, string([]byte{s.body[at] ^ 0x20})}}
	}, media.Binary, media.GRPC),
}

// someLine is a line that is not empty, "" if there is none.
func someLine(s *subject) (at int, text string) {
	all := 0
	for begin, line := range lines(s.body) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if all++; s.random.IntN(all) == 0 {
			at, text = begin, string(line)
		}
	}
	return at, text
}

// span is a part of a body.
type span struct{ from, to int }

// word changes a letter or digit of one word in the parts of a body that hold
// text. Words that the baseline's answer does not have, and times, are left
// alone: of them nobody knows what is right.
func word(parts func(s *subject) []span) func(s *subject) []splice {
	return func(s *subject) []splice {
		var found splice
		all := 0
		for _, p := range parts(s) {
			for from := p.from; from < p.to; {
				size := bytes.IndexFunc(s.body[from:p.to], isBlank)
				if size < 0 {
					size = p.to - from
				}
				text := string(s.body[from : from+size])
				if _, time := timestamp.Parse(text); size > 0 && !time && bytes.Contains(s.baseline, []byte(text)) {
					if other := anotherLetter(s.random, text); other != text {
						if all++; s.random.IntN(all) == 0 {
							found = splice{from, from + size, other}
						}
					}
				}
				from += size + 1
			}
		}
		if all == 0 {
			return nil
		}
		return []splice{found}
	}
}

func isBlank(r rune) bool { return r <= ' ' || strings.ContainsRune(`,;"'<>&=`, r) }

func whole(s *subject) []span { return []span{{0, len(s.body)}} }

// between the tags of markup, but not in comments, scripts and styles.
func between(s *subject) []span {
	var out []span
	lower := strings.ToLower(string(s.body))
	for at := 0; ; {
		open := strings.IndexByte(lower[at:], '>')
		if open < 0 {
			return out
		}
		from := at + open + 1
		size := strings.IndexByte(lower[from:], '<')
		if size < 0 {
			return out
		}
		tag := lower[strings.LastIndexByte(lower[:from-1], '<')+1 : from]
		if strings.TrimSpace(lower[from:from+size]) != "" && !strings.HasPrefix(tag, "script") && !strings.HasPrefix(tag, "style") &&
			!strings.HasSuffix(tag, "-->") && !strings.HasPrefix(tag, "!") && !strings.HasPrefix(tag, "?") {
			out = append(out, span{from, from + size})
		}
		at = from + size
	}
}

// formValue is what stands behind the = of each name.
func formValue(s *subject) []span {
	var out []span
	at := 0
	for _, pair := range strings.Split(string(s.body), "&") {
		if name, value, ok := strings.Cut(pair, "="); ok && value != "" && !strings.Contains(value, "%") {
			out = append(out, span{at + len(name) + 1, at + len(pair)})
		}
		at += len(pair) + 1
	}
	return out
}

// part is the lines of the bodies of parts.
func part(s *subject) []span {
	var out []span
	inside := false
	for at, line := range lines(s.body) {
		switch {
		case bytes.HasPrefix(line, []byte("--")):
			inside = false
		case len(line) == 0:
			inside = true
		case inside:
			out = append(out, span{at, at + len(line)})
		}
	}
	return out
}

func eventData(s *subject) []span {
	var out []span
	for at, line := range lines(s.body) {
		if bytes.HasPrefix(line, []byte("data:")) {
			out = append(out, span{at + len("data:"), at + len(line)})
		}
	}
	return out
}
