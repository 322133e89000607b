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
	var label *name // that the line before gives to a value: - name: token
	done := 0
	for from := 0; from < len(text); {
		i := from
		for i < len(text) && text[i] != '=' && (text[i] != ':' || colon == colonAndQuote && !isQuoted(text[i+1:]) && !isMadeNext(text[i+1:])) {
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
		switch {
		case n.secret:
		case n.isName:
			near := text[:min(len(text), i+maxName)]
			if from, to := valueBehind(near, i+1, false); w.r.nameOf(near[from:to]).secret {
				label = w.r.nameOf(near[from:to])
			}
		case n.isValue && label != nil:
			n, label = label, nil
		}
		if !n.secret && secretByTwo[n.lower] {
			if two := w.twoWords(text[done:i], word); two.secret { // API key: …
				near := text[:min(len(text), i+maxName)]
				if from, to := valueBehind(near, i+1, false); isTelling(near[from:to]) {
					n = two
				}
			}
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
	return w.behindBlanks(w.told(text))
}

// behindBlanks redacts what nothing but a blank parts from its name: --api-key …,
// password … in a .netrc, and user and password behind -u. Only behind a hyphen it
// need not look made by a machine.
func (w *work) behindBlanks(text string) string {
	var b strings.Builder
	done := 0
	for end := 0; end < len(text); {
		begin := end
		for end < len(text) && inWords[text[end]] {
			end++
		}
		word := text[begin:end]
		end++
		if quote := begin - 1; quote >= 2 && (text[quote] == '\'' || text[quote] == '"') && text[quote-1] == ' ' && end <= len(text) && text[end-1] == text[quote] && isTelling(word) {
			// PASSWORD '…', as in SQL.
			if n := w.r.nameOf(nameBefore(text[done : quote-1])); n.secret && len(word) >= leastSecret && !isMade(word) {
				if res := w.value(inText, n, word); res.changed {
					b.WriteString(text[done:begin])
					b.WriteString(res.text)
					done = begin + len(word)
				}
			}
			continue
		}
		if len(word) < leastTold || begin < 2 || text[begin-1] != ' ' || len(word) < leastMade && text[begin-2] != 'u' && !isFlagged(text[:begin-1]) {
			continue
		}
		n, from := w.behindBlank(text[done:begin-1], word)
		if !n.secret {
			continue
		}
		word = strings.TrimRight(word[from:], ".:")
		if res := w.value(inText, n, word); res.changed && !isMade(word) {
			b.WriteString(text[done : begin+from])
			b.WriteString(res.text)
			done = begin + from + len(word)
		}
	}
	if done == 0 {
		return text
	}
	return b.String() + text[done:]
}

// inWords are the bytes of what may be such a value.
var inWords [256]bool

func init() {
	for i := range inWords {
		inWords[i] = charClass[i]&isWord != 0 || strings.IndexByte("-.+/=~:", byte(i)) >= 0
	}
}

// isFlagged says whether a text ends with a flag: --api-key.
func isFlagged(text string) bool {
	name := nameBefore(text)
	return strings.HasPrefix(name, "--") && !strings.HasPrefix(name, "---")
}

// behindBlank is what is known of a word that stands behind a text and a blank, and
// where in it the value begins.
func (w *work) behindBlank(before, word string) (n *name, from int) {
	if colon := strings.IndexByte(word, ':'); colon >= 0 && (strings.HasSuffix(before, " -u") || strings.HasSuffix(before, "--user")) {
		if strings.Trim(word[colon:], ":0123456789") != "" { // 1000:1000 are user and group
			return userinfoPassword, colon + 1
		}
		return nameless, 0
	}
	if !isMachineMade(word) && (word[0] == '-' || !isTelling(word) || !isFlagged(before)) {
		return nameless, 0
	}
	if name := strings.TrimLeft(nameBefore(before), "-"); name != "" && len(name) <= maxName {
		return w.r.nameOf(name), 0
	}
	return nameless, 0
}

var userinfoPassword = &name{lower: "password", secret: true}

// isTelling says whether a word is a value rather than one of a sentence.
func isTelling(word string) bool {
	return len(word) >= leastTold && (strings.ContainsAny(word, "0123456789") || isMixed(word))
}

// isMadeNext says whether a text begins with a word that a machine has made, blanks
// aside.
func isMadeNext(text string) bool {
	if len(text) < leastMade || text[0] != ' ' && text[0] != '\t' {
		return false
	}
	text = strings.TrimLeft(text[:min(len(text), maxName)], " \t")
	return isMachineMade(text[:len(text)-len(strings.TrimLeft(text, base64URL))])
}

// secretByTwo are the words that end names of secrets only with another before them.
var secretByTwo = setOf("key code link answer signature assertion cert certificate")

// twoWords is what is known of a name of two words, of which the text ends with the
// last: API key.
func (w *work) twoWords(text, last string) *name {
	at := strings.LastIndex(text, last)
	if last == "" || at <= 0 || text[at-1] != ' ' {
		return nameless
	}
	before := nameBefore(text[:at])
	if before == "" || len(before)+len(last) >= maxName {
		return nameless
	}
	return w.r.nameOf(before + "_" + last)
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
		if !isTelling(word) {
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
	if at < len(text) && text[at] == '>' && text[at-1] == '=' {
		at++ // of Ruby and PHP: =>
	}
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
