package redact

import (
	"strings"
)

// shape is what a text is a secret by, whatever its name is.
type shape uint8

const (
	noShape shape = iota
	aJWT
	aBearer
	anAPIKey
	aPrivateKey
	aCard
	anIBAN
	anEmail
	aPhone
	shapeCount
)

// shapeNames are those of the shapes but for noShape, in their order.
var shapeNames = []string{"jwt", "bearer", "api_key", "private_key", "card", "iban", "email", "phone"}

func (s shape) String() string { return shapeNames[s-1] }

// span is a part of a text that has a shape.
type span struct {
	from, to int
	shape    shape
}

// hint is what a name says about shapes of its values.
type hint uint8

const (
	// maybeCard: a number in JSON may be one, or digits in a header or a URL.
	maybeCard hint = 1 << iota
	// isName: digits stand for a thing, not for money.
	isName
	// maybePhone: a number without its plus is one too.
	maybePhone
)

// leastShaped is the length of the shortest text that can have a shape: a@b.de.
const leastShaped = 6

// appendShapes appends what in a text has a shape, in the order of the text and
// without overlaps.
func appendShapes(out []span, text string, h hint) []span {
	if len(text) < leastShaped {
		return out
	}
	digits, at, word, letters := 0, false, 0, false
	longest := 0
	for i := range len(text) {
		switch c := charClass[text[i]]; {
		case c&isDigit != 0:
			digits++
			word++
		case c&isWord != 0:
			letters = true
			word++
		default:
			at = at || text[i] == '@' || text[i] == '%' && strings.HasPrefix(text[i:], escapedAt)
			longest = max(longest, word)
			word = 0
		}
	}
	longest = max(longest, word)
	begin := len(out)
	if len(text) >= leastMarked && longest >= leastInWord {
		out = appendMarked(out, text)
		out = appendBearer(out, text)
	}
	if at {
		out = appendEmails(out, text)
	}
	if digits >= 13 && h&isName == 0 {
		out = appendCards(out, text)
	}
	if digits >= 8 && letters {
		out = appendIBANs(out, text)
	}
	if digits >= 7 {
		out = appendPhones(out, text, h)
	}
	return ordered(out, begin)
}

// leastInWord is the longest run of letters and digits that a marked secret has
// at least, in bytes; the first part of a JSON Web Token is longer.
const leastInWord = 7

// ordered sorts the spans from begin on and leaves out those that overlap one
// before them; there are few.
func ordered(out []span, begin int) []span {
	s := out[begin:]
	if len(s) < 2 {
		return out
	}
	for i := 1; i < len(s); i++ {
		for j := i; j > 0 && s[j].from < s[j-1].from; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
	kept := 1
	for _, x := range s[1:] {
		if x.from >= s[kept-1].to {
			s[kept] = x
			kept++
		}
	}
	return out[:begin+kept]
}

type chars uint8

const (
	isDigit chars = 1 << iota
	isUpper
	isWord  // letters and digits, those that are not ASCII too, and _
	isLocal // of the first part of an e-mail address
	isHost
)

var charClass [256]chars

func init() {
	for i := range charClass {
		c := byte(i)
		var k chars
		switch {
		case c >= '0' && c <= '9':
			k = isDigit | isWord | isLocal | isHost
		case c >= 'A' && c <= 'Z':
			k = isUpper | isWord | isLocal | isHost
		case c >= 'a' && c <= 'z':
			k = isWord | isLocal | isHost
		case c == '_':
			k = isWord | isLocal
		case c >= 0x80:
			k = isWord | isLocal | isHost
		case c == '-' || c == '.':
			k = isLocal | isHost
		case strings.IndexByte("+%'!#$&*/=?^`{|}~", c) >= 0 && strings.IndexByte("/?&={}|'`#", c) < 0:
			k = isLocal
		}
		charClass[i] = k
	}
}

func wordAt(text string, i int) bool {
	return i >= 0 && i < len(text) && charClass[text[i]]&isWord != 0
}

func digitAt(text string, i int) bool {
	return i >= 0 && i < len(text) && charClass[text[i]]&isDigit != 0
}

// markedBeginnings are those of keys and tokens that their makers mark so that
// they are found: Stripe, GitHub, GitLab, Slack, AWS, Google, SendGrid, npm,
// PyPI, Shopify, OpenAI, Anthropic, Hugging Face, DigitalOcean, Docker, Square,
// Postman, New Relic, Atlassian and others. Those of Telegram are known by their
// form, see telegram; those of Twilio and Mailgun are not marked.
var markedBeginnings = strings.Fields(`sk_live_ sk_test_ rk_live_ rk_test_ whsec_ ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- glrt- xoxb- xoxp- xoxa- xoxr- xoxs- xapp-
	AKIA ASIA AIza ya29. SG. npm_ pypi- shpat_ shpss_ shpca_ shppa_ sk-proj- sk-ant- hf_ dop_v1_ dckr_pat_ sq0atp- sq0csp- PMAK- NRAK- ATATT3 lin_api_ EAACEdEose0cBA
	AGE-SECRET-KEY- rdp_ pk_live_secret_ hvs. hvb. tvly- vercel_ figd_ sbp_ tskey- gsk_ xai- glsa_ glc_ ntn_ pplx- nvapi- sntrys_ rzp_live_ fo1_ dp.st. dp.pt. CFPAT- lsv2_
	pscale_tkn_ r8_ GOCSPX-`)

// markedBy are the beginnings by their first byte.
var markedBy [256][]string

func init() {
	for _, b := range markedBeginnings {
		markedBy[b[0]] = append(markedBy[b[0]], b)
	}
}

// leastMarked is how long a marked secret is at least, in bytes.
const leastMarked = 16

// appendMarked appends the JSON Web Tokens, marked keys and private keys.
func appendMarked(out []span, text string) []span {
	for from := 0; from < len(text); {
		if text[from] == '-' && strings.HasPrefix(text[from:], "-----BEGIN ") {
			if n := privateKey(text[from:]); n > 0 {
				out = append(out, span{from, from + n, aPrivateKey})
				from += n
				continue
			}
		}
		if charClass[text[from]]&isWord == 0 {
			from++
			continue
		}
		end := from + 1
		for end < len(text) && (charClass[text[end]]&isWord != 0 || text[end] == '-' || text[end] == '.') {
			end++
		}
		if n := telegram(text, from, end); n > 0 {
			out = append(out, span{from, n, anAPIKey})
			from = n
			continue
		}
		if end-from >= leastMarked {
			whole := strings.TrimRight(text[from:end], ".")
			switch word := strings.TrimRight(whole, ".-"); {
			case len(word) < leastMarked || Bare(whole) != whole: // a token may end in -
			case isJWT(word):
				out = append(out, span{from, from + len(word), aJWT})
			case isMarked(word):
				out = append(out, span{from, from + len(word), anAPIKey})
			default:
				out = appendMarkedWithin(out, text[:from+len(word)], from)
			}
		}
		from = end
	}
	return out
}

// telegram is where the token of a bot ends that begins here, with the number of the
// bot that ends at a colon: 7123456789:AA…; 0 if none does.
func telegram(text string, from, colon int) int {
	const least, most, key = 8, 10, 35
	if n := colon - from; n < least || n > most || !strings.HasPrefix(text[colon:], ":AA") || strings.Trim(text[from:colon], "0123456789") != "" {
		return 0
	}
	end := colon + 1
	for end < len(text) && (charClass[text[end]]&isWord != 0 || text[end] == '-') {
		end++
	}
	if end-colon-1 != key {
		return 0
	}
	return end
}

// maxTries is behind how many parts of a word a mark is looked for.
const maxTries = 32

// appendMarkedWithin appends what of a word that begins at from and ends the text
// is marked behind a part of it: token-ghp_….
func appendMarkedWithin(out []span, text string, from int) []span {
	tries := 0
	for i := from + 1; i+leastMarked <= len(text) && len(text)-from <= maxShaped && tries < maxTries; i++ {
		if c := text[i-1]; c != '-' && c != '.' && c != '_' || markedBy[text[i]] == nil && text[i] != 'e' {
			continue
		}
		tries++
		switch word := text[i:]; {
		case Bare(word) != word:
		case isJWT(word):
			return append(out, span{i, len(text), aJWT})
		case isMarked(word):
			return append(out, span{i, len(text), anAPIKey})
		}
	}
	return out
}

// privateKey is how long the private key is with which a text begins (RFC 7468),
// up to the end of the text if that cuts it off; 0 if none does.
func privateKey(text string) int {
	line, _, _ := strings.Cut(text[5:], "-----")
	if len(line) > 80 || !strings.HasSuffix(line, "PRIVATE KEY") && !strings.HasSuffix(line, "PRIVATE KEY BLOCK") {
		return 0
	}
	const last = "-----END "
	i := strings.Index(text, last)
	if i < 0 {
		return len(text)
	}
	if j := strings.Index(text[i+len(last):], "-----"); j >= 0 {
		return i + len(last) + j + len("-----")
	}
	return len(text)
}

// isMarked says whether a maker has marked a word as a secret. What follows the
// mark has a digit: npm_config_registry is none.
func isMarked(word string) bool {
	for _, begin := range markedBy[word[0]] {
		if rest, ok := strings.CutPrefix(word, begin); ok && len(rest) >= 10 && strings.ContainsAny(rest, "0123456789") {
			return true
		}
	}
	return false
}

// isJWT: three parts in base64url, of which the first is a JSON object.
func isJWT(s string) bool {
	return strings.HasPrefix(s, "eyJ") && strings.Count(s, ".") >= 2 && strings.Trim(s[3:], base64URL) == ""
}

const base64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.="

// appendBearer appends what stands behind "Bearer" or "Basic" and looks made by a
// machine.
func appendBearer(out []span, text string) []span {
	for from := 0; ; {
		i := strings.IndexByte(text[from:], ' ')
		if i < 0 {
			return out
		}
		i += from
		from = i + 1
		if !endsInScheme(text[:i]) {
			continue
		}
		end := from
		for end < len(text) && (charClass[text[end]]&isWord != 0 || strings.IndexByte("-._~+/=", text[end]) >= 0) {
			end++
		}
		value := strings.TrimRight(text[from:end], ".")
		if len(value) >= leastBearer && (strings.ContainsAny(value, "0123456789") || len(value) >= 2*leastBearer) {
			out = append(out, span{from, from + len(value), aBearer})
		}
		from = end
	}
}

// leastBearer is how long credentials are at least that are known by nothing but
// the scheme before them, in bytes.
const leastBearer = 12

func endsInScheme(text string) bool {
	for _, scheme := range [...]string{"bearer", "basic"} {
		if n := len(text) - len(scheme); n >= 0 && strings.EqualFold(text[n:], scheme) && !wordAt(text, n-1) {
			return true
		}
	}
	return false
}
