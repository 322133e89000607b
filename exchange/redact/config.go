package redact

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Config says what is secret.
type Config struct {
	// Off leaves everything as it is: secrets are written to Kafka.
	Off bool `yaml:"off"`
	// Headers and Query are names to redact in addition to the default ones;
	// case does not matter.
	Headers []string `yaml:"headers"`
	Query   []string `yaml:"query"`
	// Keep are names that are not redacted though they are default ones or named
	// in Headers or Query: of headers, parameters, fields and members.
	Keep []string `yaml:"keep"`
	// Rules decide before everything else; of those that fit a value the first
	// does. At most 256.
	Rules []Rule `yaml:"rules"`
	// AllowList replaces every value that no rule keeps, and withholds bodies
	// that cannot be taken apart.
	AllowList bool `yaml:"allow_list"`
}

// Rule says what is done with some values.
type Rule struct {
	// Places where it holds: header, trailer, cookie, query, path, fragment,
	// form, multipart, json, xml, text, and body for bodies as a whole. None
	// means all but body.
	Places []string `yaml:"places"`
	// Names of headers, cookies, parameters, fields, members and elements, in a
	// path what stands before a segment, of a body its media type. * is any text,
	// ? a character; case does not matter. One that begins with a slash leads to
	// a member or an element, lists aside: /user/*/email. None means all.
	Names []string `yaml:"names"`
	// Shapes are those of what it is about: jwt, bearer, api_key, private_key,
	// card, iban, email, phone.
	Shapes []string `yaml:"shapes"`
	// Pattern is a regular expression (RE2) of what it is about; with a group,
	// the first. Without shapes and pattern a rule is about whole values.
	Pattern string `yaml:"pattern"`
	// Action is token (equal values stay equal; e-mail addresses, phone, card and
	// account numbers and numbers of JSON stay such), mask (all look alike), drop
	// or keep.
	Action string `yaml:"action"`
}

// What a rule does.
const (
	actionToken = "token"
	actionMask  = "mask"
	actionDrop  = "drop"
	actionKeep  = "keep"
)

// place is where a value stands.
type place uint8

const (
	inHeader place = iota
	inTrailer
	inCookie
	inQuery
	inPath
	inFragment
	inForm
	inMultipart
	inJSON
	inXML
	inText
	inBody
)

var placeNames = [...]string{"header", "trailer", "cookie", "query", "path", "fragment", "form", "multipart", "json", "xml", "text", "body"}

// maxRules bounds the rules of a configuration.
const maxRules = 256

// Problem is a mistake in a configuration, and where it stands there: "rules",
// 2, "names" for one in the third rule.
type Problem struct {
	// Rule is the rule's place in the list, Key what is wrong in it.
	Rule int
	Key  string
	// Value is what stands there, Fault goes on where it ends.
	Value, Fault string
}

// Problems are the mistakes in the rules.
func (cfg Config) Problems() (out []Problem) {
	if len(cfg.Rules) > maxRules {
		out = append(out, Problem{Rule: maxRules, Fault: fmt.Sprintf("are more than %d rules", maxRules)})
	}
	for i, r := range cfg.Rules[:min(len(cfg.Rules), maxRules)] {
		for _, p := range r.problems() {
			p.Rule = i
			out = append(out, p)
		}
	}
	return out
}

func (r Rule) problems() (out []Problem) {
	bad := func(key, value, fault string) { out = append(out, Problem{Key: key, Value: value, Fault: fault}) }
	oneOf := func(key, value string, allowed []string) {
		if !slices.Contains(allowed, value) {
			bad(key, value, "is not one of "+strings.Join(allowed, ", "))
		}
	}
	oneOf("action", r.Action, []string{actionToken, actionMask, actionDrop, actionKeep})
	for _, p := range r.Places {
		oneOf("places", p, placeNames[:])
	}
	for _, s := range r.Shapes {
		oneOf("shapes", s, shapeNames)
	}
	for _, n := range r.Names {
		if n == "" || len(n) > maxName {
			bad("names", n, fmt.Sprintf("is empty or longer than %d bytes", maxName))
		}
	}
	if _, err := regexp.Compile(r.Pattern); err != nil {
		bad("pattern", r.Pattern, "is no regular expression: "+err.Error())
	}
	if slices.Contains(r.Places, placeNames[inBody]) {
		switch {
		case len(r.Places) > 1:
			bad("places", placeNames[inBody], "stands beside others; a body as a whole needs a rule of its own")
		case len(r.Shapes) > 0 || r.Pattern != "":
			bad("places", placeNames[inBody], "is about whole bodies; shapes and pattern are about values in them, for which leave it out")
		case r.Action != actionDrop && r.Action != actionKeep:
			bad("action", r.Action, "is not one of drop, keep, which a body as a whole can be")
		}
	}
	return out
}

// DefaultHeaders are the headers redacted unless Config.Keep says otherwise.
func DefaultHeaders() []string {
	return []string{
		"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "Authentication-Info", "Proxy-Authentication-Info",
		"X-Api-Key", "Api-Key", "Apikey", "X-Auth-Token", "X-Access-Token", "X-Refresh-Token", "X-Csrf-Token", "X-Xsrf-Token",
		"X-Amz-Security-Token", "X-Goog-Api-Key", "X-Goog-Iap-Jwt-Assertion", "X-Vault-Token", "Private-Token",
		"X-Gitlab-Token", "X-Forwarded-Access-Token", "X-Ms-Token-Aad-Access-Token", "Ocp-Apim-Subscription-Key",
		"Authentication", "X-Authorization", "X-Forwarded-Authorization", "Dpop", "X-Hub-Signature", "X-Hub-Signature-256",
		"Sec-Websocket-Protocol", // browsers can put credentials nowhere else
	}
}

// DefaultQuery are the names redacted in URLs and bodies, besides those that
// IsSecret knows, unless Config.Keep says otherwise.
func DefaultQuery() []string {
	return []string{
		"token", "access_token", "refresh_token", "id_token", "auth", "authorization", "auth_token", "api_key", "apikey", "api-key",
		"password", "passwd", "pwd", "secret", "client_secret", "client_assertion", "session", "sessionid", "session_id", "sid", "jwt",
		"signature", "sig", "x-amz-signature", "x-amz-security-token", "x-amz-credential", "x-goog-signature", "x-goog-credential",
		"pass", "hmac",
	}
}

// linkHeaders are those that are, or hold, URLs.
var linkHeaders = []string{
	"Referer", "Location", "Content-Location", "Operation-Location", "Azure-Asyncoperation", "Callback-Url",
	"Origin", "Link", "Refresh", "X-Original-Url", "X-Original-Uri", "X-Rewrite-Url", "X-Forwarded-Uri", "X-Forwarded-Url",
	"Host", "X-Forwarded-Host", "X-Original-Host",
}
