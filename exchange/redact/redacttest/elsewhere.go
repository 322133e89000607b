package redacttest

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
)

// with is a kind of secrets that begin with something.
func with(name, begin string, n int) kind {
	return kind{name: name, of: func(r *rand.Rand) string { return begin + letters(r, n) }}
}

// marked are keys that their makers mark, beside those in shaped. They are put
// together here so that nothing takes them for real ones.
var marked = []kind{
	with("stripe restricted", "rk_"+"live_9", 24), with("stripe test", "sk_"+"test_9", 24), with("stripe webhook", "whsec"+"_9", 31),
	with("github fine-grained", "github"+"_pat_9", 60), with("github app", "ghs"+"_9", 35), with("github oauth", "gho"+"_9", 35),
	with("gitlab", "glpat"+"-9", 19), with("npm", "npm"+"_9", 35), with("pypi", "pypi"+"-AgEIcHlwaS5vcmc9", 60),
	with("sendgrid", "SG"+".9", 65), with("openai", "sk"+"-proj-9", 47), with("anthropic", "sk"+"-ant-api03-9", 90),
	with("shopify", "shpat"+"_9a", 30), with("digitalocean", "dop"+"_v1_9", 63), with("hugging face", "hf"+"_9", 33),
	with("databricks", "dapi"+"9", 31), with("linear", "lin"+"_api_9", 39), with("telegram bot", "7123456789:AA"+"9", 32),
	with("square", "sq0atp"+"-9", 21), with("mailgun", "key"+"-9a", 30), with("new relic", "NRAK"+"-9", 26),
	with("grafana", "glsa"+"_9", 40), with("vault", "hvs"+".9", 90), with("docker", "dckr_pat"+"_9", 26),
	with("age key", "AGE-SECRET-KEY-1"+"9", 57), with("google oauth secret", "GOCSPX"+"-9", 27), with("google access", "ya29"+".9", 60),
	with("slack app", "xapp"+"-1-A9", 40), with("twilio key", "SK"+"9", 31),
}

// elsewhere adds secrets in places that no list of parameters or members covers.
func elsewhere(add func(string, kind, func(*Case, string))) {
	text := func(what, before, after string) {
		add("text "+what, random, func(c *Case, s string) { answer(c, "text/plain", before+s+after) })
		add("json text "+what, random, func(c *Case, s string) { answer(c, asJSON, fmt.Sprintf(`{"log":"%s"}`, quoted(before+s+after))) })
	}
	for _, k := range marked {
		switch k.name {
		case "twilio key", "mailgun", "databricks": // digits that anything may be
			continue
		}
		add("json", k, func(c *Case, s string) { answer(c, asJSON, fmt.Sprintf(`{"items":[{"x":"%s"}]}`, s)) })
		add("sentence", k, func(c *Case, s string) { answer(c, "text/plain", "use "+s+", please\n") })
		add("query", k, func(c *Case, s string) { c.Target += "?v=" + url.QueryEscape(s) })
	}
	for _, f := range []string{
		"<table><tr><td>API key</td><td>%s</td></tr></table>", "<table><tr><th>Password</th><td><code>%s</code></td></tr></table>",
		"<dl><dt>Access token</dt><dd>%s</dd></dl>", "<label for=t>Client secret</label><input id=t value='%s'>", "<p>Your API key: <b>%s</b></p>",
		"<input type=password value='%s'>", "<div data-api-key='%s'></div>", "<a href='/reset?token=%s'>reset</a>", "<body data-csrf=\"%s\">",
		"<script>window.__CONFIG__={\"apiKey\":\"%s\"}</script>", "<script>const authToken = \"%s\";</script>", "<li>Secret: %s</li>",
	} {
		add("html "+f, random, func(c *Case, s string) { answer(c, "text/html", fmt.Sprintf("<html>"+f+"</html>", s)) })
	}
	text("sql value", "INSERT INTO users SET name='ann', password='", "', age=3;")
	text("sql where", "SELECT * FROM t WHERE api_key = '", "' AND x = 1")
	text("export", "export API_KEY=", "\nexport PATH=/bin")
	text("env", "DB_HOST=h\nDB_PASSWORD=\"", "\"\nDB_PORT=1")
	text("ini", "[db]\nuser = ann\npassword = ", "\nport = 1\n")
	text("netrc", "machine h.example login ann password ", " account x")
	text("connection string", "Server=h.example;Database=d;User Id=ann;Password=", ";Encrypt=true")
	text("account key", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=", ";EndpointSuffix=core.example")
	text("url of a store", "mongodb+srv://ann:", "@cluster.example/db?w=majority")
	text("redis", "redis://:", "@h.example:6379/0")
	text("curl user", "curl -u ann:", " https://h.example/")
	text("flag", "mysql --user=ann --password=", " db")
	text("flag behind", "tool --api-key ", " --verbose")
	text("arrow", `{:name=>"ann", :password=>"`, `"}`)
	text("python", "{'user': 'ann', 'secret_key': '", "'}")
	text("log", `level=info msg="login" token=`, " user=7")
	text("log quoted", `level=info access_token="`, `" user=7`)
	text("otpauth", "otpauth://totp/x:ann?secret=", "&issuer=x")
	text("signed url", "https://b.example/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=", "&x=1")
	text("shared access signature", "https://a.example/c/b?sv=2024-01-01&sr=b&sig=", "&se=2026")
	for _, p := range []string{
		"/oauth/callback/", "/password/reset/", "/invites/", "/invitations/accept/", "/unsubscribe/", "/magic-link/", "/verify-email/", "/confirm/", "/activate/",
		"/hooks/catch/1234567/", "/webhooks/incoming/", "/api/v1/token/", "/share/s/", "/sso/ticket/",
	} {
		add("path "+p, random, func(c *Case, s string) { c.Target += p + s })
		add("link in json "+p, random, func(c *Case, s string) { answer(c, asJSON, `{"href":"https://h.example`+p+s+`"}`) })
	}
	for _, q := range []string{"refresh", "tok", "auth", "sig", "hash_token", "ticket", "assertion", "SAMLResponse", "samlRequest", "id_token", "code_verifier", "client_assertion", "pwd", "passwd", "login_token", "sessid", "sid", "otp", "hmac", "access", "_csrf", "authenticity_token"} {
		add("query "+q, random, func(c *Case, s string) { c.Target += "?" + q + "=" + s })
		add("form "+q, random, func(c *Case, s string) { request(c, asForm, "a=1&"+q+"="+s) })
	}
	for _, f := range []string{"X-Client-Cert", "X-SSL-Client-Cert", "X-Forwarded-Client-Cert", "Ssl-Client-Cert", "X-Goog-Iap-Jwt-Assertion", "Cf-Access-Jwt-Assertion", "X-Access-Token", "X-Amzn-Oidc-Data", "X-Ms-Token-Aad-Access-Token", "X-Plex-Token", "Circle-Token", "X-Parse-Session-Token", "X-Jwt-Assertion", "X-Secret", "X-Signature", "X-Twilio-Signature", "Stripe-Signature", "X-Gitlab-Token", "X-Figma-Token", "X-Xsrf-Token", "X-Otp", "X-Github-Otp", "Cookie2", "Set-Cookie2", "X-Set-Cookie", "X-Original-Cookie", "Authorization-Token", "X-Api-Secret", "Ocp-Apim-Subscription-Key", "X-Rapidapi-Key", "X-Application-Key", "Fastly-Key", "Dd-Api-Key", "X-Login-Token", "X-Remember-Token", "X-User-Password"} {
		add("field "+f, random, func(c *Case, s string) {
			if strings.Contains(f, "ookie") {
				s = "sid=" + s
			}
			header(&c.Headers, f, s)
			header(&c.AnswerHeaders, f, s)
		})
	}
	for _, f := range [][2]string{
		{"Accept", "application/json; token="}, {"Content-Disposition", "attachment; filename=a; password="}, {"Www-Authenticate", `Bearer realm="x", access_token=`},
		{"Authentication-Info", "nextnonce="}, {"X-Debug", `{"authToken":"`}, {"Server-Timing", "db;desc=\"password="}, {"X-Forwarded-Uri", "/x?token="}, {"Sec-Websocket-Protocol", "base64url.bearer.authorization.k8s.io."},
		{"Link", "<https://h.example/x?access_token="}, {"X-Args", "--password="},
	} {
		add("field "+f[0], random, func(c *Case, s string) { header(&c.Headers, f[0], f[1]+s); header(&c.AnswerHeaders, f[0], f[1]+s) })
	}
	for _, m := range []string{
		`{"kty":"RSA","n":"abc","d":"%s"}`, `{"kty":"oct","k":"%s"}`, `{"type":"service_account","private_key_id":"x","private_key":"%s"}`,
		`{"auth":{"username":"ann","password":"%s"}}`, `{"key":"DB_PASSWORD","value":"%s"}`, `{"env":[{"name":"API_TOKEN","value":"%s"}]}`,
		`{"headers":{"Authorization":"Basic %s"}}`, `{"headers":[["Cookie","sid=%s"]]}`, `{"authorization":"Bearer %s"}`, `{"data":{"login":{"jwt":"%s"}}}`,
		`{"query":"mutation { login(user: \"ann\", password: \"%s\") { id } }"}`, `{"query":"mutation($p: String!) { login(password: $p) { id } }","variables":{"p":"%s"}}`,
		`{"recovery_codes":["%s"]}`, `{"backupCodes":["%s"]}`, `{"webhook":{"signing_secret":"%s"}}`, `{"totp":{"secret":"%s","digits":6}}`, `{"ssn":"%s"}`, `{"security_answer":"%s"}`,
		`{"cookies":{"sid":"%s"}}`, `{"credentials":{"accessKeyId":"x","secretAccessKey":"%s"}}`, `{"aws_session_token":"%s"}`, `{"licenseKey":"%s"}`, `{"encryptionKey":"%s"}`, `{"masterKey":"%s"}`,
	} {
		add("json "+m, random, func(c *Case, s string) { request(c, asJSON, fmt.Sprintf(m, s)); answer(c, asJSON, fmt.Sprintf(m, s)) })
	}
	add("basic in json text", random, func(c *Case, s string) {
		code := base64.StdEncoding.EncodeToString([]byte("ann:" + s))
		c.Secrets = append(c.Secrets, code)
		answer(c, asJSON, `{"curl":"curl -H 'Authorization: Basic `+code+`'"}`)
	})
	add("pem with escaped ends of line", pem, func(c *Case, s string) {
		answer(c, "text/plain", "KEY="+strings.ReplaceAll(s, "\n", `\n`)+"\n")
	})
	add("saml assertion", random, func(c *Case, s string) {
		xml := `<samlp:Response><saml:Assertion><saml:NameID>7</saml:NameID><ds:SignatureValue>` + s + `</ds:SignatureValue></saml:Assertion></samlp:Response>`
		request(c, asForm, "SAMLResponse="+url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(xml))))
		c.Secrets = append(c.Secrets, base64.StdEncoding.EncodeToString([]byte(xml)))
	})
	add("csv", random, func(c *Case, s string) { answer(c, "text/csv", "user,api_key,age\nann,"+s+",3\n") })
	add("csv with semicolons", random, func(c *Case, s string) { answer(c, "text/csv", "user;password\nann;"+s+"\n") })
	add("tsv", random, func(c *Case, s string) { answer(c, "text/tab-separated-values", "user\tsecret\nann\t"+s+"\n") })
	add("yaml", random, func(c *Case, s string) { answer(c, "application/yaml", "db:\n  user: ann\n  password: "+s+"\n") })
	add("yaml list", random, func(c *Case, s string) { answer(c, "application/yaml", "env:\n- name: API_TOKEN\n  value: "+s+"\n") })
	add("toml", random, func(c *Case, s string) { answer(c, "application/toml", "[db]\npassword = '"+s+"'\n") })
	add("soap header", random, func(c *Case, s string) {
		request(c, "text/xml", `<soap:Envelope><soap:Header><wsse:Security><wsse:UsernameToken><wsse:Username>ann</wsse:Username><wsse:Password Type="x">`+s+`</wsse:Password></wsse:UsernameToken></wsse:Security></soap:Header></soap:Envelope>`)
	})
	add("xml property", random, func(c *Case, s string) {
		answer(c, "application/xml", `<config><add key="ApiSecret" value="`+s+`"/></config>`)
	})
	add("xml entry", random, func(c *Case, s string) {
		answer(c, "application/xml", `<map><entry><string>password</string><string>`+s+`</string></entry></map>`)
	})
}
