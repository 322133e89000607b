package redact_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/redact"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// redacted is what becomes of an answer's body; cut says that it is not whole.
func redacted(t testing.TB, c redact.Config, contentType, body string, cut bool) *understudyv1.Exchange {
	t.Helper()
	b := message.BodyOf([]byte(body))
	b.Truncated = cut
	e := &understudyv1.Exchange{Response: &understudyv1.Response{Body: b}}
	if contentType != "" {
		e.Response.Headers = []*understudyv1.Header{{Name: "Content-Type", Value: []byte(contentType)}}
	}
	redact.New(c, key(t)).Exchange(e)
	return e
}

// The tokens of some values under the key of the tests.
func tokenOf(t testing.TB, value string) string {
	k := key(t)
	switch value {
	case "ann@shop.example":
		e := &understudyv1.Exchange{Response: &understudyv1.Response{Headers: []*understudyv1.Header{{Name: "From", Value: []byte(value)}}}}
		redact.New(redact.Config{}, k).Exchange(e)
		if out := string(e.Response.Headers[0].Value); len(out) == 43 && strings.HasPrefix(out, "rdx_") && strings.HasSuffix(out, "@redacted.invalid") {
			return out
		}
	}
	return k.Token("rdx", value)
}

func shownBody(t testing.TB, c redact.Config, contentType, body string, cut bool, secrets ...string) string {
	t.Helper()
	out := string(redacted(t, c, contentType, body, cut).Response.Body.Content)
	for _, s := range secrets {
		out = strings.ReplaceAll(out, tokenOf(t, s), "<"+s+">")
	}
	return out
}

func TestJSON(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := shownBody(t, redact.Config{Keep: []string{"nonce"}}, "application/json", in, false, "hunter22", "ann@shop.example", "two", "Basic"); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", in, got, want)
		}
	}
	f(`{ "password" : "hunter22",	"a":1 , "a" :2.50}`, `{ "password" : "<hunter22>",	"a":1 , "a" :2.50}`)
	f(`{"user[password]":"hunter22","x":[{"accessToken":"hunter22"}]}`, `{"user[password]":"<hunter22>","x":[{"accessToken":"<hunter22>"}]}`)
	f(`{"tokens":["hunter22","two"],"credentials":{"value":"two"}}`, `{"tokens":["<hunter22>","<two>"],"credentials":{"value":"<two>"}}`)
	f(`[{"name":"password","value":"hunter22"},{"name":"city","value":"Rome"}]`, `[{"name":"password","value":"<hunter22>"},{"name":"city","value":"Rome"}]`)
	f(`{"Authorization":"Bearer hunter22"}`, `{"Authorization":"Bearer <hunter22>"}`)
	f(`{"password":"hunter\u00322"}`, `{"password":"<hunter22>"}`)
	f(`{"p\u0061ssword":"hunter22"}`, `{"p\u0061ssword":"<hunter22>"}`)
	f(`{"to":"ann@shop.example","text":"write to ann@shop.example."}`, `{"to":"<ann@shop.example>","text":"write to <ann@shop.example>."}`)
	f(`{"ann@shop.example":3}`, `{"<ann@shop.example>":3}`)
	f(`{"link":"https://h/?token=hunter22&x=1","at":"/x?q=1"}`, `{"link":"https://h/?token=<hunter22>&x=1","at":"/x?q=1"}`)
	f(`{"body":"{\"password\":\"hunter22\"}"}`, `{"body":"{\"password\":\"<hunter22>\"}"}`)
	f(`{"log":"login password=hunter22, ok"}`, `{"log":"login password=<hunter22>, ok"}`)
	f(`{"password":true,"token":null,"secret":"","session":"true","nonce":"hunter22"}`, `{"password":true,"token":null,"secret":"","session":"true","nonce":"hunter22"}`)
	f("{\"a\":1}\n{\"password\":\"hunter22\"}\n", "{\"a\":1}\n{\"password\":\"<hunter22>\"}\n")
	f(")]}',\n{\"password\":\"hunter22\"}", ")]}',\n{\"password\":\"<hunter22>\"}")
	f(`"ann@shop.example"`, `"<ann@shop.example>"`)
	f(`{"max_tokens":4096,"usage":{"total_tokens":12,"prompt_tokens":1204}}`, `{"max_tokens":4096,"usage":{"total_tokens":12,"prompt_tokens":1204}}`)
	f(`{"code":"INSUFFICIENT_FUNDS","key":"users/2024/a.png"}`, `{"code":"INSUFFICIENT_FUNDS","key":"users/2024/a.png"}`)
	// What is no JSON to its end.
	f(`{not json`, `{not json`)
	f(`{"a":"two","password":"hunter22`, `{"a":"two",`)
	f(`{"a":"two","b":{"c":"ann@shop.example",}} ann@shop.example`, `{"a":"two","b":{"c":"<ann@shop.example>",}} <ann@shop.example>`)
	f(`{"a":1,password:"hunter22"}`, `{"a":1,password:"<hunter22>"}`)
	f(`{"a":1,"tokens":["hunter22",'hunter22']}`, `{"a":1,"tokens":["<hunter22>",`)
	f(`{"a":1,"password":"two"hunter22"}`, `{"a":1,"password":"<two>"`)
	f(`not JSON: password=hunter22`, `not JSON: password=<hunter22>`)
	f(`{password:"hunter22"}`, `{password:"<hunter22>"}`)
}

func TestNumbersStayNumbers(t *testing.T) {
	in := `{"otp":123456,"otp2":{"otp":123456},"cvv":7391,"pan":4111111111111111,"id":4111111111111111,"n":12345678901234,"password":12345678901234}`
	out := shownBody(t, redact.Config{}, "application/json", in, false)
	var v struct {
		OTP      json.Number
		OTP2     struct{ OTP json.Number }
		CVV      json.Number
		PAN      json.Number
		ID       json.Number
		N        json.Number
		Password json.Number
	}
	d := json.NewDecoder(strings.NewReader(out))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err, out)
	}
	if v.OTP == "123456" || v.OTP != v.OTP2.OTP || v.CVV == "7391" || v.PAN == "4111111111111111" || !strings.HasPrefix(v.PAN.String(), "400000") {
		t.Error(out)
	}
	if v.ID != "4111111111111111" || v.N != "12345678901234" || v.Password == v.N {
		t.Error(out)
	}
}

func TestOtherBodies(t *testing.T) {
	f := func(contentType, in, want string) {
		t.Helper()
		if got := shownBody(t, redact.Config{}, contentType, in, false, "hunter22", "ann@shop.example", "two"); got != want {
			t.Errorf("%s: %s\ngot  %s\nwant %s", contentType, in, got, want)
		}
	}
	const form = "application/x-www-form-urlencoded"
	f(form, "user=ann&password=hunter22&x=%20&x=", "user=ann&password=<hunter22>&x=%20&x=")
	f(form, "user%5Bpassword%5D=hunter22&token[]=two", "user%5Bpassword%5D=<hunter22>&token[]=<two>")
	f(form, "next=%2Fy%3Ftoken%3Dtwo&_token=two", "next=%2Fy%3Ftoken%3D<two>&_token=<two>")
	f(form, `{"password":"hunter22"}`, `{"password":"<hunter22>"}`)
	f("text/plain", "password: hunter22\nAuthorization: Bearer two\nplain", "password: <hunter22>\nAuthorization: Bearer <two>\nplain")
	f("", `x = {token: "two"}; mail("ann@shop.example")`, `x = {token: "<two>"}; mail("<ann@shop.example>")`)
	f("text/event-stream", "event: x\ndata: {\"token\":\"two\"}\n\ndata: ok\n\n", "event: x\ndata: {\"token\":\"<two>\"}\n\ndata: ok\n\n")
	f("application/x-ndjson", "{\"token\":\"two\"}\n{\"a\":1}\n", "{\"token\":\"<two>\"}\n{\"a\":1}\n")
	f("application/xml", `<r><password>hunter22</password><ns:token x="1"> two </ns:token><a secret='two'/><b>1 &lt; 2</b></r>`,
		`<r><password><hunter22></password><ns:token x="1"> <two> </ns:token><a secret='<two>'/><b>1 &lt; 2</b></r>`)
	f("application/xml", `<r><token><![CDATA[two]]></token><!-- token=two --><x mail="ann@shop.example"/></r>`,
		`<r><token><![CDATA[<two>]]></token><!-- token=<two> --><x mail="<ann@shop.example>"/></r>`)
	f("text/html", `<form action="/x?token=two"><input type="hidden" name="csrf" value="two"><br>hello<meta content=two name=csrf-token></form><script>var token = "two";</script>`,
		`<form action="/x?token=<two>"><input type="hidden" name="csrf" value="<two>"><br>hello<meta content=<two> name=csrf-token></form><script>var token = "<two>";</script>`)
	const parts = "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.json\"\r\nContent-Type: application/json\r\n\r\n{\"token\":\"%s\"}\r\n--b--\r\n"
	f("multipart/form-data; boundary=b", fmt.Sprintf(parts, "password", "hunter22", "two"), fmt.Sprintf(parts, "password", "<hunter22>", "<two>"))
	f("image/png", "\x89PNG\x00password=hunter22", "\x89PNG\x00password=hunter22")
	f("image/png", "password=hunter22", "password=<hunter22>") // says what it is not
	f("application/octet-stream", "\xff\x00password=hunter22", "\xff\x00password=hunter22")
}

// TestWideCharsets: a text in UTF-16 is one, whoever says so.
func TestWideCharsets(t *testing.T) {
	wide := func(text, mark string) string {
		out := []byte(mark)
		for _, c := range text {
			out = append(out, byte(c), byte(c>>8))
		}
		return string(out)
	}
	f := func(contentType, mark, in, want string) {
		t.Helper()
		e := redacted(t, redact.Config{}, contentType, wide(in, mark), false)
		want = strings.ReplaceAll(want, "<two>", tokenOf(t, "two"))
		if b := e.Response.Body; b.Truncated || string(b.Content) != wide(want, mark) {
			t.Errorf("%s: %q became %q", contentType, in, b.Content)
		}
	}
	f("text/plain; charset=utf-16le", "", "grüße", "grüße")
	f("text/plain; charset=UTF-16", "", "password=two, ok", "password=<two>, ok")
	f("text/plain", "\xff\xfe", "password=two, ok", "password=<two>, ok")
	f("application/json", "\xff\xfe", `{"token":"two"}`, `{"token":"<two>"}`)
	for _, in := range []string{"a\x00b", "\x00\xd8a\x00"} { // half a character, half a pair
		if b := redacted(t, redact.Config{}, "text/plain; charset=utf-16le", in, false).Response.Body; len(b.Content) > 0 || !b.Truncated {
			t.Errorf("%q is kept: %q", in, b.Content)
		}
	}
}

func TestCutBodies(t *testing.T) {
	f := func(contentType, in, want, reason string) {
		t.Helper()
		e := redacted(t, redact.Config{}, contentType, in, true)
		b := e.Response.Body
		got := strings.ReplaceAll(string(b.Content), tokenOf(t, "two"), "<two>")
		withheld := ""
		for _, r := range e.Redactions {
			withheld += r.Withheld
		}
		if got != want || withheld != reason || !b.Truncated {
			t.Errorf("%s: %s: got %q, withheld %q, want %q, %q", contentType, in, got, withheld, want, reason)
		}
		if sum := sha256.Sum256([]byte(in)); string(b.Sha256) == string(sum[:]) || b.DigestKey == "" {
			t.Errorf("%s: the plain hash of a cut body is kept", in)
		}
	}
	f("application/json", `{"token":"two","password":"hunt`, `{"token":"<two>",`, "cut")
	f("application/json", `{"n":12`, ``, "cut")
	f("application/x-www-form-urlencoded", `token=two&password=hunt`, `token=<two>&`, "cut")
	f("application/x-www-form-urlencoded", `password=hunt`, ``, "cut")
	f("text/plain", `the card is 4111 1111 11`, `the card is `, "cut")
	f("text/plain", `write to ann.exam`, `write to `, "cut")
	f("text/plain", `hello`, `hello`, "")
	f("application/xml", `<a><token>two</token><password>hunt`, `<a><token><two></token>`, "cut")
	f("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\ntwo\r\n--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunt",
		"--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n<two>\r\n", "cut")
	f("text/event-stream", "data: {\"token\":\"two\"}\n\ndata: {\"password\":\"hunt", "data: {\"token\":\"<two>\"}\n\n", "cut")
	f("image/png", "\x89abc\x00", "\x89abc\x00", "")
}

func TestContentCodings(t *testing.T) {
	for _, coding := range []string{"gzip", "x-gzip", "br", "zstd", "deflate", "gzip, br", "identity"} {
		for _, c := range []struct{ in, want string }{{`{"token":"two"}`, `{"token":"` + tokenOf(t, "two") + `"}`}, {`{"a":"two"}`, `{"a":"two"}`}} {
			packed, err := message.Encode([]byte(c.in), coding)
			if err != nil {
				t.Fatal(err)
			}
			e := &understudyv1.Exchange{Response: &understudyv1.Response{Body: message.BodyOf(packed), Headers: []*understudyv1.Header{
				{Name: "content-type", Value: []byte("application/json")}, {Name: "content-encoding", Value: []byte(coding)},
			}}}
			redact.New(redact.Config{}, key(t)).Exchange(e)
			got, err := message.Decode(e.Response.Body.Content, coding, 1<<20)
			if err != nil || string(got) != c.want {
				t.Errorf("%s: got %s, %v", coding, got, err)
			}
			if sum := sha256.Sum256(e.Response.Body.Content); string(sum[:]) != string(e.Response.Body.Sha256) {
				t.Errorf("%s: the hash is not that of the content", coding)
			}
			if c.in == c.want && string(packed) != string(e.Response.Body.Content) {
				t.Errorf("%s: packed anew though nothing changed", coding)
			}
		}
	}
	bomb, err := message.Encode(make([]byte, 16<<20), "gzip")
	if err != nil {
		t.Fatal(err)
	}
	for body, reason := range map[string]string{string(bomb): "too_large", "no gzip": "coding"} {
		e := &understudyv1.Exchange{Response: &understudyv1.Response{Body: message.BodyOf([]byte(body)), Headers: []*understudyv1.Header{
			{Name: "Content-Type", Value: []byte("application/json")}, {Name: "Content-Encoding", Value: []byte("gzip")},
		}}}
		redact.New(redact.Config{}, key(t)).Exchange(e)
		if b := e.Response.Body; len(b.Content) > 0 || !b.Truncated || b.Unreadable != (reason == "coding") || e.Redactions[0].Withheld != reason {
			t.Errorf("%d bytes kept, %v, want %s", len(b.Content), e.Redactions, reason)
		}
	}
}

// TestDigestsOfABodyTellNothing: neither the one of the record nor those in its
// fields.
func TestDigestsOfABodyTellNothing(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		e := &understudyv1.Exchange{Response: &understudyv1.Response{Body: message.BodyOf([]byte(body)), Headers: []*understudyv1.Header{
			{Name: "Content-Type", Value: []byte("application/json")}, {Name: "Content-MD5", Value: []byte("Q2hlY2sgSW50ZWdyaXR5IQ==")},
		}}}
		redact.New(redact.Config{}, key(t)).Exchange(e)
		if got := string(e.Response.Headers[1].Value); strings.HasPrefix(got, "rdx_") != (want == "token") {
			t.Errorf("%s: %s", body, got)
		}
	}
	f(`{"otp":123456}`, "token")
	f(`{"a":123456}`, "as it was")
	// Where nothing is kept at all, the hash is keyed too.
	b := message.BodyOf([]byte("hunter22"))
	b.Content, b.Truncated = nil, true
	plain := string(b.Sha256)
	e := &understudyv1.Exchange{Request: &understudyv1.Request{Body: b}}
	redact.New(redact.Config{}, key(t)).Exchange(e)
	if string(b.Sha256) == plain || len(b.Sha256) != 32 || b.DigestKey != key(t).ID() {
		t.Errorf("hash %x, key %s", b.Sha256, b.DigestKey)
	}
}

// TestCardsAmongNumbers: a number before or behind a card's does not hide it.
func TestCardsAmongNumbers(t *testing.T) {
	for in, want := range map[string]string{
		"2 4111 1111 1111 1111":     "2 4000 00",
		"7 4111111111111111 x":      "7 400000",
		"4111 1111 1111 1111 123":   "4000 00",
		"4111-1111-1111-1111 12/27": "4000-00",
		"1 2 3 5500-0000-0000-0004": "1 2 3 5555-55",
		"3714 496353 98431, 1":      "3782 82",
	} {
		got := shownBody(t, redact.Config{}, "text/plain", in, false)
		if !strings.HasPrefix(got, want) || strings.Contains(got, "1111") || strings.Contains(got, "0000-0000") || strings.Contains(got, "98431") {
			t.Errorf("%s became %s", in, got)
		}
	}
}

// TestJSONWebTokens: one in a body keeps what it claims, and lets nobody in.
func TestJSONWebTokens(t *testing.T) {
	encode := base64.RawURLEncoding.EncodeToString
	head := encode([]byte(`{"alg":"HS256"}`))
	jwt := head + "." + encode([]byte(`{"role":"admin","email":"ann@shop.example"}`)) + ".c2lnbmF0dXJl"
	want := head + "." + encode([]byte(`{"role":"admin","email":"`+tokenOf(t, "ann@shop.example")+`"}`)) + "." + tokenOf(t, jwt)
	f := func(in, want string) {
		t.Helper()
		e := redacted(t, redact.Config{}, "application/json", in, false)
		if got := string(e.Response.Body.Content); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", in, got, want)
		}
	}
	f(`{"access_token":"`+jwt+`"}`, `{"access_token":"`+want+`"}`)
	f(`{"text":"Bearer `+jwt+`"}`, `{"text":"Bearer `+want+`"}`)
	f(`{"access_token":"`+want+`"}`, `{"access_token":"`+want+`"}`)
	if redact.Bare(want) != tokenOf(t, jwt) || !redact.IsToken(want) || redact.Bare(jwt) != jwt || redact.IsToken(jwt) {
		t.Errorf("%s is not known as %s", redact.Bare(want), tokenOf(t, jwt))
	}
	// Whatever its token ends in.
	for i := range 200 {
		in := head + ".e30." + fmt.Sprint("signature", i)
		once := shownBody(t, redact.Config{}, "text/plain", "It is "+in+".\n", false)
		if twice := shownBody(t, redact.Config{}, "text/plain", once, false); twice != once || strings.Contains(once, in) {
			t.Fatalf("%q became %q, and then %q", in, once, twice)
		}
	}
	// In a field it is its token alone, which is that of the body.
	if got := shown(t, redact.Config{}, "Authorization", "Bearer "+jwt); got != "Bearer "+tokenOf(t, jwt) {
		t.Error(got)
	}
	unsigned := strings.TrimSuffix(jwt, "c2lnbmF0dXJl")
	f(`{"id_token":"`+unsigned+`"}`, `{"id_token":"`+strings.TrimSuffix(want, tokenOf(t, jwt))+`"}`)
	f(`{"id_token":"`+head+`.bm90IEpTT04.c2ln"}`, `{"id_token":"`+tokenOf(t, head+".bm90IEpTT04.c2ln")+`"}`)
}

// FuzzJSON: what is JSON stays JSON, what is redacted stays as it is when it is
// redacted again, and nothing but values changes.
func FuzzJSON(f *testing.F) {
	f.Add(`{"password":"hunter22","a":[1,2.5e3,null,true,"ann@shop.example"],"card":4111111111111111}`)
	f.Add(`{"name":"token","value":"x"}`)
	f.Add("[\"+49 151 23456789\",\"DE89 3704 0044 0532 0130 00\",\"https://a:b@h/?token=x#a\"]")
	f.Add(`{"otp":123456,"body":"{\"token\":\"\\u0041\"}","q":"token=a b"}`)
	f.Fuzz(func(t *testing.T, in string) {
		r := redact.New(redact.Config{}, key(t))
		run := func(body string) string {
			e := &understudyv1.Exchange{Response: &understudyv1.Response{Body: &understudyv1.Body{Content: []byte(body)},
				Headers: []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}}}}
			r.Exchange(e)
			return string(e.Response.Body.Content)
		}
		once := run(in)
		if json.Valid([]byte(in)) && !json.Valid([]byte(once)) {
			t.Fatalf("%q became %q", in, once)
		}
		if json.Valid([]byte(in)) && shapeOf(in) != shapeOf(once) {
			t.Fatalf("%q became %q", in, once)
		}
		if twice := run(once); json.Valid([]byte(in)) && twice != once {
			t.Fatalf("%q became %q, and then %q", in, once, twice)
		}
	})
}

// shapeOf is a document with nothing but the kinds of its values.
func shapeOf(text string) string {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var b strings.Builder
	for {
		token, err := d.Token()
		if err != nil {
			return b.String()
		}
		switch token := token.(type) {
		case json.Delim:
			b.WriteString(token.String())
		default:
			fmt.Fprintf(&b, "%T ", token)
		}
	}
}

// FuzzBody: no body of any type ends the process, and what is redacted stays as it
// is when it is redacted again.
func FuzzBody(f *testing.F) {
	f.Add("text/html", "<form><input name=csrf value='x'><script>var token='y'</script></form>", false)
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nx\r\n--b--", false)
	f.Add("application/x-www-form-urlencoded", "a=1&token=x%20y;b", true)
	f.Add("text/event-stream", "data: {\"token\":\"x\"}\n\n", true)
	f.Add("text/plain", "password: hunter22 4111 1111 1111 1111 DE89370400440532013000 +4915112345678", false)
	f.Add("application/xml", "<a b='c'><![CDATA[<token>]]><token>x</token><!-- ", false)
	f.Add("text/csv", "id,password\n1,hunter22\n\"2\",\"x\"\"y\"\n", false)
	f.Add("application/yaml", "password: |\n  hunter22\ntoken: >-\n x\n", false)
	f.Add("application/json", `{"query":"l(password:$p)","variables":{"p":"x"},"a":[["token","x1"]],"b":"eyJ0b2tlbiI6InF3ZXJ0eXVpb3AifQ","c":"your code is 4829"}`, false)
	f.Add("application/xml", `<!DOCTYPE a [<!ENTITY p "x">]><m><name>token</name><value>x</value></m><e key="token"><![CDATA[<token>x</token>]]></e>`, false)
	f.Fuzz(func(t *testing.T, contentType, in string, cut bool) {
		once := redacted(t, redact.Config{}, contentType, in, cut).Response.Body
		again := redacted(t, redact.Config{}, contentType, string(once.Content), once.Truncated).Response.Body
		if string(again.Content) != string(once.Content) && !once.Truncated {
			t.Fatalf("%s: %q became %q, and then %q", contentType, in, once.Content, again.Content)
		}
		redacted(t, redact.Config{AllowList: true}, contentType, in, cut)
	})
}
