package redact

import "strings"

// colons says whether : parts a name and a value too.
type colons uint8

const (
	colonAndQuote colons = iota // where a quote follows: password: "…"
	anyColon                    // as in logs, settings and scripts
)

// pairs redacts the values in a text that stand behind a name and = or :, as in
// logs, settings and scripts: password=…, "token": "…".
func (w *work) pairs(text string, colon colons) string {
	var b strings.Builder
	done := 0
	for from := 0; from < len(text); {
		i := from
		for i < len(text) && text[i] != '=' && (text[i] != ':' || colon == colonAndQuote && !isQuoted(text[i+1:])) {
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
		if text[i] == '=' && !n.secret {
			n = w.r.nameOf(typed(text[done:i], word))
		}
		if !n.secret && n.hint&maybePhone == 0 && len(n.rules) == 0 {
			continue
		}
		begin, end := valueBehind(text, i+1, n.authorization)
		if from, to := blockBehind(text, begin, end); from < to {
			begin, end = from, to
		}
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
	if done > 0 {
		text = b.String() + text[done:]
	}
	return w.told(text)
}

// told redacts what a sentence tells: your code is 482913.
func (w *work) told(text string) string {
	const is = " is "
	var b strings.Builder
	done := 0
	for from := 0; ; {
		i := strings.Index(text[from:], is)
		if i < 0 {
			break
		}
		i += from
		from = i + len(is)
		end := from
		for end < len(text) && (charClass[text[end]]&isWord != 0 || text[end] == '-') {
			end++
		}
		word := text[from:end]
		if len(word) < leastTold || !strings.ContainsAny(word, "0123456789") && !isMixed(word) {
			continue
		}
		name := nameBefore(text[done:i])
		if before := nameBefore(text[done : i-len(name)]); before != "" && len(name)+len(before) < maxName {
			name = before + "_" + name
		}
		n := w.r.nameOf(name)
		if !n.secret {
			continue
		}
		if res := w.value(inText, n, word); res.changed {
			b.WriteString(text[done:from])
			b.WriteString(res.text)
			done = end
		}
	}
	if done == 0 {
		return text
	}
	return b.String() + text[done:]
}

// leastTold is how long a secret is at least that a sentence tells, in bytes.
const leastTold = 4

// isQuoted says whether a text begins with a quote, blanks aside.
func isQuoted(text string) bool {
	text = strings.TrimLeft(text[:min(len(text), 8)], " \t\\")
	return text != "" && (text[0] == '"' || text[0] == '\'')
}

// typed is the name with which a text ends, or that before it where a colon
// parts them: $password: String = "…".
func typed(text, last string) string {
	before := strings.TrimRight(text[:strings.LastIndex(text, last)], " \t")
	if last == "" || !strings.HasSuffix(before, ":") {
		return last
	}
	if name := nameBefore(before[:len(before)-1]); name != "" && len(name) <= maxName {
		return name
	}
	return last
}

// blockBehind is where the lines stand that a mark of YAML announces as the value
// (password: |); nothing if none does.
func blockBehind(text string, begin, end int) (from, to int) {
	if begin == end { // > ends a word
		for end < len(text) && end-begin < 3 && text[end] > ' ' {
			end++
		}
	}
	if begin == end || text[begin] != '|' && text[begin] != '>' || end-begin > 3 {
		return 0, 0
	}
	rest := text[end:]
	line := lineEnd(rest)
	if strings.TrimSpace(rest[:line]) != "" {
		return 0, 0
	}
	from = end + line
	indent := blanks(text[from:])
	if indent == 0 {
		return 0, 0
	}
	for at := from; at < len(text); {
		line := text[at : at+lineEnd(text[at:])]
		if blanks(line) < indent && strings.TrimSpace(line) != "" {
			break
		}
		at += len(line)
		to = at
	}
	return from + indent, len(strings.TrimRight(text[:to], " \t\r\n"))
}

// blanks is how many a text begins with.
func blanks(text string) int { return len(text) - len(strings.TrimLeft(text, " \t")) }

// lineEnd is the length of the first line of a text, with its end.
func lineEnd(text string) int {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return i + 1
	}
	return len(text)
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
	for _, quote := range [...]string{`\"\"\"`, `\"`, `"""`, `"`, `'`} {
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
	if strings.Contains(text, "://") {
		text = w.urls(text)
	}
	return w.pairs(text, anyColon)
}

// upToWord cuts off the word with which a text ends that is not whole: it can be
// the beginning of a secret by its shape, an address or a token. Nothing of that kind is longer than maxShaped.
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
	case begin == 0 && !strings.ContainsAny(tail, "0123456789@") && !strings.HasPrefix(tail, "eyJ"):
		return text // all there is, and no more than a word
	}
	return text[:begin]
}

// maxShaped is how long a secret is at most that is known by its shape, private
// keys aside, in bytes.
const maxShaped = 8 << 10
