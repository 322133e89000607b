package redact

import (
	"strings"
	"sync"
	"sync/atomic"
)

// IsSecret says whether values of a name (of a member, a parameter, a field or a
// kind of things) are secrets by that name: what is redacted by default, and
// names that end in a word for a secret, an id behind it aside (reset_token,
// sessionId). How its words are written apart does not matter.
func IsSecret(name string) bool {
	if len(name) > maxName {
		return false
	}
	if known, ok := judged.names.Load(name); ok {
		return known.(bool)
	}
	secret := isSecret(name)
	if judged.count.Load() < maxJudged {
		if _, there := judged.names.LoadOrStore(name, secret); !there {
			judged.count.Add(1)
		}
	}
	return secret
}

// judged are names that were looked at: a system has few, and a client that
// invents some only fills it once.
var judged struct {
	names sync.Map
	count atomic.Int64
}

const maxJudged = 4096

func isSecret(name string) bool {
	words := wordsOf(name)
	for len(words) > 1 && afterthoughts[words[len(words)-1]] {
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return false
	}
	if whole := strings.Join(words, ""); secretNames[whole] || secretNames[strings.TrimPrefix(whole, "x")] {
		return true
	}
	last := strings.TrimSuffix(words[len(words)-1], "s")
	before := ""
	if len(words) > 1 {
		before = words[len(words)-2]
	}
	if words[len(words)-1] == "pass" {
		return !openPasses[before]
	}
	switch last {
	case "pwd", "pw", "sig", "hmac", "passkey", "mnemonic":
		return true
	case "verifier":
		return before == "oauth" || before == "code"
	case "phrase":
		return before == "pass" || before == "seed" || before == "recovery" || before == "secret"
	case "token":
		return !openTokens[before]
	case "key":
		return before != "" && !openKeys[before]
	case "code", "link":
		return proofs[before]
	case "assertion":
		return before == "jwt" || before == "saml"
	case "cert", "certificate":
		return before == "client" || before == "peer"
	case "answer":
		return before == "security" || before == "secret"
	case "signature":
		return before != "" && !openSignatures[before]
	}
	for _, end := range secretEnds {
		if strings.HasSuffix(last, end) {
			return true
		}
	}
	return false
}

// maxName is how long a name may be that is looked at, in bytes.
const maxName = 256

var (
	secretNames = map[string]bool{}
	secretEnds  = strings.Fields(`token secret password passwd passphrase passcode session sessid sessionid csrf xsrf jwt nonce otp credential apikey appkey secretkey privatekey accesskey authkey authcode
		passwort kennwort motdepasse senha contrasena contraseña wachtwoord lösenord lozinka heslo hasło parola`)
	// openKeys are words before "key" that make it none to a lock.
	openKeys = setOf("idempotency public primary foreign sort partition routing cache surrogate group order natural unique composite " +
		"object file item row record index lookup map config property setting message translation i18n issue project event job")
	// openTokens are words before "token" that make it a place in a list.
	openTokens = setOf("page next previous prev continuation continue cursor sync delta skip start resume paging pagination")
	// proofs are words before "code" or "link" that make it one that lets in.
	proofs = setOf("device verification verify reset recovery auth authorization access invite invitation login confirmation activation backup security magic otp sms pairing totp mfa 2fa tfa hotp sso")
	// afterthoughts are words behind a name of a secret that leave it one.
	afterthoughts = setOf("id ids confirmation confirm confirmed again repeat repeated hash hashed sha256 sha1 sha512 base64 b64 encrypted plaintext base value")
	// openPasses are words before "pass" that make it a ticket, or a filter.
	openPasses = setOf("boarding ski day season bus travel event guest low high band first second multi")
	// openSignatures are words before "signature" that make it a text, or the kind of one.
	openSignatures = setOf("email mail function method type letter document")
)

func setOf(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

func init() {
	for _, list := range [][]string{DefaultHeaders(), DefaultQuery(), strings.Fields("csrf xsrf reset bearer pin cvv cvc cvv2 cvc2 pw mot_de_passe totp remember_me samlresponse samlrequest samlart assertion jwt_assertion id_token_hint security_answer mfa tok code_verifier ssn social_security_number amzn_oidc_data ms_client_principal firebase_appcheck jfrog_art_api honeycomb_team g_recaptcha_response h_captcha_response ott")} {
		for _, name := range list {
			secretNames[strings.Join(wordsOf(name), "")] = true
		}
	}
}

// wordsOf are the words of a name in lower case: those of camel case too.
func wordsOf(name string) (out []string) {
	start := 0
	cut := func(end int) {
		if end > start {
			out = append(out, strings.ToLower(name[start:end]))
		}
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'A' && c <= 'Z':
			if i > start && (name[i-1] < 'A' || name[i-1] > 'Z') {
				cut(i)
				start = i
			}
		case (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c < 0x80:
			cut(i)
			start = i + 1
		}
	}
	cut(len(name))
	return out
}
