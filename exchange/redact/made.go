package redact

import (
	"encoding/base64"
	"regexp"
	"strings"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// made makes a token of a value, of the same shape: an e-mail address, the number
// of a card or an account and a telephone number stay such, anything else becomes
// rdx_ and 22 characters. What is a token already stays as it is, because a system
// answers with what it was sent: no value of those shapes is anybody's. Cards have
// the first digits of the numbers for tests of their scheme, accounts those of no
// bank, telephones the code of no country, and mail goes to no host (RFC 6761).
func (r *Redactor) made(value string) string {
	if value == "" || isMade(value) {
		return value
	}
	switch wholeShape(value) {
	case anEmail:
		return r.madeMail(value)
	case aCard:
		return r.madeCard(value)
	case anIBAN:
		return r.madeIBAN(value)
	case aPhone:
		return r.madePhone(value)
	}
	return r.key.Token(domain, value)
}

// madeOf is the token of a value whose shape is known.
func (r *Redactor) madeOf(at place, value string, s shape) string {
	if s == aJWT && inBodies[at] {
		return r.madeJWT(value)
	}
	if s == aPhone && !isMade(value) {
		return r.madePhone(value)
	}
	return r.made(value)
}

// madeJWT is a JSON Web Token that lets nobody in: in the place of its signature
// stands the token of the whole, and its claims are redacted as any JSON. So what
// two systems claim can be compared. One without a signature lets anybody in, and
// stays without.
func (r *Redactor) madeJWT(text string) string {
	if isMade(text) {
		return text
	}
	whole := r.key.Token(domain, text)
	parts := strings.Split(text, ".")
	if len(parts) != 3 || len(text) > maxShaped {
		return whole
	}
	for i, part := range parts[:2] {
		part = strings.TrimRight(part, "=")
		plain, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || len(plain) == 0 || plain[0] != '{' {
			return whole
		}
		w := work{r: r, found: &places{into: &understudyv1.Exchange{}}, nest: maxNested}
		claims := w.json(string(plain))
		if !claims.whole {
			return whole
		}
		if parts[i] = part; claims.changed {
			parts[i] = base64.RawURLEncoding.EncodeToString([]byte(claims.out))
		}
	}
	if parts[2] != "" {
		parts[2] = whole
	}
	return strings.Join(parts, ".")
}

// Bare is the token in a JSON Web Token that was redacted in a body, which is the
// one that stands for it elsewhere; any other text stays as it is.
func Bare(text string) string {
	if !strings.HasPrefix(text, "eyJ") {
		return text
	}
	if i := len(text) - (len(domain) + 1 + tokenSize); i > 0 && text[i-1] == '.' && isToken(text[i:]) && isJWT(text) {
		return text[i:]
	}
	return text
}

// madeMail is an address of letters, so that nothing takes it for a name that a
// machine has made: elements of lists are told apart by such.
func (r *Redactor) madeMail(value string) string {
	sum := r.key.Sum(domain+"-mail", value)
	out := append(make([]byte, 0, 48), domain+"_"...)
	for _, c := range sum[:tokenSize] {
		out = append(out, base64URL[c%52])
	}
	return string(append(out, mailHost...))
}

// mailHost is where the addresses lead that stand for others.
const mailHost = "@redacted.invalid"

// wholeShape is the shape of a text as a whole, of those that tokens keep.
func wholeShape(value string) shape {
	var buffer [2]span
	if len(value) < leastShaped || len(value) > 320 {
		return noShape
	}
	out := buffer[:0]
	switch c := value[0]; {
	case strings.IndexByte(value, '@') > 0:
		out = appendEmails(out, value)
	case c == '+':
		out = appendPhones(out, value, 0)
	case c >= '0' && c <= '9':
		out = appendCards(out, value)
	case isLetter(c):
		out = appendIBANs(out, value)
	}
	if len(out) == 1 && out[0].from == 0 && out[0].to == len(value) {
		return out[0].shape
	}
	return noShape
}

// digitsOf are n digits that the key makes of a value.
func (r *Redactor) digitsOf(value string, n int) string {
	sum := r.key.Sum(domain+"-digits", value)
	out := make([]byte, n)
	for i := range out {
		// Of two bytes, so that no digit is much likelier than another.
		out[i] = '0' + byte((int(sum[(2*i)%len(sum)])<<8|int(sum[(2*i+1)%len(sum)]))%10)
	}
	return string(out)
}

func (r *Redactor) madeCard(text string) string {
	digits := string(onlyDigits(nil, text))
	scheme := schemeOf(digits)
	token := scheme.test + r.digitsOf(digits, len(digits)-len(scheme.test)-1)
	token += string('0' + byte((10-luhn(token+"0"))%10))
	return likeDigits(text, token)
}

// likeDigits puts digits into the places of those of a text.
func likeDigits(text, digits string) string {
	out := []byte(text)
	next := 0
	for i := range out {
		if digitAt(text, i) {
			out[i] = digits[next]
			next++
		}
	}
	return string(out)
}

// noBank are the first characters of an account number behind its check digits
// that no bank has: as many as this of 9 or X.
const noBank = 4

func (r *Redactor) madeIBAN(text string) string {
	plain := plainIBAN(text)
	sum := r.key.Sum(domain+"-digits", plain)
	out := []byte(plain)
	for i := 4; i < len(out); i++ {
		letter := out[i] >= 'A'
		switch {
		case i < 4+noBank && letter:
			out[i] = 'X'
		case i < 4+noBank:
			out[i] = '9'
		case letter:
			out[i] = 'A' + sum[i%len(sum)]%26
		default:
			out[i] = '0' + sum[i%len(sum)]%10
		}
	}
	out[2], out[3] = '0', '0'
	check := 98 - mod97(string(out))
	out[2], out[3] = '0'+byte(check/10), '0'+byte(check%10)
	spelled := []byte(text)
	next := 0
	for i, c := range spelled {
		if !digitAt(text, i) && !isLetter(c) {
			continue
		}
		if spelled[i] = out[next]; c >= 'a' && out[next] >= 'A' {
			spelled[i] += 'a' - 'A'
		}
		next++
	}
	return string(spelled)
}

// noCountry is the code of a country that ITU-T has reserved.
const noCountry = "999"

func (r *Redactor) madePhone(text string) string {
	digits := string(onlyDigits(nil, text))
	token := noCountry + r.digitsOf(digits, 12)
	if strings.HasPrefix(text, "+") {
		return "+" + token
	}
	return token
}

// madeNumber is a token for a number in JSON: an integer that begins with 999, of
// 9 digits for one that short and of 15 else, which every reader holds exactly.
func (r *Redactor) madeNumber(text string) string {
	if isMadeNumber(text) {
		return text
	}
	if wholeShape(text) == aCard {
		return r.madeCard(text)
	}
	if len(text) <= 9 {
		return "999" + r.digitsOf(text, 6)
	}
	return "999" + r.digitsOf(text, 12)
}

func isMadeNumber(text string) bool {
	return (len(text) == 9 || len(text) == 15) && strings.HasPrefix(text, "999") && strings.Trim(text, "0123456789") == "" || isMadeCard(text)
}

// Alike says whether two texts may differ in nothing but tokens, of which those of
// two keys do not tell whether the values are equal.
func Alike(a, b string) bool {
	if isMade(a) || isMadeNumber(a) {
		return isMade(b) || isMadeNumber(b)
	}
	const token = "\x00"
	return HasToken(a) && HasToken(b) && tokenInside.ReplaceAllString(a, token) == tokenInside.ReplaceAllString(b, token)
}

// isMade says whether a text as a whole stands for a secret.
func isMade(text string) bool {
	switch {
	case len(text) == len(domain)+1+tokenSize:
		return isToken(text)
	case len(text) == len(domain)+1+tokenSize+len(mailHost):
		return strings.HasSuffix(text, mailHost) && isToken(strings.TrimSuffix(text, mailHost))
	case Bare(text) != text:
		return true
	case len(text) < 12 || len(text) > 100:
		return false
	}
	c := text[0]
	switch {
	case c == '+':
		return len(text) == 1+15 && strings.HasPrefix(text[1:], noCountry) && phoneDigits(text) == 15
	case c == '9':
		return len(text) == 15 && strings.HasPrefix(text, noCountry) && phoneDigits(text) == 15
	case c >= '2' && c <= '6':
		return isMadeCard(text)
	case isLetter(c):
		return isMadeIBAN(text)
	}
	return false
}

func isMadeCard(text string) bool {
	if len(text) < 13 || len(text) > 16+3*maxSeparator {
		return false
	}
	digits := string(onlyDigits(nil, text))
	if len(digits) < 13 || !isCard(text, len(digits)) {
		return false
	}
	return strings.HasPrefix(digits, schemeOf(digits).test)
}

func isMadeIBAN(text string) bool {
	plain := plainIBAN(text)
	if len(plain) < 15 || ibanLengths[plain[:2]] != len(plain) {
		return false
	}
	return strings.Trim(plain[4:4+noBank], "9X") == "" && mod97(plain) == 1
}

// tokenSize is how many characters stand behind the domain of a token.
const tokenSize = 22

// IsToken says whether a text is a token that a Redactor put in the place of a
// secret, or a JSON Web Token that is none any more, see Bare.
func IsToken(text string) bool { return isToken(Bare(text)) }

func isToken(text string) bool {
	rest, ok := strings.CutPrefix(text, domain+"_")
	return ok && len(rest) == tokenSize && strings.Trim(rest, base64URL[:64]) == ""
}

// HasToken says whether such a token stands somewhere in a text.
func HasToken(text string) bool { return tokenInside.MatchString(text) }

// HidesToken says whether one stands in a text or in what of it is base64, as in a
// cursor. Its first characters are the same there for each of three places.
func HidesToken(text string) bool {
	return HasToken(text) || strings.Contains(text, "cmR4X") || strings.Contains(text, "JkeF9") || strings.Contains(text, "JkeF8") || strings.Contains(text, "yZHhf")
}

var tokenInside = regexp.MustCompile(domain + `_[A-Za-z0-9_-]{22}`)
