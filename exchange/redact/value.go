package redact

import (
	"bytes"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// credentials keeps the scheme of "Bearer …" visible.
func (r *Redactor) credentials(value string) string {
	scheme, rest, found := strings.Cut(value, " ")
	if !found || strings.Trim(rest, " \t") == "" || !isScheme(scheme) {
		return r.token(value)
	}
	return scheme + " " + r.token(strings.Trim(rest, " \t"))
}

// isScheme is strict, so that the first part of a secret with a blank in it is
// not shown as a scheme.
func isScheme(s string) bool {
	if len(s) == 0 || len(s) > 20 {
		return false
	}
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && s[i] != '-' && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// cookies replaces the value of each pair of a Cookie header; everything
// between the values stays as it is.
func (r *Redactor) cookies(line string) string {
	var b strings.Builder
	for i, pair := range strings.Split(line, ";") {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(r.pair(pair))
	}
	return b.String()
}

// setCookie replaces only the value: the attributes are not secret.
func (r *Redactor) setCookie(line string) string {
	pair, attributes, found := strings.Cut(line, ";")
	if !found {
		return r.pair(pair)
	}
	return r.pair(pair) + ";" + attributes
}

func (r *Redactor) pair(pair string) string {
	name, value, found := strings.Cut(pair, "=")
	if !found {
		// A cookie without a name consists of a value only.
		trimmed := strings.Trim(pair, " \t")
		if trimmed == "" {
			return pair
		}
		return pair[:strings.Index(pair, trimmed)] + r.token(trimmed)
	}
	value = strings.Trim(value, " \t")
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return name + `="` + r.token(value[1:len(value)-1]) + `"`
	}
	return name + "=" + r.token(value)
}

// target redacts the query of a request target or URL and leaves its other
// bytes as they are.
func (r *Redactor) target(raw []byte, place understudyv1.Redaction_Place, found *places) []byte {
	i := bytes.IndexByte(raw, '?')
	if i < 0 || len(r.query) == 0 {
		return raw
	}
	rest := string(raw[i+1:])
	fragment := ""
	if j := strings.IndexByte(rest, '#'); j >= 0 {
		rest, fragment = rest[:j], rest[j:]
	}
	var b []byte
	done := 0 // so much of rest is in b
	for p := range message.Parameters(rest) {
		if p.Value == "" || !r.query[strings.ToLower(p.Decoded())] {
			continue
		}
		if b == nil {
			b = append(make([]byte, 0, len(raw)+32), raw[:i+1]...)
		}
		b = append(append(b, rest[done:p.At]...), r.token(p.Value)...)
		done = p.At + len(p.Value)
		found.add(place, p.Name)
	}
	if b == nil {
		return raw
	}
	return append(append(b, rest[done:]...), fragment...)
}
