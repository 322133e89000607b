package diff

import (
	"bytes"
	"math"
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

// decimal is a number as ± 0.d₁d₂d₃… × 10^exp without leading or trailing
// zeros among the digits; zero has none.
type decimal struct {
	negative bool
	digits   []byte
	exp      int64
}

// decimalOf normalises a JSON number. buf is scratch space. An exponent beyond
// ±2^62 is held at that bound; numbers of that size are told apart by their
// text alone.
func decimalOf(buf, s []byte) (d decimal, huge bool) {
	if s[0] == '-' {
		d.negative, s = true, s[1:]
	}
	mantissa, exponent := s, []byte(nil)
	if i := bytes.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent = s[:i], s[i+1:]
	}
	point := bytes.IndexByte(mantissa, '.')
	buf = append(buf[:0], mantissa...)
	if point >= 0 {
		buf = append(buf[:point], mantissa[point+1:]...)
	} else {
		point = len(mantissa)
	}
	d.exp = int64(point)
	for len(buf) > 0 && buf[0] == '0' {
		buf = buf[1:]
		d.exp--
	}
	for len(buf) > 0 && buf[len(buf)-1] == '0' {
		buf = buf[:len(buf)-1]
	}
	d.digits = buf
	if len(buf) == 0 {
		return decimal{}, false
	}
	if exponent != nil {
		e, err := strconv.ParseInt(string(bytes.TrimPrefix(exponent, []byte("+"))), 10, 64)
		if err != nil || e > math.MaxInt64/4 || e < -math.MaxInt64/4 {
			return d, true
		}
		d.exp += e
	}
	return d, false
}

// numbersEqual compares two JSON numbers as exact decimals.
func numbersEqual(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var bufA, bufB [64]byte
	x, hugeX := decimalOf(bufA[:0], a)
	y, hugeY := decimalOf(bufB[:0], b)
	if hugeX || hugeY {
		return false
	}
	return x.negative == y.negative && x.exp == y.exp && bytes.Equal(x.digits, y.digits)
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
