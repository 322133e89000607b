package session

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// given is the value that a client will send from this answer on, where the rule
// looks for it: a cookie that is set, a header, and for Authorization the bearer
// token that a document gives (RFC 6750, RFC 6749, 5.1). "" if there is none.
func (r rule) given(a *understudyv1.Response) string {
	switch r.kind {
	case "cookie":
		for _, line := range message.Values(a.GetHeaders(), "Set-Cookie") {
			c, err := http.ParseSetCookie(line)
			// What has ended in another century is taken back.
			if err == nil && c.Name == r.name && c.MaxAge >= 0 && (c.Expires.IsZero() || c.Expires.Year() >= 2000) {
				return c.Value
			}
		}
	case "header":
		if v := message.First(a.GetHeaders(), r.name); v != "" {
			return v
		}
		if r.name == "Authorization" {
			return bearer(a)
		}
	}
	return ""
}

// maxDocument is how large a document is, in bytes, in which a token is looked
// for: answers to a login are small.
const maxDocument = 64 << 10

// tokenNames are names of members that hold a bearer token, in lower case and
// without what stands between words.
var tokenNames = map[string]bool{"accesstoken": true, "token": true, "authtoken": true, "jwt": true}

func bearer(a *understudyv1.Response) string {
	b := a.GetBody()
	if b.GetTruncated() || len(b.GetContent()) > maxDocument || !message.IsJSON(message.MediaType(message.First(a.GetHeaders(), "Content-Type"))) {
		return ""
	}
	document, err := message.Decode(b.GetContent(), strings.Join(message.Values(a.GetHeaders(), "Content-Encoding"), ","), maxDocument)
	if err != nil {
		return ""
	}
	wanted := false
	for d := jsontext.NewDecoder(bytes.NewReader(document)); ; {
		t, err := d.ReadToken()
		if err != nil {
			return ""
		}
		// In the document itself, or in one member of it ({"data":{"token":…}}).
		depth := d.StackDepth()
		in, n := d.StackIndex(depth)
		if depth > 2 || in != '{' || t.Kind() != '"' {
			wanted = false
			continue
		}
		text := t.String()
		switch {
		case n%2 == 1: // a name
			wanted = tokenNames[strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(text))]
		case wanted && text != "" && !strings.ContainsAny(text, " \t\r\n"):
			return "Bearer " + text
		}
	}
}
