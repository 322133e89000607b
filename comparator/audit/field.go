package audit

import (
	"slices"
	"strings"

	"understudy.dev/comparator"
	"understudy.dev/exchange/timestamp"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// line is a kind of fault in one line of the fields of an answer; f gives what
// stands there instead (nil is nothing), and false where the kind does not fit.
func line(name string, place comparator.Place, f func(s *subject, h *understudyv1.Header) ([]byte, bool)) kind {
	return kind{name, Fields, func(s *subject, most int) []plant {
		all := fieldsOf(s.final, place)
		var out []plant
		for _, i := range s.random.Perm(len(all)) {
			if len(out) == most {
				break
			}
			value, fits := f(s, all[i])
			if !fits || value != nil && sameField(all[i].GetValue(), value) {
				continue
			}
			out = append(out, plant{place: place, path: fieldPath(place, all[i]), put: func(r *understudyv1.Replay) {
				final, _ := finalOf(r)
				setLine(final, place, i, value)
			}})
		}
		return out
	}}
}

func fieldsOf(r *understudyv1.Response, place comparator.Place) []*understudyv1.Header {
	if place == comparator.InTrailer {
		return r.GetTrailers()
	}
	return r.GetHeaders()
}

func setLine(r *understudyv1.Response, place comparator.Place, i int, value []byte) {
	lines := &r.Headers
	if place == comparator.InTrailer {
		lines = &r.Trailers
	}
	if value == nil {
		*lines = slices.Delete(*lines, i, i+1)
		return
	}
	(*lines)[i].Value = value
}

// fieldPath is the path of a field, and of a cookie that of the cookie.
func fieldPath(place comparator.Place, h *understudyv1.Header) string {
	path := string(place) + ":" + strings.ToLower(h.GetName())
	if isCookie(h) {
		name, _, _ := strings.Cut(string(h.GetValue()), "=")
		path += ":" + strings.TrimSpace(name)
	}
	return path
}

func isCookie(h *understudyv1.Header) bool { return strings.EqualFold(h.GetName(), "Set-Cookie") }

// linkFields hold references.
var linkFields = []string{"location", "content-location", "link"}

func isLinkField(h *understudyv1.Header) bool {
	return slices.Contains(linkFields, strings.ToLower(h.GetName()))
}

// sameField says that two values mean the same: case, order and blanks of lists
// aside, whatever the field is.
func sameField(a, b []byte) bool {
	spelled := func(v []byte) []string {
		parts := strings.FieldsFunc(strings.ToLower(string(v)), func(r rune) bool { return r == ',' || r == ';' })
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		slices.Sort(parts)
		return parts
	}
	return slices.Equal(spelled(a), spelled(b))
}

var fieldKinds = []kind{
	line("header missing", comparator.InHeader, func(s *subject, h *understudyv1.Header) ([]byte, bool) {
		return nil, !isCookie(h) && !s.extra[fieldPath(comparator.InHeader, h)]
	}),
	line("header changed", comparator.InHeader, func(s *subject, h *understudyv1.Header) ([]byte, bool) {
		return s.changedField(h), !isCookie(h) && !isLinkField(h) && s.clean(fieldPath(comparator.InHeader, h))
	}),
	{"header more", Fields, func(*subject, int) []plant {
		return []plant{{place: comparator.InHeader, path: "header:x-planted", put: func(r *understudyv1.Replay) {
			final, _ := finalOf(r)
			final.Headers = append(final.Headers, &understudyv1.Header{Name: "X-Planted", Value: []byte("by the audit")})
		}}}
	}},
	line("header leads to another thing", comparator.InHeader, func(s *subject, h *understudyv1.Header) ([]byte, bool) {
		before, target, after := "", string(h.GetValue()), ""
		if from, to := strings.IndexByte(target, '<'), strings.IndexByte(target, '>'); from >= 0 && to > from {
			before, target, after = target[:from+1], target[from+1:to], target[to:]
		}
		other := s.anotherLink(target)
		return []byte(before + other + after), isLinkField(h) && other != ""
	}),
	line("cookie not set", comparator.InHeader, func(_ *subject, h *understudyv1.Header) ([]byte, bool) { return nil, isCookie(h) }),
	line("cookie cleared", comparator.InHeader, func(_ *subject, h *understudyv1.Header) ([]byte, bool) {
		name, value, _ := strings.Cut(string(h.GetValue()), "=")
		return []byte(name + "=; Path=/; Max-Age=0"), isCookie(h) && value != "" && value[0] != ';' && !strings.Contains(strings.ToLower(value), "max-age=0")
	}),
	line("cookie with another attribute", comparator.InHeader, func(_ *subject, h *understudyv1.Header) ([]byte, bool) {
		v := string(h.GetValue())
		cleared := strings.Contains(strings.ToLower(v), "max-age=0") || strings.Contains(v, "=;")
		if i := strings.Index(v, "; Secure"); i >= 0 {
			return []byte(v[:i] + v[i+len("; Secure"):]), isCookie(h) && !cleared
		}
		return []byte(v + "; Secure"), isCookie(h) && !cleared
	}),
	line("trailer missing", comparator.InTrailer, func(*subject, *understudyv1.Header) ([]byte, bool) { return nil, true }),
	line("trailer changed", comparator.InTrailer, func(s *subject, h *understudyv1.Header) ([]byte, bool) {
		return s.changedField(h), s.clean(fieldPath(comparator.InTrailer, h)) && !strings.EqualFold(h.GetName(), "Grpc-Status")
	}),
}

// changedField is another value of a field.
func (s *subject) changedField(h *understudyv1.Header) []byte {
	v := string(h.GetValue())
	if t, ok := timestamp.Parse(v); ok {
		if out := written(t, t.AddDate(0, 0, 3), v); out != "" {
			return []byte(out)
		}
	}
	kind, parameters := v, ""
	if i := strings.IndexByte(v, ';'); i > 0 && strings.EqualFold(h.GetName(), "Content-Type") {
		kind, parameters = v[:i], v[i:]
	}
	return []byte(anotherLetter(s.random, kind) + parameters)
}
