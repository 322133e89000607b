package redact

import (
	"slices"
	"strings"
)

// credentials keeps the scheme of "Bearer …" visible, if it is one that is known:
// the first word of anything else may be a part of the secret.
func (r *Redactor) credentials(value string) string {
	scheme, rest, found := strings.Cut(value, " ")
	if !found || strings.Trim(rest, " \t") == "" || !slices.Contains(schemes, strings.ToLower(scheme)) {
		return r.made(value)
	}
	return scheme + " " + r.made(strings.Trim(rest, " \t"))
}

// schemes are those of IANA's registry of HTTP authentication schemes, and what
// is in use beside it.
var schemes = strings.Fields(`basic bearer concealed digest dpop gnap hoba mutual negotiate ntlm oauth privatetoken scram-sha-1 scram-sha-256 vapid
	token apikey api-key key jwt hawk signature sharedkey sharedaccesssignature aws4-hmac-sha256 googlelogin splunk mac`)

// cookies replaces the value of each pair of a Cookie header; everything
// between the values stays as it is.
func (w *work) cookies(line string) string {
	var b strings.Builder
	first := true
	for pair := range strings.SplitSeq(line, ";") {
		out, dropped := w.pair(pair)
		if dropped {
			continue
		}
		if !first {
			b.WriteByte(';')
		}
		first = false
		b.WriteString(out)
	}
	return b.String()
}

// setCookie replaces only the values: the attributes are not secret. Two cookies
// may stand in one field, joined by a comma, as some recorders write them.
func (w *work) setCookie(line string) string {
	parts := strings.Split(line, ";")
	parts[0] = w.set(parts[0])
	for i, part := range parts[1:] {
		attribute, next, found := strings.Cut(part, ",")
		if found && strings.Contains(next, "=") {
			parts[i+1] = attribute + "," + w.set(next)
		}
	}
	return strings.Join(parts, ";")
}

// set is pair for a cookie that is set: of one that is dropped the name stays,
// since it says how the client is answered.
func (w *work) set(pair string) string {
	out, dropped := w.pair(pair)
	if dropped {
		name, _, _ := strings.Cut(pair, "=")
		return name + "="
	}
	return out
}

func (w *work) pair(pair string) (out string, dropped bool) {
	name, value, found := strings.Cut(pair, "=")
	if !found {
		// A cookie without a name consists of a value only.
		trimmed := strings.Trim(pair, " \t")
		if trimmed == "" {
			return pair, false
		}
		return pair[:strings.Index(pair, trimmed)] + w.cookie(trimmed), false
	}
	value = strings.Trim(value, " \t")
	n := w.r.nameOf(strings.Trim(name, " \t"))
	if len(n.rules) > 0 {
		if res := w.value(inCookie, n, value); res.changed || w.ruled(inCookie, n) {
			return name + "=" + res.text, res.dropped
		}
	}
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return name + `="` + w.cookie(value[1:len(value)-1]) + `"`, false
	}
	return name + "=" + w.cookie(value), false
}

// cookie is what stands for the value of a cookie. Each is a secret, whatever it
// is called.
func (w *work) cookie(value string) string {
	out := w.r.made(value)
	if out != value {
		w.note(inCookie, nameless, labelHeader, actionToken)
	}
	return out
}
