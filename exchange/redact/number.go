package redact

import (
	"strings"
	"unicode/utf8"
)

// appendCards appends the numbers of payment cards (ISO/IEC 7812): 13 to 19
// digits, also in groups, of a scheme that is known, whose check digit is right.
// Groups before or behind it do not hide one.
func appendCards(out []span, text string) []span {
	for i := 0; i < len(text); {
		if !digitAt(text, i) {
			i++
			continue
		}
		from := i
		for digitAt(text, i) {
			i++
		}
		if to := cardAt(text, from); to > 0 {
			out = append(out, span{from, to, aCard})
			i = to
		}
	}
	return out
}

// cardAt is where the number of a card ends that begins with a group of digits; 0
// if none does.
func cardAt(text string, from int) int {
	isTrack := from > 1 && text[from-2:from] == "%B" // of a magnetic stripe (ISO/IEC 7813)
	if text[from] < '2' || text[from] > '6' || wordAt(text, from-1) && !isTrack || from > 1 && text[from-1] == '.' && digitAt(text, from-2) {
		return 0
	}
	var ends [20]int // by the digits so far, where they end
	digits, separator := 0, byte(0)
	for at := from; at < len(text) && digits < len(ends)-1; at++ {
		c := text[at]
		if digitAt(text, at) {
			digits++
			ends[digits] = at + 1
			continue
		}
		if (c != ' ' && c != '-') || !digitAt(text, at+1) || separator != 0 && separator != c {
			break
		}
		separator = c
	}
	for n := digits; n >= 13; n-- {
		to := ends[n]
		if wordAt(text, to) || to < len(text) && text[to] == '.' && digitAt(text, to+1) {
			continue // within a word or a decimal
		}
		if isCard(text[from:to], n) {
			return to
		}
	}
	return oddCardAt(text, from)
}

// oddCardAt is cardAt for one in its usual groups, which something else parts,
// each time the same.
func oddCardAt(text string, from int) int {
	at, separator, digits := from, "", 0
	for _, n := range [...]int{4, 4, 4, 4} {
		if digits > 0 {
			end := at
			for end < len(text) && end-at <= maxSeparator && !digitAt(text, end) {
				end++
			}
			if end == at || !isSeparator(text[at:end]) || separator != "" && separator != text[at:end] {
				return 0
			}
			separator, at = text[at:end], end
		}
		for i := range n {
			if !digitAt(text, at+i) {
				return 0
			}
		}
		at, digits = at+n, digits+n
	}
	if digitAt(text, at) || strings.HasPrefix(text[at:], separator) && digitAt(text, at+len(separator)) || !isCard(text[from:at], digits) {
		return 0
	}
	return at
}

// maxSeparator is how long what parts groups of digits is at most, in bytes.
const maxSeparator = 4

// isSeparator says whether a text parts groups of digits: blanks, dashes, points
// and their like.
func isSeparator(text string) bool {
	for _, c := range text {
		if !strings.ContainsRune(" -./_\t\u00a0\u2009\u202f\u2010\u2011\u2012\u2013", c) {
			return false
		}
	}
	return true
}

// card is a scheme of payment cards: the first digits, from and to, of numbers of
// some lengths, and the first digits of the numbers that are published for tests,
// which no card has.
type card struct {
	from, to    string
	least, most int
	test        string
}

var cards = []card{
	{"4", "4", 13, 19, "400000"},       // Visa
	{"51", "55", 16, 16, "555555"},     // Mastercard
	{"2221", "2720", 16, 16, "555555"}, // Mastercard
	{"34", "34", 15, 15, "378282"},     // American Express
	{"37", "37", 15, 15, "378282"},     // American Express
	{"300", "305", 14, 14, "305693"},   // Diners Club
	{"36", "36", 14, 14, "305693"},     // Diners Club
	{"38", "39", 14, 14, "305693"},     // Diners Club
	{"3528", "3589", 16, 19, "356600"}, // JCB
	{"6011", "6011", 16, 19, "601111"}, // Discover
	{"644", "659", 16, 19, "601111"},   // Discover
	{"62", "62", 16, 19, "620000"},     // UnionPay
	{"50", "50", 16, 19, "676770"},     // Maestro
	{"56", "58", 16, 19, "676770"},     // Maestro
	{"63", "63", 16, 19, "676770"},     // Maestro
	{"67", "67", 16, 19, "676770"},     // Maestro
}

// schemeOf is that of a number of n digits; nil if it is none that is known.
func schemeOf(digits string) *card {
	for i := range cards {
		c := &cards[i]
		if len(digits) >= c.least && len(digits) <= c.most && digits[:len(c.from)] >= c.from && digits[:len(c.to)] <= c.to {
			return c
		}
	}
	return nil
}

// isCard says whether a text with n digits is the number of a card.
func isCard(text string, n int) bool {
	if n < 13 || n > 19 || text[0] < '2' || text[0] > '6' {
		return false
	}
	var buffer [19]byte
	digits := string(onlyDigits(buffer[:0], text))
	return len(digits) == n && schemeOf(digits) != nil && luhn(digits) == 0
}

func onlyDigits(out []byte, text string) []byte {
	for i := range len(text) {
		if digitAt(text, i) {
			out = append(out, text[i])
		}
	}
	return out
}

// luhn is the sum of ISO/IEC 7812-1, annex B, modulo 10: 0 for a right number.
func luhn(digits string) int {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum % 10
}

// ibanLengths are those of ISO 13616's registry.
var ibanLengths = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29, "BY": 28, "CH": 21, "CR": 22,
	"CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22,
	"GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30,
	"KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27,
	"MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33,
	"SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29,
	"VA": 22, "VG": 24, "XK": 20, "YE": 30,
}

// appendIBANs appends the account numbers (ISO 13616) whose check digits are
// right, also in groups and in lower case.
func appendIBANs(out []span, text string) []span {
	for i := 0; i+15 <= len(text); i++ {
		if !isLetter(text[i]) || !isLetter(text[i+1]) || wordAt(text, i-1) {
			continue
		}
		if end := ibanAt(text, i); end > 0 {
			out = append(out, span{i, end, anIBAN})
			i = end - 1
		}
	}
	return out
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// ibanAt is where the account number ends that begins with two letters; 0 if none
// does. What parts its groups is one character.
func ibanAt(text string, from int) int {
	var plain [34]byte
	have, want, end := 0, 2, from
	for end < len(text) && have < want {
		c := text[end]
		switch {
		case digitAt(text, end), isLetter(c):
			if c >= 'a' {
				c -= 'a' - 'A'
			}
			plain[have] = c
			have++
			end++
			if have == 2 {
				want = ibanLengths[string(plain[:2])]
			}
			continue
		case have < 2:
			return 0
		}
		_, size := utf8.DecodeRuneInString(text[end:])
		if !isSeparator(text[end:end+size]) || !wordAt(text, end+size) {
			return 0
		}
		end += size
	}
	number := string(plain[:have])
	if have < 15 || have != want || wordAt(text, end) || strings.Trim(number[2:4], "0123456789") != "" || mod97(number) != 1 {
		return 0
	}
	if text[from] >= 'a' && strings.Trim(number[min(8, have):], "0123456789") != "" {
		return 0 // hexadecimal digits, rather
	}
	return end
}

// plainIBAN is an account number without what parts its groups, in capitals.
func plainIBAN(text string) string {
	out := make([]byte, 0, len(text))
	for i := range len(text) {
		switch c := text[i]; {
		case digitAt(text, i), c >= 'A' && c <= 'Z':
			out = append(out, c)
		case c >= 'a' && c <= 'z':
			out = append(out, c-'a'+'A')
		}
	}
	return string(out)
}

// mod97 is the remainder by which ISO 7064 (MOD 97-10) checks an account number:
// 1 for a right one.
func mod97(iban string) int {
	sum := 0
	add := func(s string) {
		for i := range len(s) {
			switch c := s[i]; {
			case c >= '0' && c <= '9':
				sum = (sum*10 + int(c-'0')) % 97
			case c >= 'A' && c <= 'Z':
				sum = (sum*100 + int(c-'A') + 10) % 97
			}
		}
	}
	add(iban[4:])
	add(iban[:4])
	return sum
}

// appendPhones appends telephone numbers, carefully: those with a plus and the
// code of a country (ITU-T E.164) that begin a word and have ten digits or more,
// and under a name for them whole values.
func appendPhones(out []span, text string, h hint) []span {
	if h&maybePhone != 0 && len(text) <= 32 {
		if n := phoneDigits(text); n >= 7 && n <= 15 {
			return append(out, span{0, len(text), aPhone})
		}
	}
	for from := 0; ; {
		i := strings.IndexByte(text[from:], '+')
		if i < 0 {
			return out
		}
		i += from
		from = i + 1
		if i > 0 && strings.IndexByte(" \t\n\r\"'(:;,=<>[", text[i-1]) < 0 || !digitAt(text, i+1) || text[i+1] == '0' {
			continue
		}
		end, digits, last := i+1, 0, i+1
		for end < len(text) && digits <= 15 {
			if digitAt(text, end) {
				digits++
				last = end + 1
			} else if strings.IndexByte(" -.()/", text[end]) < 0 || end-last > 1 {
				break
			}
			end++
		}
		if digits >= 10 && digits <= 15 && !wordAt(text, last) {
			out = append(out, span{i, last, aPhone})
			from = last
		}
	}
}

// phoneDigits is how many digits a text has that holds nothing but those and what
// is written between them in a telephone number; 0 for another text.
func phoneDigits(text string) int {
	n := 0
	for i := range len(text) {
		switch c := text[i]; {
		case digitAt(text, i):
			n++
		case c == '+' && i == 0:
		case strings.IndexByte(" -.()/", c) < 0:
			return 0
		}
	}
	return n
}
