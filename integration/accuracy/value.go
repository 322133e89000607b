package accuracy

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A rendered document: object, array, number, string, bool or nil.
type (
	member struct {
		key   string
		value any
	}
	object []member
	array  []any
	number string
)

// style is how a document is spelled; it says nothing.
type style struct {
	// shuffle puts the members of objects in another order.
	shuffle bool
	// indent writes blanks and line ends between the tokens.
	indent bool
	// respell writes numbers otherwise: 12.50 as 12.5, 3 as 3.0.
	respell bool
	// escape writes / and what is not ASCII as escapes.
	escape bool
}

// encoder writes JSON.
type encoder struct {
	bytes.Buffer
	style
	random *rand.Rand
}

func encodeJSON(v any, s style, random *rand.Rand) []byte {
	e := encoder{style: s, random: random}
	e.value(v, 0)
	return e.Bytes()
}

// plain is a document in the usual spelling.
func plain(v any) []byte { return encodeJSON(v, style{}, nil) }

func (e *encoder) line(depth int) {
	if e.indent {
		e.WriteString("\n" + strings.Repeat("  ", depth))
	}
}

func (e *encoder) value(v any, depth int) {
	switch x := v.(type) {
	case object:
		e.WriteByte('{')
		order := make([]int, len(x))
		for i := range order {
			order[i] = i
		}
		if e.shuffle {
			e.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		for i, at := range order {
			if i > 0 {
				e.WriteByte(',')
			}
			e.line(depth + 1)
			e.text(x[at].key)
			e.WriteByte(':')
			if e.indent {
				e.WriteByte(' ')
			}
			e.value(x[at].value, depth+1)
		}
		e.line(depth)
		e.WriteByte('}')
	case array:
		e.WriteByte('[')
		for i, element := range x {
			if i > 0 {
				e.WriteByte(',')
			}
			e.line(depth + 1)
			e.value(element, depth+1)
		}
		e.line(depth)
		e.WriteByte(']')
	case number:
		e.number(string(x))
	case string:
		e.text(x)
	case bool:
		e.WriteString(strconv.FormatBool(x))
	case nil:
		e.WriteString("null")
	}
}

func (e *encoder) number(s string) {
	switch {
	case !e.respell || len(s) > 9:
	case strings.HasSuffix(s, "0") && strings.Contains(s, "."):
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	case !strings.Contains(s, ".") && len(s) < 4:
		s += ".0"
	}
	e.WriteString(s)
}

const hexDigits = "0123456789abcdef"

func (e *encoder) text(s string) {
	e.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			e.WriteString(`\` + string(c))
		case c == '\n':
			e.WriteString(`\n`)
		case c == '/' && e.escape:
			e.WriteString(`\/`)
		case c < ' ' || c >= utf8.RuneSelf && c < 0x10000 && e.escape:
			e.WriteString(`\u`)
			for shift := 12; shift >= 0; shift -= 4 {
				e.WriteByte(hexDigits[c>>shift&15])
			}
		default:
			e.WriteRune(c)
		}
	}
	e.WriteByte('"')
}

// textOf is a scalar as text.
func textOf(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case number:
		return string(x)
	case bool:
		return strconv.FormatBool(x)
	case nil:
		return ""
	}
	return string(plain(v))
}
