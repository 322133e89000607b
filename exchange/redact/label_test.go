package redact_test

import (
	"strings"
	"testing"

	"understudy.dev/exchange/redact"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestAValueIsAboutTheLastSecretBesideIt: however many labels stand in an object,
// and whatever the others say.
func TestAValueIsAboutTheLastSecretBesideIt(t *testing.T) {
	r := redact.New(redact.Config{}, key(t))
	f := func(taken bool, body string) {
		t.Helper()
		b := &understudyv1.Body{Content: []byte(body)}
		r.Exchange(&understudyv1.Exchange{Response: &understudyv1.Response{
			Headers: []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}}, Body: b,
		}})
		if got := !strings.Contains(string(b.Content), "plain words"); got != taken {
			t.Errorf("%s became %s", body, b.Content)
		}
	}
	f(true, `{"name":"token","value":"plain words"}`)
	f(true, `{"name":"token","id":"1","key":"a","value":"plain words"}`)
	f(true, `{"name":"password","id":"1","key":"a","field":"b","header":"c","param":"d","text":"plain words"}`)
	f(true, `{"id":"1","key":"a","field":"b","header":"c","param":"d","name":"password","value":"plain words"}`)
	f(true, `{"name":"token","value":"x","id":"7","raw":"plain words"}`)
	f(true, `{"list":[{"name":"colour"},{"name":"secret","value":["plain words"]}]}`)
	f(false, `{"name":"colour","id":"1","key":"a","field":"b","header":"c","param":"d","value":"plain words"}`)
	f(true, `{"value":"plain words","x":[1,{"name":"colour"}],"name":"token"}`)
	f(false, `{"value":"plain words","x":{"name":"token"}}`)
	f(false, `{"of":{"name":"token"},"value":"plain words"}`)
}
