package diff

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape appends the value of a raw string (without quotes). A surrogate
// that stands alone becomes U+FFFD followed by its four digits, so that two
// different ones stay different.
func unescape(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			dst = append(dst, s[i])
			i++
			continue
		}
		switch s[i+1] {
		case 'u':
			r := rune(hex(s[i+2])<<12 | hex(s[i+3])<<8 | hex(s[i+4])<<4 | hex(s[i+5]))
			i += 6
			if !utf16.IsSurrogate(r) {
				dst = utf8.AppendRune(dst, r)
				continue
			}
			if i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
				low := rune(hex(s[i+2])<<12 | hex(s[i+3])<<8 | hex(s[i+4])<<4 | hex(s[i+5]))
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					dst = utf8.AppendRune(dst, pair)
					i += 6
					continue
				}
			}
			dst = append(dst, "\uFFFD"...)
			dst = strconv.AppendInt(dst, int64(r), 16)
			continue
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		default:
			dst = append(dst, s[i+1])
		}
		i += 2
	}
	return dst
}

// decimal is a number as ± 0.d₁d₂d₃… × 10^(point + e) without leading or
// trailing zeros among the digits; zero has none. e is the exponent as it was
// written, of any length, without sign and leading zeros.
type decimal struct {
	negative bool
	digits   []byte
	point    int64
	minus    bool
	e        []byte
}

// decimalOf takes a JSON number apart. buf is scratch space, used only where
// the digits do not stand together.
func decimalOf(buf, s []byte) (d decimal) {
	if s[0] == '-' {
		d.negative, s = true, s[1:]
	}
	whole := digits(s, 0)
	d.point = int64(whole)
	d.digits = s[:whole]
	rest := s[whole:]
	if len(rest) > 0 && rest[0] == '.' {
		end := digits(rest, 1)
		d.digits = append(append(buf[:0], d.digits...), rest[1:end]...)
		rest = rest[end:]
	}
	for len(d.digits) > 0 && d.digits[0] == '0' {
		d.digits = d.digits[1:]
		d.point--
	}
	for len(d.digits) > 0 && d.digits[len(d.digits)-1] == '0' {
		d.digits = d.digits[:len(d.digits)-1]
	}
	if len(d.digits) == 0 {
		return decimal{}
	}
	if len(rest) > 0 { // e, maybe a sign, digits
		d.minus = rest[1] == '-'
		d.e = bytes.TrimLeft(rest[1:], "+-0")
	}
	return d
}

// smallExponent is the number of digits of an exponent that fits an int64
// together with any point.
const smallExponent = 18

// place stands for the sign and the power of ten in a hash. Powers of any
// size are taken modulo a prime.
func (d decimal) place() uint64 {
	const prime = 1<<59 - 55
	var e uint64
	for _, c := range d.e {
		e = (e*10 + uint64(c-'0')) % prime
	}
	if d.minus {
		e = prime - e
	}
	e = (e + uint64(d.point+prime)) % prime // a point is within ±2^31
	if d.negative {
		return ^e
	}
	return e
}

// exponent is point + e for a small e.
func (d decimal) exponent() int64 {
	var e int64
	for _, c := range d.e {
		e = e*10 + int64(c-'0')
	}
	if d.minus {
		e = -e
	}
	return d.point + e
}

// numbersEqual compares two JSON numbers as exact decimals, in time linear in
// their length.
func numbersEqual(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var bufA, bufB [64]byte
	x, y := decimalOf(bufA[:0], a), decimalOf(bufB[:0], b)
	if x.negative != y.negative || !bytes.Equal(x.digits, y.digits) {
		return false
	}
	if len(x.e) <= smallExponent && len(y.e) <= smallExponent {
		return x.exponent() == y.exponent()
	}
	// At least one exponent is beyond 10^18, the points are below 2^31.
	if x.minus != y.minus {
		return false
	}
	shift := y.point - x.point
	if x.minus {
		shift = -shift
	}
	return minus(x.e, y.e) == shift
}

// minus is the difference of two numbers given by their digits, or any number
// beyond ±2^40 if it is beyond.
func minus(a, b []byte) int64 {
	var d int64
	length := max(len(a), len(b))
	for i := range length {
		d *= 10
		if k := i - (length - len(a)); k >= 0 {
			d += int64(a[k] - '0')
		}
		if k := i - (length - len(b)); k >= 0 {
			d -= int64(b[k] - '0')
		}
		if d > 1<<40 || d < -1<<40 {
			break
		}
	}
	return d
}

func textsEqual(a, b []byte, escaped bool) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if !escaped {
		return false
	}
	return bytes.Equal(unescape(nil, a), unescape(nil, b))
}
