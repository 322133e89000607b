package redacttest

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode/utf16"
)

// spelled are places where a secret is known by its name, in spellings that hide
// it from a first look.
func spelled(add func(what string, k kind, put func(*Case, string))) {
	field := func(line string) {
		add("field "+line, random, func(c *Case, s string) {
			name, value, _ := strings.Cut(strings.ReplaceAll(line, "%s", s), ": ")
			header(&c.Headers, name, value)
			header(&c.AnswerHeaders, name, value)
		})
	}
	for _, line := range []string{
		"X-Note: password=%s", `X-Note: {"password":"%s"}`, "X-Data: a=1&token=%s", "Via: 1.1 proxy (token=%s)", "Forwarded: for=1.2.3.4;secret=%s",
		"Baggage: user_token=%s,a=1", "Soapaction: \"urn:login?password=%s\"", "Destination: http://u:%s@h.example/dav", "X-Debug: user login password=%s",
		"Content-Disposition: attachment; filename=\"token=%s.txt\"", "X-Accel-Redirect: /files?token=%s", "Www-Authenticate: Digest realm=\"r\", nonce=\"%s\"",
		`Report-To: {"endpoints":[{"url":"https://h.example/?token=%s"}]}`, "Server-Timing: db;desc=\"token=%s\"", "Warning: 199 - \"token=%s\"",
		"X-Twilio-Signature: %s", "Stripe-Signature: t=1492774577,v1=%s", "Cookie2: sid=%s", "Set-Cookie2: sid=%s; Version=1", "X-Remember-Me: %s",
		"X-Jwt-Assertion: %s", "X-Next: /a?next=%252Fb%253Ftoken%253D%s", "Content-Security-Policy: report-uri /csp?token=%s",
	} {
		field(line)
	}
	for _, target := range []string{
		`?q={"password":"%s"}`, "?q=%7B%22password%22%3A%22%s%22%7D", "?filter=password=%s", "?filter=password%3D%s", "?redirect=%252Fb%253Ftoken%253D%s",
		"?redirect=%25252Fb%25253Ftoken%25253D%s", "/verify/%s", "/invite/%s", "/unsubscribe/%s", "/activate/%s", "/confirm/%s", "?SAMLResponse=%s", "?id_token_hint=%s",
		"?assertion=%s", "?pw=%s", "?passwort=%s", "?kennwort=%s", "?senha=%s", "?contrase%C3%B1a=%s", "?mot_de_passe=%s", "?totp_code=%s", "?mfa_code=%s",
		"?security_answer=%s", "?token%3D%s", "#token=%s", "/a=1%3Btoken=%s", "?appkey=%s", "?authcode=%s", "?ticket=%s", "?u=https%3A%2F%2Fu%3A%s%40h.example%2F",
		"?variables=%7B%22input%22%3A%7B%22password%22%3A%22%s%22%7D%7D",
	} {
		add("target "+target, random, func(c *Case, s string) { c.Target += strings.ReplaceAll(target, "%s", s) })
	}
	add("target in base64", random, func(c *Case, s string) {
		c.Target += "?cursor=" + url.QueryEscape(inBase64(`{"id":7,"token":"`+s+`"}`, c))
	})
	both := func(what, contentType string, body func(s string, c *Case) string) {
		add(what, random, func(c *Case, s string) { request(c, contentType, body(s, c)) })
		add(what+" of the answer", random, func(c *Case, s string) { answer(c, contentType, body(s, c)) })
	}
	template := func(contentType string, texts ...string) {
		for _, text := range texts {
			both(contentType+" "+text, contentType, func(s string, _ *Case) string { return strings.ReplaceAll(text, "%s", s) })
		}
	}
	template(asJSON,
		`{"credentials":{"a":{"x":"%s"}}}`, `{"secrets":{"db":"%s"}}`, `[{"value":"%s","name":"token"}]`, `{"type":"password","data":"%s"}`,
		`{"x":"a=1&payload=%7B%22password%22%3A%22%s%22%7D"}`, `{"x":"<a><password>%s</password></a>"}`, `[["password","%s"]]`,
		`{"tokens":{"%s":1}}`, `{"sessions":{"%s":{"user":1}}}`, `[{"op":"replace","path":"/user/password","value":"%s"}]`,
		`{"query":"mutation { login(user:\"u\", password:\"%s\") { id } }"}`, `{"query":"mutation { login(password:\"\"\"%s\"\"\") { id } }"}`,
		`{"query":"mutation($password:String=\"%s\") { login(p:$password) }"}`, `{"log":"see postgres://ann:%s@db.example/x for more"}`,
		`{"text":"Your password is %s"}`, `{"query":"mutation($p:String!){login(password:$p){id}}","variables":{"p":"%s"}}`,
		`{"operationName":"L","variables":{"input":{"pass":1},"pw2":"%s"},"query":"mutation L($pw2: String!) { login(user: \"u\", password: $pw2) { id } }"}`,
	)
	template("application/xml",
		`<?auth token="%s"?><a/>`, `<!DOCTYPE a [<!ENTITY pw "%s">]><a><password>&pw;</password></a>`,
		`<r><member><name>password</name><value><string>%s</string></value></member></r>`, `<dict><key>token</key><string>%s</string></dict>`,
		`<a><x>&lt;password&gt;%s&lt;/password&gt;</x></a>`, `<a><x><![CDATA[<password>%s</password>]]></x></a>`, `<a><x>{"password":"%s"}</x></a>`,
		`<p><property name="password">%s</property></p>`, `<p><entry key="api_key">%s</entry></p>`,
	)
	template("text/html", `<textarea name="password">%s</textarea>`)
	template("text/plain", "go to postgres://ann:%s@db.example/x now\n", "Your password is %s\n", "password:\t%s\n")
	template("application/yaml", "password: |\n  %s\n", "- name: x\n  token: >-\n    %s\n  a: 1\n")
	template("text/csv", "id,password\n1,%s\n", "\"id\",\"api key\",\"x\"\r\n\"1\",\"%s\",\"y\"\r\n", "id;token\n1;%s\n2;\n")
	template("text/tab-separated-values", "id\ttoken\n1\t%s\n")
	template("text/event-stream", "data: {\"token\":\ndata: \"%s\"}\n\n")
	template("image/png", `{"password":"%s"}`)
	part := func(head, content string) string {
		return "--zz\r\n" + head + "\r\n\r\n" + content + "\r\n--zz--\r\n"
	}
	form := "multipart/form-data; boundary=zz"
	template(form,
		part("Content-Disposition: form-data; name=\"f\"; filename=\"token=%s.txt\"", "x"),
		part("Content-Disposition: form-data; name=\"f\"\r\nX-Auth-Token: %s", "x"),
		part("Content-Disposition: form-data; name=\"f\"\r\nCookie: sid=%s", "x"))
	both("multipart in base64", form, func(s string, c *Case) string {
		return part("Content-Disposition: form-data; name=\"f\"\r\nContent-Type: application/json\r\nContent-Transfer-Encoding: base64", inBase64(`{"password":"`+s+`"}`, c))
	})
	both("multipart in quoted-printable", form, func(s string, _ *Case) string {
		return part("Content-Disposition: form-data; name=\"f\"\r\nContent-Type: application/json\r\nContent-Transfer-Encoding: quoted-printable", `{"password"=3A"`+s+`"}`)
	})
	both("multipart in utf-16", form, func(s string, c *Case) string {
		return part("Content-Disposition: form-data; name=\"f\"", wide(`{"password":"`+s+`"}`, s, c))
	})
	both("utf-16 without a mark", asJSON, func(s string, c *Case) string { return wide(`{"password":"`+s+`"}`, s, c) })
	both("json in base64", asJSON, func(s string, c *Case) string {
		return `{"payload":"` + inBase64(`{"a":{"password":"`+s+`"}}`, c) + `"}`
	})
}

// inBase64 is a text in base64, which must not be found as a whole either.
func inBase64(text string, c *Case) string {
	out := base64.StdEncoding.EncodeToString([]byte(text))
	c.Secrets = append(c.Secrets, out)
	return out
}

// wide is a text in UTF-16, where the secret has that spelling.
func wide(text, secret string, c *Case) string {
	encode := func(s string) string {
		var b strings.Builder
		for _, u := range utf16.Encode([]rune(s)) {
			b.WriteByte(byte(u))
			b.WriteByte(byte(u >> 8))
		}
		return b.String()
	}
	c.Secrets = append(c.Secrets, encode(secret))
	return encode(text)
}

// shapedOddly are secrets by their shape in spellings of their own.
func shapedOddly(add func(what string, k kind, put func(*Case, string))) {
	of := func(name string, i int) kind {
		k := shaped[i]
		k.name = name
		return k
	}
	note := func(s string) func(*Case) { return func(c *Case) { request(c, asJSON, `{"note":"`+quoted(s)+`"}`) } }
	for _, by := range []string{".", "/", "  ", "\u00a0", "\u2011", "\t", "_", " - "} {
		add("card parted by "+by, of("visa", 1), func(c *Case, s string) {
			s = groups(s, 4, by)
			c.Secrets = append(c.Secrets, s)
			note("it is " + s + " or so")(c)
			answer(c, "text/plain", "it is "+s+" or so")
		})
	}
	add("track 1", of("visa", 1), func(c *Case, s string) { answer(c, "text/plain", "%B"+s+"^DOE/JOHN^2512101100001?") })
	for _, by := range []string{"-", ".", "\u00a0"} {
		add("account parted by "+by, of("iban", 5), func(c *Case, s string) {
			s = groups(s, 4, by)
			c.Secrets = append(c.Secrets, s)
			note("it is " + s + " or so")(c)
			answer(c, "text/plain", "it is "+s+" or so")
		})
	}
	add("account in lower case", of("iban", 5), func(c *Case, s string) {
		c.Secrets = append(c.Secrets, strings.ToLower(s))
		note("it is " + strings.ToLower(s))(c)
		c.Target += "/accounts/" + strings.ToLower(s)
	})
	add("account in other groups", of("iban", 5), func(c *Case, s string) {
		s = s[:2] + " " + s[2:4] + " " + s[4:12] + " " + s[12:]
		c.Secrets = append(c.Secrets, s)
		note("it is " + s)(c)
	})
	mail := kind{name: "email", of: shaped[7].of}
	for _, host := range []string{"@bücher.example", "%40mail.example.org", "@[192.0.2.7]"} {
		add("address with "+host, mail, func(c *Case, s string) {
			local, _, _ := strings.Cut(s, "@")
			c.Secrets = []string{local}
			note("it is " + local + host)(c)
		})
	}
	add("address with quotes", mail, func(c *Case, s string) {
		local, host, _ := strings.Cut(s, "@")
		c.Secrets = []string{local}
		answer(c, "text/plain", "write to \""+local+" x\"@"+host+" now")
	})
	for _, before := range []string{"pre-", "a.", "v1_", "x:"} {
		for _, i := range []int{0, 9, 10} {
			add("behind "+before, shaped[i], func(c *Case, s string) {
				note(before + s)(c)
				c.Target += "/j/" + before + s
				header(&c.Headers, "X-Note", before+s)
			})
		}
	}
	for _, begin := range []string{"hvs.", "tvly-", "vercel_", "figd_", "sbp_", "tskey-auth-", "gsk_", "xai-", "glsa_", "ntn_"} {
		add("key "+begin, kind{name: "marked", of: random.of}, func(c *Case, s string) {
			note(begin + s + "7")(c)
			c.Target += "/a/" + begin + s + "7"
		})
	}
	add("hook of Slack", random, func(c *Case, s string) { note("https://hooks.slack.com/services/T00/B00/" + s)(c) })
}
