package redact_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/token"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func key(t testing.TB) *token.Key {
	k, err := token.New([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// shown is a header's value after redaction, with the token of "v" as <v>.
func shown(t *testing.T, c redact.Config, name, value string) string {
	t.Helper()
	k := key(t)
	e := &understudyv1.Exchange{Response: &understudyv1.Response{Headers: []*understudyv1.Header{{Name: name, Value: []byte(value)}}}}
	redact.New(c, k).Exchange(e)
	out := string(e.Response.Headers[0].Value)
	for _, v := range []string{"a", "b", "Bearer", "two words"} {
		out = strings.ReplaceAll(out, k.Token("rdx", v), "<"+v+">")
	}
	if changed := out != value; changed != (len(e.Redactions) > 0) {
		t.Errorf("%s: %s: redactions %v", name, value, e.Redactions)
	}
	return out
}

func TestHeaders(t *testing.T) {
	f := func(name, value, want string) {
		t.Helper()
		if got := shown(t, redact.Config{Headers: []string{"x-mine"}, Keep: []string{"x-api-key", "sid"}}, name, value); got != want {
			t.Errorf("%s: %s: got %s, want %s", name, value, got, want)
		}
	}
	f("Authorization", "Bearer a", "Bearer <a>")
	f("authorization", "Bearer a", "Bearer <a>")
	f("Authorization", "a", "<a>")
	f("Authorization", "Bearer", "<Bearer>")
	f("Authorization", "", "")
	f("Cookie", "x=a; y=b;z=a", "x=<a>; y=<b>;z=<a>")
	f("Cookie", `x="a"; y=; a`, `x="<a>"; y=; <a>`)
	f("Set-Cookie", "x=a; Path=/; HttpOnly", "x=<a>; Path=/; HttpOnly")
	f("Set-Cookie", "x=; Max-Age=0", "x=; Max-Age=0")
	f("X-Mine", "two words", "<two words>")
	f("X-Api-Key", "a", "a")
	f("X-Other", "a", "a")
	f("Location", "https://h/cb?code=1&access_token=a#frag?token=b", "https://h/cb?code=1&access_token=<a>#frag?token=<b>")
	f("Location", "https://h/cb#access_token=a&state=b", "https://h/cb#access_token=<a>&state=b")
	f("Location", "https://b@h/x?q=@", "https://<b>@h/x?q=@")
	f("Link", `<https://h/?page=2&api_key=a>; rel="next", </?token=b>; rel=last`, `<https://h/?page=2&api_key=<a>>; rel="next", </?token=<b>>; rel=last`)
	f("Link", `</?token=b`, `</?token=<b>`)
	f("Refresh", "5; URL=/?token=a", "5; URL=/?token=<a>")
	f("X-Original-Url", "/x?user%5Bpassword%5D=a", "/x?user%5Bpassword%5D=<a>")
	f("X-Session-Id", "a", "<a>")
	f("Token", "a", "<a>")
	f("X-Shopify-Access-Token", "a", "<a>")
	f("X-Next-Page-Token", "a", "a")
	f("Access-Control-Allow-Credentials", "true", "true")
	f("Idempotency-Key", "a", "a")
	f("Authorization", "two words", "<two words>")
	f("Authorization", "AWS4-HMAC-SHA256 a", "AWS4-HMAC-SHA256 <a>")
	f("Set-Cookie", "x=a; Expires=Thu, 26 Nov 2026 10:00:00 GMT, y=b; Path=/", "x=<a>; Expires=Thu, 26 Nov 2026 10:00:00 GMT, y=<b>; Path=/")
	f("Set-Cookie", "x=a; Path=/, y=b; Path=/", "x=<a>; Path=/, y=<b>; Path=/")
	f("Referer", "https://h/?sid=a", "https://h/?sid=a")
	f("Operation-Location", "https://h/op/1?access_token=a", "https://h/op/1?access_token=<a>")
	f("Azure-AsyncOperation", "https://h/op/1?access_token=a", "https://h/op/1?access_token=<a>")
}

// TestAuthority: a client may name a user before the host, also in Host.
func TestAuthority(t *testing.T) {
	k := key(t)
	e := &understudyv1.Exchange{Request: &understudyv1.Request{Authority: "ann:a@shop.example:80", Target: []byte("*"), Headers: []*understudyv1.Header{
		{Name: "Host", Value: []byte("ann:a@shop.example")}, {Name: "X-Forwarded-Host", Value: []byte("ann:a@shop.example")},
	}}}
	redact.New(redact.Config{}, k).Exchange(e)
	token := k.Token("rdx", "ann:a") + "@shop.example"
	if e.Request.Authority != token+":80" || string(e.Request.Headers[0].Value) != token || string(e.Request.Headers[1].Value) != token || len(e.Redactions) != 2 {
		t.Errorf("%v", e)
	}
	e = &understudyv1.Exchange{Request: &understudyv1.Request{Authority: "shop.example:80", Target: []byte("*")}}
	if redact.New(redact.Config{}, k).Exchange(e); e.Request.Authority != "shop.example:80" || len(e.Redactions) != 0 {
		t.Errorf("%v", e)
	}
}

func TestTarget(t *testing.T) {
	k := key(t)
	f := func(in, want string) {
		t.Helper()
		e := &understudyv1.Exchange{Request: &understudyv1.Request{Target: []byte(in)}}
		redact.New(redact.Config{}, k).Exchange(e)
		if diff := cmp.Diff(want, strings.ReplaceAll(string(e.Request.Target), k.Token("rdx", "a"), "<a>")); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	f("/x", "/x")
	f("/x?", "/x?")
	f("/x?q=1&&;=&%zz=%", "/x?q=1&&;=&%zz=%")
	f("/x?q=1;token=a;b&TOKEN=a&to%6ben=a&", "/x?q=1;token=<a>;b&TOKEN=<a>&to%6ben=<a>&")
	f("/x?token=&password", "/x?token=&password")
	f("/token=a?sig=a", "/token=<a>?sig=<a>")
	f("/x;jsessionid=a/y;v=1?q=2", "/x;jsessionid=<a>/y;v=1?q=2")
	f("/(S(a))/orders", "/(S(<a>))/orders")
	f("/x?token%5B%5D=a&user[password]=a&csrf_token=a&authToken=a", "/x?token%5B%5D=<a>&user[password]=<a>&csrf_token=<a>&authToken=<a>")
	f("/x?_token=a", "/x?_token=a")
	f("/x?reset=true&page_token=a&sort_key=a&country_code=a", "/x?reset=true&page_token=a&sort_key=a&country_code=a")
	f("/x?code=DE&key=name", "/x?code=DE&key=name")
	f("/tokens/0123456789abcdef0", "/tokens/0123456789abcdef0")
	f("/session/8c0e2a54-6a0b-4c1e-9d7b-0c6a1f1f3d55", "/session/8c0e2a54-6a0b-4c1e-9d7b-0c6a1f1f3d55")
	f("/x?next=%2Fy%3Fq%3D1", "/x?next=%2Fy%3Fq%3D1")
	f("/x?next=%2Fy%3Ftoken%3Da%26q%3D1&b=2", "/x?next=%2Fy%3Ftoken%3D<a>%26q%3D1&b=2")
}

// TestSecretShapes: what is a secret wherever it stands in a URL.
func TestSecretShapes(t *testing.T) {
	const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl"
	f := func(in string, secrets ...string) {
		t.Helper()
		k := key(t)
		want := in
		for _, s := range secrets {
			want = strings.ReplaceAll(want, s, k.Token("rdx", s))
		}
		e := &understudyv1.Exchange{Request: &understudyv1.Request{Target: []byte(in)}}
		redact.New(redact.Config{}, k).Exchange(e)
		if got := string(e.Request.Target); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	// The beginnings are apart so that nothing takes these for real ones.
	stripe, github := "sk_"+"live_0123456789abcdefghij", "ghp"+"_0123456789abcdefghij"
	f("/mine/"+jwt+"/x?q="+jwt, jwt)
	f("/apikey/"+stripe, stripe)
	f("/x?q="+github, github)
	f("/x?code=0123456789abcdef", "0123456789abcdef")
	f("/reset/0123456789abcdefg", "0123456789abcdefg")
	f("/orders/0123456789abcdefg")
	f("/eyJ/x?q=eyJhbGciOiJIUzI1NiJ9")
}

// TestOneSecretInTwoEncodings has one token.
func TestOneSecretInTwoEncodings(t *testing.T) {
	e := &understudyv1.Exchange{Request: &understudyv1.Request{Target: []byte("/x?token=a%2Fb&secret=a/b")}}
	redact.New(redact.Config{}, key(t)).Exchange(e)
	if want := key(t).Token("rdx", "a/b"); strings.Count(string(e.Request.Target), want) != 2 {
		t.Errorf("got %s", e.Request.Target)
	}
}

func TestRedactionsAreCounted(t *testing.T) {
	h := func(name, value string) *understudyv1.Header {
		return &understudyv1.Header{Name: name, Value: []byte(value)}
	}
	e := &understudyv1.Exchange{
		Request:  &understudyv1.Request{Target: []byte("/?sid=a&q=1&sid=b"), Headers: []*understudyv1.Header{h("Cookie", "x=a"), h("Accept", "a")}},
		Response: &understudyv1.Response{Headers: []*understudyv1.Header{h("Set-Cookie", "x=a"), h("Set-Cookie", "y=b")}},
	}
	redact.New(redact.Config{}, key(t)).Exchange(e)
	want := []*understudyv1.Redaction{
		{Place: understudyv1.Redaction_PLACE_REQUEST_TARGET, Name: "sid", Count: 2},
		{Place: understudyv1.Redaction_PLACE_REQUEST_HEADER, Name: "Cookie", Count: 1},
		{Place: understudyv1.Redaction_PLACE_RESPONSE_HEADER, Name: "Set-Cookie", Count: 2},
	}
	if diff := cmp.Diff(want, e.Redactions, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestNilAndOffLeaveEverything(t *testing.T) {
	e := &understudyv1.Exchange{Request: &understudyv1.Request{Headers: []*understudyv1.Header{{Name: "Cookie", Value: []byte("a=b")}}}}
	want := proto.Clone(e)
	redact.New(redact.Config{Off: true}, key(t)).Exchange(e)
	if !proto.Equal(want, e) {
		t.Errorf("got %v", e)
	}
}

// FuzzRedact: redaction is blind to nothing it names, loses nothing else, and
// never writes into the bytes it was given.
func FuzzRedact(f *testing.F) {
	f.Add("/a?token=x&b=1", "Bearer x", "a=x; b", "c=x; Path=/")
	f.Add("//?;&=token=", " ", ";;=", "\"")
	f.Fuzz(func(t *testing.T, target, authorization, cookie, set string) {
		mk := func() *understudyv1.Exchange {
			return &understudyv1.Exchange{
				Request: &understudyv1.Request{Target: []byte(target), Headers: []*understudyv1.Header{
					{Name: "Authorization", Value: []byte(authorization)}, {Name: "Cookie", Value: []byte(cookie)}}},
				Response: &understudyv1.Response{Headers: []*understudyv1.Header{{Name: "Set-Cookie", Value: []byte(set)}}},
			}
		}
		r := redact.New(redact.Config{}, key(t))
		a, b := mk(), mk()
		raw := a.Request.Target
		r.Exchange(a)
		r.Exchange(b)
		if string(raw) != target {
			t.Fatal("wrote into the caller's bytes")
		}
		if !proto.Equal(a, b) {
			t.Fatal("equal values gave different tokens")
		}
		if strings.Count(string(a.Request.Target), "&") != strings.Count(target, "&") {
			t.Fatalf("%q became %q", target, a.Request.Target)
		}
		if strings.Count(string(a.Request.Headers[1].Value), ";") != strings.Count(cookie, ";") {
			t.Fatalf("%q became %q", cookie, a.Request.Headers[1].Value)
		}
		for _, pair := range strings.Split(string(a.Request.Headers[1].Value), ";") {
			if _, v, ok := strings.Cut(pair, "="); ok && v != "" && !strings.HasPrefix(strings.Trim(v, `"`), "rdx_") && strings.Trim(v, `"`) != "" {
				t.Fatalf("cookie value %q stayed", v)
			}
		}
	})
}
