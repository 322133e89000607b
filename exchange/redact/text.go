package redact

import "strings"

// pairs redacts the values in a text that stand behind a name and = (and : where
// colon says so), as in logs, settings and scripts: password=…, "token": "…".
func (w *work) pairs(text string, colon bool) string {
	var b strings.Builder
	done := 0
	for from := 0; from < len(text); {
		i := from
		for i < len(text) && text[i] != '=' && (text[i] != ':' || !colon) {
			i++
		}
		if i == len(text) {
			break
		}
		from = i + 1
		word := nameBefore(text[done:i])
		if word == "" || len(word) > maxName {
			continue
		}
		n := w.r.nameOf(word)
		if !n.secret && n.hint&maybePhone == 0 && len(n.rules) == 0 {
			continue
		}
		begin, end := valueBehind(text, i+1, n.authorization)
		if begin == end {
			continue
		}
		res := w.value(inText, n, text[begin:end])
		from = end
		if !res.changed {
			continue
		}
		b.WriteString(text[done:begin])
		b.WriteString(res.text)
		done = end
	}
	if done == 0 {
		return text
	}
	b.WriteString(text[done:])
	return b.String()
}

// nameBefore is the name with which a text ends, blanks and a quote behind it
// aside.
func nameBefore(text string) string {
	end := len(text)
	for end > 0 && len(text)-end < 4 && strings.IndexByte(" \t\"'\\]", text[end-1]) >= 0 {
		end--
	}
	begin := end
	for begin > 0 && end-begin <= maxName && (charClass[text[begin-1]]&isWord != 0 || strings.IndexByte("-.[", text[begin-1]) >= 0) {
		begin--
	}
	return text[begin:end]
}

// valueBehind is where a value stands behind a mark: up to the quote that ends
// it, or to what cannot be in a word; with a scheme, two words.
func valueBehind(text string, at int, scheme bool) (begin, end int) {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t') {
		at++
	}
	for _, quote := range [...]string{`\"`, `"`, `'`} {
		if strings.HasPrefix(text[at:], quote) {
			at += len(quote)
			if n := strings.Index(text[at:], quote); n >= 0 && n <= maxQuoted {
				return at, at + n
			}
			return at, min(len(text), at+maxQuoted)
		}
	}
	end = at
	for end < len(text) {
		c := text[end]
		if scheme && c == ' ' && end > at {
			scheme = false
			end++
			continue
		}
		if c <= ' ' || strings.IndexByte(",;&<>\"'()[]{}\\", c) >= 0 {
			break
		}
		end++
	}
	return at, end
}

// maxQuoted bounds a quoted value, in bytes.
const maxQuoted = 64 << 10

// plain redacts text of which nothing is known but that it is some.
func (w *work) plain(text string) string {
	if res := w.value(inText, nameless, text); res.changed {
		text = res.text
	} else if w.ruled(inText, nameless) {
		return text
	}
	return w.pairs(text, true)
}

// events redacts a text line by line, where each may be a document behind a name
// and a colon (server-sent events).
func (w *work) events(text string) string {
	var b strings.Builder
	changed := false
	for line := range strings.SplitAfterSeq(text, "\n") {
		field, rest, ok := strings.Cut(line, ":")
		body := strings.TrimRight(rest, "\r\n")
		lead := body[:len(body)-len(strings.TrimLeft(body, " "))]
		body = body[len(lead):]
		out := ""
		if inner, is := w.document(body); ok && is {
			out = field + ":" + lead + inner + rest[len(lead)+len(body):]
		} else {
			out = w.plain(line)
		}
		changed = changed || out != line
		b.WriteString(out)
	}
	if !changed {
		return text
	}
	return b.String()
}

// upToWord cuts off the word with which a text ends that is not whole, if it can
// be the beginning of a secret by its shape: it has digits, or is one of an
// address or of a token. Nothing of that kind is longer than maxShaped.
func upToWord(text string) string {
	begin := len(text)
	letters := false
	for begin > 0 && len(text)-begin <= maxShaped {
		c := text[begin-1]
		isPart := charClass[c]&(isWord|isLocal) != 0 || c == '@' || c == '/' || c == '='
		if c == ' ' || c == '-' { // a card's number in groups
			isPart = !letters && digitAt(text, begin-2)
		}
		if !isPart {
			break
		}
		letters = letters || charClass[c]&isWord != 0 && !digitAt(text, begin-1)
		begin--
	}
	tail := text[begin:]
	switch {
	case len(tail) > maxShaped, !letters && len(tail) > 40:
		return text
	case strings.ContainsAny(tail, "0123456789@"), strings.HasPrefix(tail, "eyJ"):
		return text[:begin]
	}
	return text
}

// maxShaped is how long a secret is at most that is known by its shape, private
// keys aside, in bytes.
const maxShaped = 8 << 10
