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
		return r.token(value)
	}
	return scheme + " " + r.token(strings.Trim(rest, " \t"))
}

// schemes are those of IANA's registry of HTTP authentication schemes, and what
// is in use beside it.
var schemes = strings.Fields(`basic bearer concealed digest dpop gnap hoba mutual negotiate ntlm oauth privatetoken scram-sha-1 scram-sha-256 vapid
	token apikey api-key key jwt hawk signature sharedkey sharedaccesssignature aws4-hmac-sha256 googlelogin splunk mac`)

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

// setCookie replaces only the values: the attributes are not secret. Two cookies
// may stand in one field, joined by a comma, as some recorders write them.
func (r *Redactor) setCookie(line string) string {
	parts := strings.Split(line, ";")
	parts[0] = r.pair(parts[0])
	for i, part := range parts[1:] {
		attribute, next, found := strings.Cut(part, ",")
		if found && strings.Contains(next, "=") {
			parts[i+1] = attribute + "," + r.pair(next)
		}
	}
	return strings.Join(parts, ";")
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
