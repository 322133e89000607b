package redact_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/redact/redacttest"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func fieldsOf(list [][2]string, coding string, body bool) (out []*understudyv1.Header) {
	for _, h := range list {
		out = append(out, &understudyv1.Header{Name: h[0], Value: []byte(h[1])})
	}
	if coding != "" && body {
		out = append(out, &understudyv1.Header{Name: "Content-Encoding", Value: []byte(coding)})
	}
	return out
}

func exchangeOf(t *testing.T, c redacttest.Case) *understudyv1.Exchange {
	t.Helper()
	body := func(text string) *understudyv1.Body {
		packed, err := message.Encode([]byte(text), c.Coding)
		if err != nil {
			t.Fatal(err)
		}
		if text == "" {
			packed = nil
		}
		return message.BodyOf(packed)
	}
	return &understudyv1.Exchange{
		Request:  &understudyv1.Request{Method: c.Method, Target: []byte(c.Target), Headers: fieldsOf(c.Headers, c.Coding, c.Body != ""), Body: body(c.Body)},
		Response: &understudyv1.Response{Status: 200, Headers: fieldsOf(c.AnswerHeaders, c.Coding, c.AnswerBody != ""), Trailers: fieldsOf(c.AnswerTrailers, "", false), Body: body(c.AnswerBody)},
	}
}

// textOf is everything that an exchange holds, without content codings.
func textOf(t *testing.T, e *understudyv1.Exchange) string {
	t.Helper()
	text := prototext.Format(e)
	for _, m := range []struct {
		headers []*understudyv1.Header
		body    *understudyv1.Body
	}{{e.Request.Headers, e.Request.Body}, {e.Response.Headers, e.Response.Body}} {
		plain, err := message.Decode(m.body.GetContent(), message.Joined(m.headers, "Content-Encoding"), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		text += "\n" + string(plain)
	}
	return text
}

// TestNoSecretPasses: none of the corpus is left in any spelling, everything is
// replaced by what stays as it is, and equal values stayed equal.
func TestNoSecretPasses(t *testing.T) {
	cases := redacttest.Cases(1)
	if len(cases) < 300 {
		t.Fatalf("only %d cases", len(cases))
	}
	r := redact.New(redact.Config{}, key(t))
	for seed := range uint64(7) { // some secrets look more like secrets than others
		cases = append(cases, redacttest.Cases(seed+2)...)
	}
	for _, c := range cases {
		e, again := exchangeOf(t, c), exchangeOf(t, c)
		r.Exchange(e)
		text := textOf(t, e)
		for _, secret := range c.Secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %s is left in\n%s", c.Name, secret, text)
			}
		}
		r.Exchange(again)
		if textOf(t, again) != text {
			t.Errorf("%s: equal values did not stay equal", c.Name)
		}
		if e.Redactions = nil; textOf(t, e) != "" {
			before := textOf(t, e)
			r.Exchange(e)
			if e.Redactions = nil; textOf(t, e) != before {
				t.Errorf("%s: redacted again it is something else:\n%s\n%s", c.Name, before, textOf(t, e))
			}
		}
	}
	t.Logf("%d cases", len(cases))
}

// TestHarmlessValuesSurvive.
func TestHarmlessValuesSurvive(t *testing.T) {
	values := redacttest.Harmless()
	if len(values) < 60 {
		t.Fatalf("only %d values", len(values))
	}
	for _, v := range values {
		in := "{" + v + "}"
		if got := shownBody(t, redact.Config{}, "application/json", in, false); got != in {
			t.Errorf("%s became %s", in, got)
		}
	}
}
