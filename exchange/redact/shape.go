package redact

import "strings"

// secretBeginnings are those of keys and tokens that their makers mark so that
// they are found: Stripe, GitHub, GitLab, Slack, AWS, Google, SendGrid, npm,
// PyPI, Shopify.
var secretBeginnings = strings.Fields(`sk_live_ sk_test_ rk_live_ rk_test_ whsec_ ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- xoxb- xoxp- xoxa- xoxr-
	AKIA ASIA AIza ya29. SG. npm_ pypi- shpat_ shpss_`)

// leastMarked is how long a marked secret is at least, in bytes.
const leastMarked = 16

// hasSecretShape says whether a text is a secret whatever its name is: a JSON
// Web Token (RFC 7519), or a key that its maker has marked.
func hasSecretShape(s string) bool {
	if len(s) < leastMarked || strings.ContainsAny(s, " /?&") {
		return false
	}
	if isJWT(s) {
		return true
	}
	for _, begin := range secretBeginnings {
		if strings.HasPrefix(s, begin) {
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
