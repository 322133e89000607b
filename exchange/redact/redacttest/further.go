package redacttest

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
)

// further adds more spellings that real interfaces have.
func further(add func(string, kind, func(*Case, string))) {
	for _, m := range []string{
		`{"user":{"name":"ann","pwHash":"%s"}}`, `{"api":{"key":"%s","url":"https://x"}}`, `{"stripe":{"secretKey":"%s"}}`, `{"smtp":{"user":"a","pass":"%s"}}`,
		`{"oauth":{"client_id":"x","client_secret":"%s"}}`, `{"access_token":"%s","token_type":"bearer","expires_in":3600}`, `{"deviceCode":"%s","device_code":"%s"}`,
		`{"upload":{"url":"https://s3.example/b/k?AWSAccessKeyId=AKI&Signature=%s&Expires=1"}}`, `{"sas":"?sv=2020&sig=%s&se=1"}`, `{"webhookUrl":"https://hooks.slack.example/services/T01ABCDEF/B01ABCDEF/%s"}`,
		`{"connectionString":"Endpoint=sb://x.example/;SharedAccessKeyName=Root;SharedAccessKey=%s"}`, `{"dsn":"https://%s@sentry.example/42"}`, `{"url":"amqp://user:%s@rabbit:5672/v"}`,
		`{"pushToken":"%s"}`, `{"fcm_token":"%s"}`, `{"deviceToken":"%s"}`, `{"registrationToken":"%s"}`, `{"inviteToken":"%s"}`, `{"resetLink":"https://h.example/reset/%s"}`,
		`{"qr":"otpauth://totp/A:b?secret=%s&issuer=A"}`, `{"smsCode":"%s"}`, `{"securityCode":"%s"}`, `{"cvc":"%s"}`, `{"current_password":"x1","new_password":"%s","confirm_password":"%s"}`,
		`{"passwordConfirmation":"%s"}`, `{"old_pwd":"%s"}`, `{"user_pass":"%s"}`, `{"pass_phrase":"%s"}`, `{"ssh_key_passphrase":"%s"}`, `{"sessionKey":"%s"}`, `{"session":{"id":"%s"}}`, `{"session":{"token":"%s"}}`, `{"auth":{"token":"%s"}}`,
		`{"authentication":{"key":"%s"}}`, `{"authkey":"%s"}`, `{"accessKey":"%s"}`, `{"AccessKeySecret":"%s"}`, `{"sharedSecret":"%s"}`, `{"hmacKey":"%s"}`, `{"signingKey":"%s"}`, `{"jwtSecret":"%s"}`, `{"cookieSecret":"%s"}`,
		`{"data":"token=%s&user=1"}`, `{"message":"Authorization: Bearer %s was refused"}`, `{"message":"invalid token '%s'"}`, `{"error":"password %s is too weak"}`, `{"message":"Your verification code is %s"}`,
		`{"text":"Passwort: %s"}`, `{"html":"<a href=\"https://h.example/confirm?token=%s\">x</a>"}`, `{"request":{"headers":{"cookie":"sid=%s; a=b"}}}`, `{"request":{"headers":[{"name":"Authorization","value":"Bearer %s"}]}}`,
		`{"curl":"curl -H 'X-Api-Key: %s' https://x"}`, `{"env":"API_TOKEN=%s\nX=1"}`, `{"yaml":"password: %s\nuser: a\n"}`, `{"query":"{ me(token: \"%s\") { id } }"}`, `{"variables":{"input":{"password":"%s"}}}`, `{"params":["login","ann","x"],"password":["%s"]}`,
		`{"jsonrpc":"2.0","method":"login","params":{"user":"a","password":"%s"}}`, `{"jsonrpc":"2.0","method":"eth","params":{"privateKey":"%s"}}`, `{"mnemonic":"%s"}`, `{"seed_phrase":"%s"}`, `{"wallet":{"private_key":"%s"}}`, `{"bearer":"%s"}`, `{"id_token":"%s"}`, `{"nonce":"%s"}`, `{"code_challenge":"x","code_verifier":"%s"}`,
		`{"csrfToken":"%s"}`, `{"_token":"%s"}`, `{"__RequestVerificationToken":"%s"}`, `{"xsrf-token":"%s"}`, `{"g-recaptcha-response":"%s"}`, `{"captcha_token":"%s"}`, `{"turnstile":{"token":"%s"}}`, `{"SAMLResponse":"%s"}`, `{"RelayState":"/x?token=%s"}`, `{"kubeconfig":"users:\n- name: a\n  user:\n    token: %s\n"}`,
		`{"data":{"password":"%s"},"kind":"Secret"}`, `{"docker":{"auths":{"r.example":{"auth":"%s"}}}}`, `{"npmrc":"//registry.example/:_authToken=%s"}`,
	} {
		add("further json "+m, random, func(c *Case, s string) { answer(c, asJSON, strings.ReplaceAll(m, "%s", s)) })
	}
	for _, f := range []string{"X-Auth: %s", "X-Auth-Key: %s", "X-Auth-User-Token: %s", "X-Token: %s", "X-Key: %s", "Apikey: %s", "Auth: %s", "X-Session: %s", "X-Sid: %s", "X-Device-Token: %s", "X-Csrftoken: %s", "X-Webhook-Secret: %s", "X-Hook-Secret: %s", "X-Slack-Signature: v0=%s", "X-Line-Signature: %s", "X-Shopify-Hmac-Sha256: %s", "Paypal-Transmission-Sig: %s", "Svix-Signature: v1,%s", "Webhook-Signature: v1,%s", "X-Amz-Content-Sha256-Token: %s", "X-Google-Id-Token: %s", "X-Firebase-Appcheck: %s", "X-Consul-Token: %s", "X-Nomad-Token: %s", "Job-Token: %s", "Deploy-Token: %s", "X-Jfrog-Art-Api: %s", "X-Nuget-Apikey: %s", "X-Redmine-Api-Key: %s", "X-Zuora-Secret: %s", "X-Appwrite-Key: %s", "X-Algolia-Api-Key: %s", "X-Honeycomb-Team: %s", "X-Wp-Nonce: %s", "X-Pass: %s", "X-Passcode: %s", "Proxy-Authenticate: Basic token=%s", "X-Grafana-Session: %s", "X-Impersonate-Token: %s", "Authorization: ApiKey %s", "Authorization: SSWS %s", "Authorization: %s", "Authorization: Digest username=\"a\", response=\"%s\"", "Authorization: OAuth oauth_token=\"%s\", oauth_signature=\"%s\"", "Cookie: a=b; remember_user_token=%s", "Set-Cookie: XSRF-TOKEN=%s; Path=/"} {
		name, value, _ := strings.Cut(f, ": ")
		add("further field "+f, random, func(c *Case, s string) {
			header(&c.Headers, name, strings.ReplaceAll(value, "%s", s))
			header(&c.AnswerHeaders, name, strings.ReplaceAll(value, "%s", s))
		})
	}
	for _, q := range []string{"?access_token=%s", "?api-key=%s", "?APIKEY=%s", "?appid=x&secret=%s", "?key=%s", "?token=%s&x=1", "?auth_key=%s", "?session_token=%s", "?PHPSESSID=%s", "?JSESSIONID=%s", "?x-amz-security-token=%s", "?X-Goog-Signature=%s", "?Signature=%s&KeyName=x", "?__token__=%s", "?login_hint_token=%s", "?confirmation_token=%s", "?reset_password_token=%s", "?invitation_token=%s", "?unlock_token=%s", "?authenticity_token=%s", "?oauth_token=%s&oauth_verifier=%s", "?code=%s&state=x", "?id_token=%s", "?SigningKey=%s", "?passkey=%s", "?feed_token=%s", "?private_token=%s", "?job_token=%s", "?rss_token=%s", "?ott=%s", "?jwt=%s", "?sso=x&sig=%s", "?u=ann&p=1&passwd=%s", "?data=%%7B%%22token%%22%%3A%%22%s%%22%%7D", "/password/edit/%s", "/users/confirmation/%s", "/auth/magic/%s", "/login/token/%s", "/api/keys/reveal?apikey=%s", "/calendar/ical/ann/private-%s/basic.ics", "/bot7123456789:AA%s12345678901/getMe", "/webhook/%s", "/hook/%s", "/join/%s", "/verify/email/%s", "/accept-invite/%s", "/track/unsubscribe/%s"} {
		q := strings.ReplaceAll(q, "%%", "%")
		add("further target "+q, random, func(c *Case, s string) { c.Target += strings.ReplaceAll(q, "%s", s) })
	}
	for i, b := range []string{"user=a&pass=%s", "log=a&pwd=%s&wp-submit=1", "grant_type=password&username=a&password=%s", "grant_type=refresh_token&refresh_token=%s", "client_assertion=%s", "j_username=a&j_password=%s", "user%%5Bpassword%%5D=%s", "card%%5Bcvc%%5D=%s", "csrfmiddlewaretoken=%s", "_csrf_token=%s", "otp=%s", "token%%5B%%5D=%s", "payload=%%7B%%22api_key%%22%%3A%%22%s%%22%%7D", "auth%%5Btoken%%5D=%s"} {
		b := strings.ReplaceAll(b, "%%", "%")
		add(fmt.Sprint("further form ", i, b), random, func(c *Case, s string) { request(c, asForm, strings.ReplaceAll(b, "%s", url.QueryEscape(s))) })
	}
	for _, x := range []string{"<login><user>a</user><pass>%s</pass></login>", "<Auth token='%s'/>", "<a><apiKey>%s</apiKey></a>", "<setting name=\"Password\" serializeAs=\"String\"><value>%s</value></setting>", "<add name=\"x\" connectionString=\"Server=a;Password=%s;\"/>", "<methodCall><params><param><name>password</name><value>%s</value></param></params></methodCall>", "<wsse:BinarySecurityToken>%s</wsse:BinarySecurityToken>", "<sessionId>%s</sessionId>", "<Credentials><SecretAccessKey>%s</SecretAccessKey><SessionToken>x</SessionToken></Credentials>", "<saml:Assertion><ds:SignatureValue>%s</ds:SignatureValue></saml:Assertion>"} {
		add("further xml "+x, random, func(c *Case, s string) { answer(c, "application/xml", strings.ReplaceAll(x, "%s", s)) })
	}
	for _, x := range []string{"<p>Password: %s</p>", "<p>Your new password is <code>%s</code>.</p>", "<tr><td><strong>Token</strong></td><td>%s</td></tr>", "<div class=k>Secret key</div><div class=v>%s</div>", "<meta name=csrf-token content=%s>", "<script>var csrf='%s'</script>", "<script type=application/json>{\"token\":\"%s\"}</script>", "<input name=authenticity_token type=hidden value=%s>", "<img src='/x.png?token=%s'>", "<form action='/x?session=%s'>", "<pre>export SECRET_KEY=%s</pre>", "<textarea name=private_key>%s</textarea>", "<a href=\"https://h.example/invite/%s\">", "<span id=apiKey>%s</span>"} {
		add("further html "+x, random, func(c *Case, s string) {
			answer(c, "text/html", "<html><body>"+strings.ReplaceAll(x, "%s", s)+"</body></html>")
		})
	}
	for _, x := range []string{"password is %s\n", "Token %s expired\n", "secret: '%s'\n", "AUTH %s\n", "PASS %s\n", "[INFO] user=a session=%s\n", "Set-Cookie: sid=%s; Path=/\n", "> Authorization: Bearer %s\n", "X-Api-Key: %s\n", "https://a:%s@h.example/\n", "PGPASSWORD=%s psql\n", "--token=%s\n", "-D password=%s\n", "set password = '%s';\n", "ALTER USER a WITH PASSWORD '%s';\n", "{'token': '%s'}\n", "token => %s\n", "secret_key_base: %s\n", "aws_secret_access_key = %s\n"} {
		add("further text "+x, random, func(c *Case, s string) { answer(c, "text/plain", strings.ReplaceAll(x, "%s", s)) })
	}
	add("further basic", random, func(c *Case, s string) {
		code := base64.StdEncoding.EncodeToString([]byte("ann:" + s))
		c.Secrets = append(c.Secrets, code)
		answer(c, asJSON, `{"auth":"Basic `+code+`"}`)
	})
}
