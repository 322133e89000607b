package redact_test

import (
	"strings"
	"testing"

	"understudy.dev/exchange/redact"
)

// TestHostileBodies: what is made to be looked at again and again comes to an end,
// in time that grows with its length.
func TestHostileBodies(t *testing.T) {
	const size = 1 << 20
	of := func(part string) string { return strings.Repeat(part, size/len(part)) }
	for name, body := range map[string]string{
		"text/plain told":                           of("code is 1234 "),
		"text/plain at":                             of("@"),
		"text/plain escaped at":                     of("a%40"),
		"text/plain urls":                           of("a://b@"),
		"text/plain url":                            of("a://"),
		"text/plain tokens":                         of("eyJ.eyJ-"),
		"text/plain marks":                          of("hf_ghp_"),
		"text/plain typed":                          of("token:x="),
		"text/plain blocks":                         of("token: |\n a\n"),
		"text/plain block":                          "token: |\n" + of(" a\n"),
		"text/csv quoted":                           "token,a\n" + of("\"x\",\"y\"\n"),
		"text/csv columns":                          of("token,"),
		"application/json ahead":                    `{"a":1` + of(`,"value":1`) + "}",
		"application/json pairs":                    "[" + of(`["token","a1"],`) + "1]",
		"application/json args":                     `{"variables":{"p":1},"query":"` + of("token:$p ") + `"}`,
		"application/json deep":                     `{"x":"` + of("a=?a=#a=@%3D") + `"}`,
		"application/x-www-form-urlencoded deep":    "a=" + of("?a=%3Fa%3D%253Fa%253D"),
		"application/x-www-form-urlencoded percent": "a=" + of("%2525"),
		"application/x-www-form-urlencoded bare":    of("a@b.cd&"),
		"application/xml entities":                  "<!DOCTYPE a [" + of("<!ENTITY a 'b'") + "]>",
		"application/xml labels":                    of("<name>token</name><value>a</value>"),
		"application/xml nested":                    "<a>" + of("&lt;a&gt;&lt;/a&gt;") + "</a>",
		"text/event-stream lines":                   of("data: {\n"),
	} {
		t.Run(name, func(t *testing.T) {
			contentType, _, _ := strings.Cut(name, " ")
			e := redacted(t, redact.Config{}, contentType, body, false)
			if n := len(e.Response.Body.Content); n > 16*size {
				t.Errorf("%d bytes became %d", len(body), n)
			}
		})
	}
}
