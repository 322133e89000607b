package redacttest

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
)

// Case is one request and its answer with secrets in them.
type Case struct {
	// Name says where the secret stands and what it is.
	Name   string
	Method string
	Target string
	// Headers and Trailers are names and values, in their order.
	Headers, AnswerHeaders, AnswerTrailers [][2]string
	Body, AnswerBody                       string
	// Coding is the content coding that both bodies get, "" for none.
	Coding string
	// Secrets are what must not be found anywhere: each spelling of the secret.
	Secrets []string
}

// kind makes secrets.
type kind struct {
	name string
	of   func(*rand.Rand) string
	// plain are characters that a secret has in some spellings only.
	grouped bool
}

func digits(r *rand.Rand, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = '0' + byte(r.IntN(10))
	}
	return string(out)
}

func letters(r *rand.Rand, n int) string {
	const from = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	out := make([]byte, n)
	for i := range out {
		out[i] = from[r.IntN(len(from))]
	}
	return string(out)
}

// card is a number of n digits that begins with some and has the right check
// digit.
func card(r *rand.Rand, begin string, n int) string {
	body := begin + "7" + digits(r, n-len(begin)-2)
	sum := 0
	for i := range len(body) {
		d := int(body[len(body)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return body + fmt.Sprint((10-sum%10)%10)
}

func iban(country, account string) string {
	sum := 0
	for _, c := range account + country + "00" {
		if c >= 'A' && c <= 'Z' {
			sum = (sum*100 + int(c-'A') + 10) % 97
		} else {
			sum = (sum*10 + int(c-'0')) % 97
		}
	}
	return fmt.Sprintf("%s%02d%s", country, 98-sum, account)
}

func groups(s string, n int, by string) string {
	var out []string
	for len(s) > n {
		out, s = append(out, s[:n]), s[n:]
	}
	return strings.Join(append(out, s), by)
}

// random is a secret by nothing but its name. Of those that are so long one in fifty
// has no digit, and under a name that says little is taken for words.
var random = kind{name: "random", of: func(r *rand.Rand) string { return "Zq" + digits(r, 1) + letters(r, 20) + digits(r, 1) }}

// The beginnings are apart so that nothing takes these for real keys.
var shaped = []kind{
	{name: "jwt", of: func(r *rand.Rand) string {
		part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
		return part(`{"alg":"HS256"}`) + "." + part(`{"sub":"`+letters(r, 12)+`"}`) + "." + letters(r, 30)
	}},
	{name: "visa", of: func(r *rand.Rand) string { return card(r, "45", 16) }},
	{name: "visa in groups", of: func(r *rand.Rand) string { return groups(card(r, "45", 16), 4, " ") }, grouped: true},
	{name: "mastercard with dashes", of: func(r *rand.Rand) string { return groups(card(r, "53", 16), 4, "-") }, grouped: true},
	{name: "american express", of: func(r *rand.Rand) string { return card(r, "37", 15) }},
	{name: "iban", of: func(r *rand.Rand) string { return iban("DE", "37040044"+digits(r, 10)) }},
	{name: "iban in groups", of: func(r *rand.Rand) string { return groups(iban("GB", "WEST"+digits(r, 14)), 4, " ") }, grouped: true},
	{name: "email", of: func(r *rand.Rand) string { return "zq." + strings.ToLower(letters(r, 9)) + "@mail.example.org" }},
	{name: "phone", of: func(r *rand.Rand) string { return "+4915" + digits(r, 9) }},
	{name: "stripe", of: func(r *rand.Rand) string { return "sk_" + "live_9" + letters(r, 24) }},
	{name: "github", of: func(r *rand.Rand) string { return "ghp" + "_7" + letters(r, 35) }},
	{name: "aws", of: func(r *rand.Rand) string { return "AKIA" + "7" + strings.ToUpper(letters(r, 15)) }},
	{name: "google", of: func(r *rand.Rand) string { return "AIza" + "7" + letters(r, 34) }},
	{name: "slack", of: func(r *rand.Rand) string { return "xox" + "b-" + digits(r, 12) + "-" + letters(r, 20) }},
}

var pem = kind{name: "private key", of: func(r *rand.Rand) string {
	return "-----BEGIN " + "PRIVATE KEY-----\n" + letters(r, 64) + "\n" + letters(r, 30) + "\n-----END PRIVATE KEY-----"
}}

// place puts a secret somewhere, under a name.
type place struct {
	name string
	put  func(c *Case, name, secret string)
}

func header(list *[][2]string, name, value string) { *list = append(*list, [2]string{name, value}) }

func request(c *Case, contentType, body string) {
	c.Method, c.Body = "POST", body
	header(&c.Headers, "Content-Type", contentType)
}

func answer(c *Case, contentType, body string) {
	c.AnswerBody = body
	header(&c.AnswerHeaders, "Content-Type", contentType)
}

const (
	asJSON = "application/json"
	asForm = "application/x-www-form-urlencoded"
)

// quoted escapes a text for JSON.
func quoted(s string) string {
	return strings.NewReplacer("\\", `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
}

// named are the places where a name tells what is secret.
var named = []place{
	{"query", func(c *Case, n, s string) { c.Target += "?x=1&" + url.QueryEscape(n) + "=" + url.QueryEscape(s) }},
	{"query in brackets", func(c *Case, n, s string) { c.Target += "?user[" + n + "]=" + url.QueryEscape(s) }},
	{"query of a list", func(c *Case, n, s string) { c.Target += "?" + n + "%5B%5D=" + url.QueryEscape(s) }},
	{"query with dots", func(c *Case, n, s string) { c.Target += "?user." + n + "=" + url.QueryEscape(s) }},
	{"query of a nested url", func(c *Case, n, s string) {
		c.Target += "?next=" + url.QueryEscape("https://h.example/x?"+n+"="+url.QueryEscape(s))
	}},
	{"fragment of location", func(c *Case, n, s string) {
		header(&c.AnswerHeaders, "Location", "https://h.example/cb#"+n+"="+url.QueryEscape(s))
	}},
	{"query of location", func(c *Case, n, s string) {
		header(&c.AnswerHeaders, "Location", "/cb?a=b&"+n+"="+url.QueryEscape(s))
	}},
	{"query of referer", func(c *Case, n, s string) {
		header(&c.Headers, "Referer", "https://h.example/?"+n+"="+url.QueryEscape(s))
	}},
	{"link", func(c *Case, n, s string) {
		header(&c.AnswerHeaders, "Link", `<https://h.example/?page=2&`+n+`=`+url.QueryEscape(s)+`>; rel="next"`)
	}},
	{"refresh", func(c *Case, n, s string) {
		header(&c.AnswerHeaders, "Refresh", "5; url=/?"+n+"="+url.QueryEscape(s))
	}},
	{"json", func(c *Case, n, s string) { request(c, asJSON, fmt.Sprintf(`{"a":1,"%s":"%s"}`, n, quoted(s))) }},
	{"json of the answer", func(c *Case, n, s string) { answer(c, asJSON, fmt.Sprintf(`{"%s" : "%s"}`, n, quoted(s))) }},
	{"json deep", func(c *Case, n, s string) {
		answer(c, "application/problem+json; charset=utf-8", fmt.Sprintf(`{"a":[{"b":{"c":[1,{"%s":"%s"}]}}]}`, n, quoted(s)))
	}},
	{"json list", func(c *Case, n, s string) { answer(c, asJSON, fmt.Sprintf(`{"%s":["%s"]}`, n, quoted(s))) }},
	{"json value", func(c *Case, n, s string) {
		answer(c, asJSON, fmt.Sprintf(`[{"name":"%s","value":"%s"}]`, n, quoted(s)))
	}},
	{"json without a type", func(c *Case, n, s string) { answer(c, "", fmt.Sprintf(`{"%s":"%s"}`, n, quoted(s))) }},
	{"json as a form", func(c *Case, n, s string) { request(c, asForm, fmt.Sprintf(`{"%s":"%s"}`, n, quoted(s))) }},
	{"json within json", func(c *Case, n, s string) {
		answer(c, asJSON, fmt.Sprintf(`{"body":"%s"}`, quoted(fmt.Sprintf(`{"%s":"%s"}`, n, quoted(s)))))
	}},
	{"url within json", func(c *Case, n, s string) {
		answer(c, asJSON, fmt.Sprintf(`{"href":"https://h.example/x?%s=%s"}`, n, url.QueryEscape(s)))
	}},
	{"cut json", func(c *Case, n, s string) { answer(c, asJSON, fmt.Sprintf(`{"a":1,"%s":"%s`, n, quoted(s))) }},
	{"gzip json", func(c *Case, n, s string) {
		c.Coding = "gzip"
		answer(c, asJSON, fmt.Sprintf(`{"%s":"%s"}`, n, quoted(s)))
	}},
	{"br json", func(c *Case, n, s string) {
		c.Coding = "br"
		request(c, asJSON, fmt.Sprintf(`{"%s":"%s"}`, n, quoted(s)))
	}},
	{"zstd form", func(c *Case, n, s string) {
		c.Coding = "zstd"
		request(c, asForm, n+"="+url.QueryEscape(s))
	}},
	{"form", func(c *Case, n, s string) { request(c, asForm, "a=1&"+n+"="+url.QueryEscape(s)+"&b=2") }},
	{"form in brackets", func(c *Case, n, s string) { request(c, asForm, "user%5B"+n+"%5D="+url.QueryEscape(s)) }},
	{"multipart", func(c *Case, n, s string) {
		request(c, "multipart/form-data; boundary=zz", "--zz\r\nContent-Disposition: form-data; name=\""+n+"\"\r\n\r\n"+s+"\r\n--zz--\r\n")
	}},
	{"multipart file", func(c *Case, n, s string) {
		request(c, "multipart/form-data; boundary=\"z z\"", "--z z\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\nContent-Type: application/json\r\n\r\n"+
			fmt.Sprintf(`{"%s":"%s"}`, n, quoted(s))+"\r\n--z z--\r\n")
	}},
	{"xml", func(c *Case, n, s string) { answer(c, "text/xml", "<r><"+n+">"+s+"</"+n+"></r>") }},
	{"xml attribute", func(c *Case, n, s string) { answer(c, "application/xml", `<r `+n+`="`+s+`"/>`) }},
	{"xml cdata", func(c *Case, n, s string) {
		answer(c, "application/soap+xml", "<ns:"+n+"><![CDATA["+s+"]]></ns:"+n+">")
	}},
	{"html field", func(c *Case, n, s string) {
		answer(c, "text/html", `<form><input type=hidden name="`+n+`" value="`+s+`"></form>`)
	}},
	{"html script", func(c *Case, n, s string) {
		answer(c, "text/html", "<html><script>var x = {"+n+": '"+s+"'};</script></html>")
	}},
	{"html meta", func(c *Case, n, s string) {
		answer(c, "text/html", `<meta content='`+s+`' name='`+n+`'>`)
	}},
	{"text", func(c *Case, n, s string) { answer(c, "text/plain", "2026-11-24 user=ann "+n+"="+s+" done\n") }},
	{"text with a colon", func(c *Case, n, s string) { answer(c, "text/plain", "user: ann\n"+n+": "+s+"\n") }},
	{"javascript", func(c *Case, n, s string) {
		answer(c, "application/javascript", `callback({"`+n+`":"`+s+`"})`)
	}},
	{"events", func(c *Case, n, s string) {
		answer(c, "text/event-stream", fmt.Sprintf("event: a\ndata: {\"%s\":\"%s\"}\n\n", n, quoted(s)))
	}},
	{"json lines", func(c *Case, n, s string) {
		answer(c, "application/x-ndjson", fmt.Sprintf("{\"a\":1}\n{\"%s\":\"%s\"}\n", n, quoted(s)))
	}},
}

// open are the places where a secret is known by its shape alone.
var open = []place{
	{"json", func(c *Case, _, s string) { request(c, asJSON, fmt.Sprintf(`{"note":"%s"}`, quoted(s))) }},
	{"json of the answer", func(c *Case, _, s string) { answer(c, asJSON, fmt.Sprintf(`{"items":[{"x":"%s"}]}`, quoted(s))) }},
	{"json sentence", func(c *Case, _, s string) { answer(c, asJSON, fmt.Sprintf(`{"text":"it is %s, said Ann"}`, quoted(s))) }},
	{"json with escapes", func(c *Case, _, s string) {
		answer(c, asJSON, fmt.Sprintf(`{"text":"\u0069s \"%s\""}`, strings.ReplaceAll(quoted(s), "@", `\u0040`)))
	}},
	{"json key", func(c *Case, _, s string) { answer(c, asJSON, fmt.Sprintf(`{"by":{"%s":1}}`, quoted(s))) }},
	{"form", func(c *Case, _, s string) { request(c, asForm, "note="+url.QueryEscape(s)) }},
	{"query", func(c *Case, _, s string) { c.Target += "?q=" + url.QueryEscape(s) }},
	{"multipart", func(c *Case, _, s string) {
		request(c, "multipart/form-data; boundary=zz", "--zz\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n"+s+"\r\n--zz--\r\n")
	}},
	{"xml", func(c *Case, _, s string) { answer(c, "application/xml", "<r><note>"+s+"</note></r>") }},
	{"html", func(c *Case, _, s string) { answer(c, "text/html", "<p>Write "+s+"<br>or not</p>") }},
	{"text", func(c *Case, _, s string) { answer(c, "text/plain", "This is it: "+s+" and nothing else\n") }},
	{"csv", func(c *Case, _, s string) { answer(c, "text/csv", "a,b\n1,"+s+"\n") }},
	{"events", func(c *Case, _, s string) { answer(c, "text/event-stream", "data: it is "+s+" \n\n") }},
}

// names are spelled in many ways.
var names = strings.Fields(`password accessToken refresh_token client-secret apiKey sessionId csrf_token PASSWORD authToken X-Auth-Token
	user_password hmac otp passphrase reset_token private_key jwt signature bearer`)

// fields are headers that are secrets by their names.
var fields = strings.Fields(`Authorization Proxy-Authorization X-Api-Key X-Auth-Token X-Session-Id X-Csrf-Token X-Shopify-Access-Token X-Authorization Authentication
	Token Dpop X-Hub-Signature-256 Sec-Websocket-Protocol X-Forwarded-Authorization Private-Token X-Vault-Token Api-Key X-Refresh-Token
	X-Amz-Security-Token X-Session-Token x-user-token-bin`)

// Cases are those of a seed; another seed has the same cases with other secrets.
// There are more than 300.
func Cases(seed uint64) []Case {
	r := rand.New(rand.NewPCG(seed, 9))
	var out []Case
	add := func(what string, k kind, put func(*Case, string)) {
		secret := k.of(r)
		c := Case{Name: what + ": " + k.name, Method: "GET", Target: fmt.Sprintf("/case/%d", len(out)), Secrets: []string{secret}}
		if k.grouped {
			c.Secrets = append(c.Secrets, strings.NewReplacer(" ", "", "-", "").Replace(secret))
		}
		if strings.Contains(secret, "\n") {
			c.Secrets = strings.Split(secret, "\n")[1:3]
		}
		put(&c, secret)
		out = append(out, c)
	}
	for i, p := range named {
		for j := range 4 {
			name := names[(i+5*j)%len(names)]
			add(p.name+" "+name, random, func(c *Case, s string) { p.put(c, name, s) })
		}
	}
	for _, p := range open {
		for _, k := range shaped {
			add(p.name, k, func(c *Case, s string) { p.put(c, "", s) })
		}
	}
	for _, p := range open[:2] {
		add(p.name, pem, func(c *Case, s string) { p.put(c, "", s) })
	}
	add("text", pem, func(c *Case, s string) { answer(c, "text/plain", "key:\n"+s+"\n") })
	for _, f := range fields {
		add("field "+f, random, func(c *Case, s string) { header(&c.Headers, f, s) })
		add("field of the answer "+f, random, func(c *Case, s string) { header(&c.AnswerHeaders, f, s) })
	}
	for _, scheme := range []string{"Bearer ", "Basic ", "Token ", "Digest username=", "AWS4-HMAC-SHA256 Credential=", ""} {
		add("scheme "+scheme, random, func(c *Case, s string) { header(&c.Headers, "Authorization", scheme+s) })
	}
	add("cookie", random, func(c *Case, s string) { header(&c.Headers, "Cookie", "theme=x; sid="+s+"; a=b") })
	add("quoted cookie", random, func(c *Case, s string) { header(&c.Headers, "Cookie", `sid="`+s+`"`) })
	add("set-cookie", random, func(c *Case, s string) {
		header(&c.AnswerHeaders, "Set-Cookie", "sid="+s+"; Path=/; HttpOnly")
	})
	add("joined set-cookie", random, func(c *Case, s string) {
		header(&c.AnswerHeaders, "Set-Cookie", "a=b; Path=/, sid="+s+"; Path=/")
	})
	add("userinfo of location", random, func(c *Case, s string) {
		header(&c.AnswerHeaders, "Location", "https://ann:"+s+"@h.example/x")
	})
	add("userinfo in json", random, func(c *Case, s string) { answer(c, asJSON, `{"dsn":"postgres://ann:`+s+`@db.example/x"}`) })
	add("path parameter", random, func(c *Case, s string) { c.Target += ";jsessionid=" + s + "/x" })
	add("asp.net session", random, func(c *Case, s string) { c.Target += "/(S(" + s + "))/x" })
	add("path behind reset", random, func(c *Case, s string) { c.Target += "/reset/" + s })
	add("path behind apikey", random, func(c *Case, s string) { c.Target += "/apikey/" + s })
	add("trailer", random, func(c *Case, s string) { header(&c.AnswerTrailers, "X-Auth-Token", s) })
	for _, k := range shaped {
		switch k.name {
		case "jwt", "stripe", "github", "aws", "google", "slack", "email":
			add("segment", k, func(c *Case, s string) { c.Target += "/users/" + url.PathEscape(s) + "/orders" })
			add("header without a name for it", k, func(c *Case, s string) { header(&c.Headers, "X-Note", s) })
			add("header of the answer without a name for it", k, func(c *Case, s string) { header(&c.AnswerHeaders, "X-Note", s) })
		}
	}
	number := kind{name: "number", of: func(r *rand.Rand) string { return "7" + digits(r, 10) }}
	for _, n := range []string{"otp", "pin", "cvv", "verification_code", "password"} {
		add("json number "+n, number, func(c *Case, s string) { answer(c, asJSON, `{"`+n+`":`+s+`}`) })
	}
	add("json number pan", shaped[1], func(c *Case, s string) { answer(c, asJSON, `{"card":{"pan":`+s+`}}`) })
	add("segment behind cards", shaped[1], func(c *Case, s string) { c.Target += "/cards/" + s })
	add("bearer in text", random, func(c *Case, s string) { answer(c, "text/plain", "send Authorization: Bearer "+s+"\n") })
	add("bearer in json", random, func(c *Case, s string) { answer(c, asJSON, `{"curl":"curl -H 'Authorization: Bearer `+s+`' h"}`) })
	spelled(add)
	shapedOddly(add)
	elsewhere(add)
	further(add)
	return out
}

// Harmless are values that look a little like secrets and must survive, in JSON,
// as {"name": value}.
func Harmless() []string {
	return strings.Split(strings.TrimSpace(harmless), "\n")
}

const harmless = `
"id":"ord_8231"
"id":"8c0e2a54-6a0b-4c1e-9d7b-0c6a1f1f3d55"
"id":4111111111111111
"id":"4111111111111111"
"order_id":"5500000000000004"
"timestamp":1700000000000
"time":"2026-11-24T10:00:00+02:00"
"at":"2026-11-24 10:00:00.123456"
"amount":4111.11
"amount":"1234567890123.45"
"price":"12.90"
"token_type":"Bearer"
"next_page_token":"CAUQAA"
"nextPageToken":"b4Se1iN3b3aR3r70k3N1"
"max_tokens":4096
"usage":{"prompt_tokens":1204,"total_tokens":2408}
"tokens":1500
"count":1234567890123
"reset":1372700873
"password":true
"password":null
"password":""
"session":"true"
"code":"INSUFFICIENT_FUNDS"
"code":404
"code":"DE"
"key":"users/2024/avatar.png"
"key":"name"
"primary_key":"a1b2c3d4e5f6a7b8c9d0"
"idempotency_key":"a1b2c3d4e5f6a7b8c9d0"
"sort_key":"a1b2c3d4e5f6a7b8"
"public_key":"a1b2c3d4e5f6a7b8c9d0"
"country_code":"DE"
"postal_code":"00100"
"author":"Ann Example"
"secretary":"Ann Example"
"keyboard":"qwerty"
"image":"icon@2x.png"
"package":"lodash@4.17.21"
"repo":"git@github.example:org/repo.git"
"handle":"@ann"
"version":"1.2.3-rc.1+build.5"
"sku":"A-1-2345678901234"
"isbn":"978-3-16-148410-0"
"ean":"4006381333931"
"uuid":"123e4567-e89b-12d3-a456-426614174000"
"hash":"d41d8cd98f00b204e9800998ecf8427e"
"etag":"W/\"33a64df551425fcc55e4d42a148795d9f25f89d4\""
"phone_verified":true
"mobile":false
"tel":"n/a"
"score":"+1234"
"delta":"+0.5"
"offset":"+0200"
"card":"visa"
"card_last4":"4242"
"iban_valid":true
"text":"DE89 is the beginning of it"
"text":"call 110 or 112"
"text":"1 + 1 = 2"
"text":"3 of 4111111111111112"
"url":"https://h.example/orders/7?page=2&sort=asc"
"path":"/orders/7#top"
"ip":"192.168.100.200"
"mac":"00:1B:44:11:3A:B7"
"coords":"52.520008,13.404954"
"npm":"npm_config_registry_url"
"lang":"en-US,en;q=0.9"
"email_sent":true
"password_policy":"at least 12 characters"
"required":["password","email","name"]
"errors":{"name":"is too short","kind":"password: must not be empty"}
"fields":["token","value"]
"pair":["password","required"]
"type":"password"
"path":"/password"
"text":"the password is wrong"
"text":"your session is over"
"text":"the code is valid until noon"
"text":"Token: see below"
"text":"see https://h.example/verify for more"
"text":"a <b>bold</b> word and 1 < 2"
"text":"ratio 16:9, scale 1:1000, at 10:30"
"text":"version 4.1.2.3, build 2024.11.26.1"
"text":"from 4539/1488 to 4539/1489"
"ips":"4539.1488 and 10.0.0.1"
"email_signature":"Best regards, Ann"
"method_signature":"(I)V"
"state":"processing_payment"
"ticket":"SUP-1042"
"ticket":"waiting-for-the-customer"
"assertions":12
"trace":"be8937040044053201300000000000ff"
"object":"ad12bc34de56f7890123ab45"
"base64":"aGVsbG8gd29ybGQsIGhvdyBhcmUgeW91IHRvZGF5"
"cursor":"eyJpZCI6MTA0MiwiZGlyIjoibmV4dCJ9"
"query":"{ orders(first: 10, after: $cursor) { id state } }"
"query":"query Q($id: ID!) { order(id: $id) { id total } }"
"html":"<p class=\"a\">Hello</p>"
"form":"a=1&b=two+words&c=%2Fx"
"css":"width: 10px; content: 'x'"
"sql":"SELECT name FROM users WHERE id = 7"
"mention":"@ann and @bob"
"scale":"icon%402x.png"
"callback":"https://h.example/cb?state=ready&page=2"
"credentials":{"type":"basic","username":"ann"}
"secrets":{"count":3,"rotated":true}
"sessions":{"total":12,"active":3}
"tokens":{"input":1204,"output":310}
"phone":"n/a"
"dial":"0049"
"order":"00490170123456"
"boarding_pass":"A12-B"
"pass":true
"bypass":"allowed"
"compass":"north"
"objectKey":"users/2024/avatar-3f9a2b.png"
"object":{"key":"users/2024/avatar-3f9a2b.png"}
"project":{"key":"PROJ"}
"session":{"id":"42","title":"Keynote"}
"user":{"id":"5f3e8a7c9b1d2e4f6a8b0c1d"}
"issue_key":"PROJ-1042-a1b2c3"
"text":"type 'abc12345' to go on"
"html":"<div id=session>12</div>"
"html":"<span class=token>keyword1</span>"
"commit_hash":"3f5e8a7c9b1d2e4f6a8b0c1d2e3f4a5b6c7d8e9f"
"url":"https://h.example/join/us"
"text":"The token bucket holds 1000 entries"
"text":"reset password a1b2"
"text":"session abc123 ended"
"html":"<table><tr><th>Token</th><th>Count</th></tr><tr><td>abc</td><td>1204</td></tr></table>"
"html":"<dl><dt>Order number</dt><dd>A-1042</dd><dt>Password</dt><dd>********</dd></dl>"
"html":"<label>Password</label><p>at least 12 characters</p>"
"html":"<h2>Reset password</h2><p>step 1</p><p>2026</p>"
"path":"/webhooks/5f3e8a7c9b1d2e4f6a8b0c1d/deliveries"
"path":"/invites/5f3e8a7c9b1d2e4f6a8b0c1d"
"path":"/accounts/token/settings"
"refresh":"wait_for"
"refresh":5
"access":"public"
"d":"M150 0 L75 200 L225 200 Z"
"k":"product-key-name-1"
"text":"API key: see the settings page"
"text":"primary key: a1b2c3d4e5f6a7b8c9d0"
"text":"docker run --name web --user 1000:1000 nginx"
"text":"ps -u 1000"
"text":"type=token id=42"
"yaml":"- name: API_TOKEN\n  valueFrom: secret\n"
"client_certificate_required":true
"url":"https://h.example/auth/token/introspect"
"url":"https://h.example/oauth2/token/f47ac10b-58cc-4372-a567-0e02b2c3d479"
"text":"Session 12 of the conference"
"text":"password 8 to 64 characters"
"url":"https://h.example/share/photos/IMG_20240101_123456.jpg"
"text":"--token-limit 4096 --session-timeout 30s"
"text":"cache key: user:42:profile"
"text":"error code: E1042, country code: DE49"
`
