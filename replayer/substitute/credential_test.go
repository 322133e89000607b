package substitute_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/timestamp"
	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// redacted makes an exchange in which fields marked by a * were redacted.
func redacted(request, recorded string) *understudyv1.Exchange {
	e := exchange(request, recorded)
	mark := func(headers []*understudyv1.Header, place understudyv1.Redaction_Place) {
		for _, h := range headers {
			if name, ok := strings.CutPrefix(h.Name, "*"); ok {
				h.Name = name
				e.Redactions = append(e.Redactions, &understudyv1.Redaction{Place: place, Name: name})
			}
		}
	}
	mark(e.Request.Headers, understudyv1.Redaction_PLACE_REQUEST_HEADER)
	mark(e.GetResponse().GetHeaders(), understudyv1.Redaction_PLACE_RESPONSE_HEADER)
	return e
}

// shows is what credentials a request is sent with, and its body.
func shows(x *substitute.Exchange, e *understudyv1.Exchange) (out string) {
	_, u := x.Translate(func(r *substitute.Request) {
		for _, h := range e.Request.Headers {
			keep := true
			for _, d := range e.Redactions {
				keep = keep && (d.Name != h.Name || d.Place != understudyv1.Redaction_PLACE_REQUEST_HEADER)
			}
			switch h.Name {
			case "Content-Type":
			case "Cookie":
				out += r.Cookie(string(h.Value), string(e.Request.Target), keep)
			default:
				if value, ok := r.Credential(h.Name, string(h.Value), keep); ok {
					out += value
				}
			}
		}
		if target := string(e.Request.Target); strings.Contains(target, "?") {
			out += r.Target(target)
		}
		if len(e.Request.Body.Content) > 0 {
			out += string(r.JSON(e.Request.Body.Content))
		}
	})
	if u != nil {
		return u.String()
	}
	return out
}

// rdx is a token of redaction.
func rdx(name string) string { return "rdx_" + (name + strings.Repeat("0", 22))[:22] }

// TestWhoseCredentialsAreSent: those that the session was given, and never
// those of others.
func TestWhoseCredentialsAreSent(t *testing.T) {
	// f plays a story; in it, $name is a token of redaction. The last of the
	// steps is looked at.
	f := func(want string, story ...step) {
		t.Helper()
		m := substitute.NewMemory("")
		got := ""
		for _, s := range story {
			for _, part := range []*string{&s.request, &s.recorded, &s.candidate} {
				for _, name := range strings.Fields("new sid old lang own ann bob csrf other") {
					*part = strings.ReplaceAll(*part, "$"+name, rdx(name))
				}
			}
			if s.recorded == "" {
				s.recorded, s.candidate = "200 {}", "200 {}"
			}
			e := redacted(s.request, s.recorded)
			x := m.Register(e)
			if _, u := x.Wait(t.Context(), time.Minute, time.Time{}); u != nil {
				t.Error(u)
			}
			got = shows(x, e)
			if a := response(s.candidate); a != nil {
				x.Learn(nil, a, timestamp.Frame{})
			}
			x.Settle()
		}
		got = maker.ReplaceAllString(got, "")
		if want = strings.ReplaceAll(want, "$new", rdx("new")); got != want {
			t.Errorf("%s\n got %s\nwant %s", story[len(story)-1].request, got, want)
		}
	}
	const random = "b4Se1iN3b3aR3r70k3N1"
	sets := func(session, recorded, candidate string) step {
		return step{session + ` GET /a`, `200 Set-Cookie: ` + recorded + `;Path=/; {}`, `200 Set-Cookie: ` + candidate + `;Path=/; {}`}
	}
	gives := func(session, member, recorded, candidate string) step {
		return step{session + ` POST /login {}`, fmt.Sprintf(`200 {%q:%q}`, member, recorded), fmt.Sprintf(`200 {%q:%q}`, member, candidate)}
	}
	last := func(request string) step { return step{request: request} }

	// A cookie that the candidate calls otherwise, or sets besides, goes back with
	// those of the same jar; a client that shows none has no jar.
	renamed := step{`s POST /login {}`, `200 Set-Cookie: sid=$sid;Path=/; {}`, `200 Set-Cookie: auth=CAND;Path=/; {}`}
	f(`auth=CAND`, renamed, last(`s GET /x *Cookie: sid=$sid; `))
	f(``, renamed, last(`s GET /x `))
	besides := step{`s POST /login {}`, `200 Set-Cookie: sid=$sid;Path=/; {}`, `200 Set-Cookie: sid=CAND;Path=/; Set-Cookie: route=n3;Path=/; Set-Cookie: only=1;Path=/admin; {}`}
	f(`sid=CAND; route=n3`, besides, last(`s GET /x *Cookie: sid=$sid; `))
	f(`sid=CAND; only=1; route=n3`, besides, last(`s GET /admin/x *Cookie: sid=$sid; `))

	// The same value in two sessions: each has its own, and a third has none. What
	// is no credential, by its name or its looks, is sent as recorded.
	for _, cookie := range []string{"cart=new", "cart=$new", "cart=" + random} {
		star := map[bool]string{true: "*"}[strings.Contains(cookie, "$")]
		a, b := sets("a", cookie, "cart=CARTA"), sets("b", cookie, "cart=CARTB")
		f("cart=CARTA", a, b, last(`a GET /x `+star+`Cookie: `+cookie+`; `))
		f("cart=CARTB", a, b, last(`b GET /x `+star+`Cookie: `+cookie+`; `))
		f(map[bool]string{true: cookie}[cookie == "cart=new"], a, b, last(`c GET /x `+star+`Cookie: `+cookie+`; `))
	}
	for _, token := range []string{"dev-token-1", random} {
		for member, request := range map[string]string{
			"token":     `Authorization: Bearer ` + token + `; `,
			"csrfToken": `X-Csrf-Token: ` + token + `; `,
			"sessionId": `X-Session-Id: ` + token + `; `,
		} {
			scheme := map[bool]string{true: "Bearer "}[member == "token"]
			a, b := gives("a", member, token, "CAND-A"), gives("b", member, token, "CAND-B")
			f(scheme+"CAND-A", a, b, last(`a GET /x `+request))
			f(scheme+"CAND-B", a, b, last(`b GET /x `+request))
			if member == "sessionId" {
				continue // it names a thing besides, which may be unresolved
			}
			f("", a, b, last(`c GET /x `+request))
			f(scheme+"CAND-A", a, last(`c GET /x `+request))
			f(scheme+token, last(`c GET /x `+request))                                                                                  // that no answer gave
			f(scheme+token, step{`b GET /x ` + request, `200 {"` + member + `":"` + token + `"}`, `200 {}`}, last(`c GET /x `+request)) // nor was the first to
		}
		a, b := gives("a", "csrf", token, "CAND-A"), gives("b", "csrf", token, "CAND-B")
		f(`{"_csrf":"CAND-A"}`, a, b, last(`a POST /x {"_csrf":"`+token+`"}`))
		f(`{"_csrf":"CAND-B"}`, a, b, last(`b POST /x {"_csrf":"`+token+`"}`))
	}
	f(`{"refresh_token":"CAND"}`, gives("a", "refresh_token", random, "CAND"), last(`a POST /x {"refresh_token":"`+random+`"}`))
	f(`{"invite_token":"CAND"}`, gives("a", "invite_token", random, "CAND"), last(`b POST /x {"invite_token":"`+random+`"}`))
	f(`/x?n=1&access_token=C+D&m=a%20b`, gives("a", "access_token", random, "C D"), last(`a GET /x?n=1&access_token=`+random+`&m=a%20b`))
	f(`/x?sid=CAND`, gives("a", "sessionId", "basesession", "CAND"), last(`a GET /x?sid=basesession`))
	// In a path it is a name like others, and is not sent as it is.
	f(`reset "(secret)": the candidate did not do that exchange`, step{`a POST /resets {}`, `201 {"id":"` + random + `","reset_token":"` + random + `"}`, `500 {"reset_token":"CAND"}`},
		last(`a POST /resets/`+random+` {"reset_token":"`+random+`"}`))
	// A login begins another session, which shows what nobody else was given.
	login := sets("address", "sid=$sid", "sid=CAND")
	f("sid=CAND", login, last(`a GET /x *Cookie: sid=$sid; `))
	f("sid=CAND", login, last(`a GET /x *Cookie: sid=$sid; `), last(`a GET /x *Cookie: sid=$sid; `))
	f("", login, last(`a GET /x`), last(`a GET /x *Cookie: sid=$sid; `))                                                                                             // that did not begin with it
	f("", login, last(`a GET /x *Cookie: sid=$sid; `), last(`b GET /x *Cookie: sid=$sid; `))                                                                         // whose?
	f("", login, last(`a GET /x *Cookie: sid=$sid; `), last(`b GET /x *Cookie: sid=$sid; `), last(`a GET /x *Cookie: sid=$sid; `))                                   // a constant
	f("", login, last(`address GET /x *Cookie: sid=$sid; `), last(`a GET /x *Cookie: sid=$sid; `))                                                                   // it is still that of who was given it
	f("sid=CAND", login, last(`address GET /x *Cookie: sid=$sid; `))                                                                                                 //
	f("", login, last(`a GET /x *Cookie: sid=$sid; `), sets("b", "sid=$sid", "sid=OTHER"), last(`a GET /x *Cookie: sid=$sid; `))                                     // a constant
	f("sid=NEXT", login, step{`a GET /x *Cookie: sid=$sid; `, `200 Set-Cookie: sid=$sid; {}`, `200 Set-Cookie: sid=NEXT; {}`}, last(`a GET /x *Cookie: sid=$sid; `)) // renewed
	f("XSRF-TOKEN=X; sid=CAND", sets("address", "XSRF-TOKEN=$csrf", "XSRF-TOKEN=X"), step{`address POST /login *Cookie: XSRF-TOKEN=$csrf; {}`, login.recorded, login.candidate},
		last(`a GET /x *Cookie: XSRF-TOKEN=$csrf;sid=$sid; `)) // it goes on with all that the address had
	f("sid=CAND", sets("address", "sid="+random, "sid=CAND"), last(`a GET /x`), last(`a GET /x Cookie: sid=`+random+`; `))
	f("", sets("address", "sid=guest", "sid=CAND"), last(`a GET /x Cookie: sid=guest; `)) // anybody may be a guest
	f("sid=guest", last(`a GET /x Cookie: sid=guest; `))
	// One name, two paths; the requests are for the first.
	paths := step{`a GET /a`, `200 Set-Cookie: sid=$sid;Path=/; Set-Cookie: sid=$other;Path=/b; {}`, `200 Set-Cookie: sid=C1;Path=/; Set-Cookie: sid=C2;Path=/b; {}`}
	f("sid=C1", paths, last(`a GET /x *Cookie: sid=$sid; `))
	f("", paths, last(`a GET /x *Cookie: sid=$other; `))
	// What the candidate alone sets goes where the recording shows what the
	// client had then.
	alone := step{`a GET /x *Cookie: sid=$old; `, `200 {}`, `200 Set-Cookie: sid=CAND;Path=/; {}`}
	f("sid=CAND", alone, last(`a GET /x *Cookie: sid=$old; `))
	f("", alone, last(`a GET /x *Cookie: sid=$other; `))
	f("theme=dark", step{`a GET /x`, `200 {}`, `200 Set-Cookie: theme=light;Path=/; {}`}, last(`a GET /x Cookie: theme=dark; `))
	// Authorization that is redacted: the token of the only login.
	ann, bob := gives("a", "token", "annannann1", "CAND-ANN"), gives("a", "token", "bobbobbob1", "CAND-BOB")
	f("Bearer CAND-ANN", ann, last(`a GET /x *Authorization: Bearer $ann; `))
	f("Bearer CAND-ANN", ann, last(`a GET /x *Authorization: Bearer $ann; `), last(`a GET /x *Authorization: Bearer $ann; `))
	f("", ann, bob, last(`a DELETE /me *Authorization: Bearer $ann; `))
	f("", ann, bob, last(`a DELETE /me *Authorization: Bearer $bob; `))
	f("", ann, last(`b GET /x *Authorization: Bearer $ann; `))
	f("", last(`a GET /x *Authorization: Bearer $own; `), ann, last(`a GET /x *Authorization: Bearer $own; `)) // it was shown before
	f("", ann, last(`a GET /x *Authorization: Bearer $ann; `), last(`a GET /x *Authorization: Bearer $bob; `))
	f("", ann, last(`a GET /x *Authorization: Bearer $ann; `), last(`a GET /x *Authorization: Bearer $bob; `), last(`a GET /x *Authorization: Bearer $ann; `))
	f("", step{`a POST /login {}`, `200 {"token":"b","jwt":"c"}`, `200 {"token":"d","jwt":"e"}`}, last(`a GET /x *Authorization: Bearer $ann; `))
	f("", step{`a POST /login {}`, `401 {"token":"b"}`, `200 {"token":"d"}`}, last(`a GET /x *Authorization: Bearer $ann; `))
	// Several users of one session, short tokens that go on in sessions of their own,
	// and a cookie of the first that each of them shows.
	for _, short := range []bool{false, true} {
		ann, bob := "atkAAAA01bbbb11", "atkAAAA12bbbb11"
		if short {
			ann, bob = "t1", "t2"
		}
		a := step{`ip POST /login {}`, `200 {"access_token":"` + ann + `"}`, `200 {"access_token":"CAND-ANN"}`}
		b := step{`ip POST /login {}`, `200 {"access_token":"` + bob + `"}`, `200 {"access_token":"CAND-BOB"}`}
		f("Bearer CAND-ANN", a, b, last(`ip GET /x Authorization: Bearer `+ann+`; `))
		f("Bearer CAND-BOB", a, b, last(`ip GET /x Authorization: Bearer `+bob+`; `))
		f(map[bool]string{false: "Bearer CAND-ANN"}[short], a, b, last(`a GET /x Authorization: Bearer `+ann+`; `))
		f(map[bool]string{false: "Bearer CAND-BOB"}[short], a, b, last(`b GET /x Authorization: Bearer `+bob+`; `))
	}
	const was, is = "sessAAAA01bbbb1111cccc", "sessZZZZ01yyyy2222xxxx"
	handed := []step{sets("ip", "session_id="+was, "session_id="+is), sets("ip", "session_id=sessAAAA12bbbb1111cccc", "session_id=sessZZZZ12yyyy2222xxxx")}
	shown := last(`a GET /x Cookie: session_id=` + was + `; `)
	again := step{shown.request, `200 Set-Cookie: session_id=` + was + `;Path=/; {}`, `200 Set-Cookie: session_id=` + is + `2;Path=/; {}`}
	f("session_id="+is, handed[0], handed[1], shown)
	f("session_id="+is, handed[0], handed[1], shown, last(`b GET /x Cookie: session_id=`+was+`; `))     // in as many sessions as the client has
	f("session_id="+is+"2", handed[0], handed[1], again, last(`b GET /x Cookie: session_id=`+was+`; `)) // renewed
	f(`csrf "(secret)": the candidate's answers do not hold it, and no pair is known`, gives("a", "csrf", was, "C1"), gives("b", "csrf", was, "C2"), last(`c POST /x {"csrf":"`+was+`"}`))
	// Other schemes are the client's own.
	for _, scheme := range []string{"Basic", "Digest", "HMAC-SHA256", "AWS4-HMAC-SHA256", "Negotiate", "DPoP"} {
		f("", ann, last(`a GET /x *Authorization: `+scheme+` $own; `))
		f(scheme+" "+random, gives("a", "token", random, "CAND"), last(`a GET /x Authorization: `+scheme+` `+random+`; `))
	}
	f("Token CAND", gives("a", "token", random, "CAND"), last(`a GET /x Authorization: Token `+random+`; `))
	f("CAND", gives("a", "token", random, "CAND"), last(`a GET /x Authorization: `+random+`; `))
	// What the candidate did not give is not sent, unless another answer gave it.
	// Nor which token against forged requests: the only one of the session.
	form := step{`a GET /form`, `200 {"csrf_token":"recrecrec1"}`, `200 {"csrf_token":"CAND-CSRF"}`}
	post := last(`a POST /x *X-Csrf-Token: $one; `)
	f("CAND-CSRF", form, post)
	f("CAND-CSRF", form, post, post)
	f("CAND-CSRF", form, form, post)
	f("", form, step{`a GET /form`, `200 {"csrf_token":"another111"}`, `200 {"csrf_token":"CAND-2"}`}, post) // each form has its own
	f("", form, post, last(`a POST /x *X-Csrf-Token: $two; `))
	f("", post, form, post) // it was there before
	f("", form, last(`b POST /x *X-Csrf-Token: $one; `))
	f("", step{ann.request, ann.recorded, `200 {}`}, last(`a GET /x Authorization: Bearer annannann1; `))
	f("lang=en", step{`a GET /a`, `200 Set-Cookie: lang=en; {}`, `500 {}`}, last(`b GET /x Cookie: lang=en; `))
	f("lang=cand", step{`a GET /a`, `200 Set-Cookie: lang=en; {}`, ``}, sets("a", "lang=en", "lang=cand"), last(`a GET /x Cookie: lang=en; `))
}

// TestWhoWaitsForACredential: who was given it, and nobody else.
func TestWhoWaitsForACredential(t *testing.T) {
	f := func(recorded string, waits bool, requests ...string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			m := substitute.NewMemory("")
			slow := m.Register(redacted(`a GET /a`, recorded))
			defer slow.Settle()
			var held bool
			for _, request := range requests {
				x := m.Register(redacted(request, `200 {}`))
				begun := time.Now()
				if _, u := x.Wait(t.Context(), time.Minute, time.Time{}); u != nil {
					t.Error(u)
				}
				held = time.Since(begun) > 0
				x.Settle()
			}
			if held != waits {
				t.Errorf("%s: waits %t", requests, held)
			}
		})
	}
	lang, hidden := `200 Set-Cookie: lang=en; {}`, `200 *Set-Cookie: lang=`+rdx("en")+`; {}`
	f(lang, true, `a GET /x Cookie: lang=en; `)
	f(lang, false, `b GET /x Cookie: lang=en; `)
	f(hidden, true, `a GET /x *Cookie: lang=`+rdx("en")+`; `)
	f(hidden, true, `b GET /x *Cookie: lang=`+rdx("en")+`; `) // a login would look alike
	f(hidden, false, `b GET /x`, `b GET /x *Cookie: lang=`+rdx("en")+`; `)
	f(hidden, false, `b GET /x *Cookie: lang=`+rdx("en")+`; `, `c GET /x *Cookie: lang=`+rdx("en")+`; `)
	f(hidden, false, `b GET /x *Cookie: lang=`+rdx("en")+`; `, `c GET /x *Cookie: lang=`+rdx("en")+`; `, `b GET /x *Cookie: lang=`+rdx("en")+`; `)
	f(hidden, false, `a GET /x *Cookie: lang=`+rdx("en")+`; `, `b GET /x *Cookie: lang=`+rdx("en")+`; `)
}

// TestNoSecretIsShown: neither in a pair nor in why a request is not sent.
func TestNoSecretIsShown(t *testing.T) {
	const was, is = "b4s3l1n3X4s3l1n3Y4s3l1n3", "c4nd1d4t3X4nd1d4t3Y4nd1d4"
	for member, hides := range map[string]bool{
		"reset_token": true, "session_id": true, "sessionKey": true, "device_token": true, "deviceToken": true, "invite_token": true,
		"verification_code": true, "secret_key": true, "private_key": true, "client_secret": true, "password": true, "magic_link": true,
		"nonce": true, "api_token": true, "refreshToken": true, "signing_key": true, "order_id": false,
	} {
		m := substitute.NewMemory("")
		doc := func(value string) string { return fmt.Sprintf(`{%q:%q}`, member, value) }
		var all string
		list := func(s step) {
			all += fmt.Sprint(recorded(t, m, s))
		}
		list(step{`s POST /things {}`, `201 ` + doc(was), `201 ` + doc(is)})
		list(step{`s POST /use ` + doc(was), `200 {"a":"` + was + `"}`, `200 {"a":"` + is + `"}`})
		all += sends(t, m, []step{{`s POST /things {}`, `201 ` + doc(was+"9"), `201 {}`}}, `s POST /use `+doc(was+"9"))
		if shown := strings.Contains(all, was) || strings.Contains(all, is); shown == hides {
			t.Errorf("%s: %s", member, all)
		}
	}
	m := substitute.NewMemory("")
	recorded(t, m, step{`s POST /resets {}`, `201 Location: /resets/` + was + `; {}`, `201 Location: /resets/` + is + `; {}`})
	out := fmt.Sprint(recorded(t, m, step{`s POST /resets/` + was + ` {}`, `200 {}`, `200 {}`}))
	broken := sends(t, m, []step{{`s POST /resets {}`, `201 Location: /resets/` + was + `9; {}`, `201 Location: /resets/` + is + `; {}`}}, `s GET /resets/`+was)
	if out += broken; strings.Contains(out, was) || strings.Contains(out, is) || strings.Count(out, "(secret)") != 3 || !strings.Contains(broken, "contradict") {
		t.Error(out)
	}
}

// TestAForgottenCredentialIsNoSign: who gave it first is not known any more.
func TestAForgottenCredentialIsNoSign(t *testing.T) {
	m := substitute.NewMemory("")
	learn := func(request, recorded, candidate string) {
		x := m.Register(redacted(request, recorded))
		x.Learn(nil, response(candidate), timestamp.Frame{})
		x.Settle()
	}
	is := func(want, request string) {
		t.Helper()
		e := redacted(request, "200 {}")
		x := m.Register(e)
		defer x.Settle()
		if got := shows(x, e); got != want {
			t.Errorf("%s: got %q, want %q", request, got, want)
		}
	}
	learn(`a GET /a`, `200 Set-Cookie: sid=`+rdx("x")+`; {}`, `200 Set-Cookie: sid=A;Path=/; {}`)
	const each = 1000
	for i := range substitute.MaxCredentials / each {
		var recorded strings.Builder
		for k := range each {
			fmt.Fprintf(&recorded, "Set-Cookie: c=%s; ", rdx(fmt.Sprint(i, "-", k, "-")))
		}
		learn(fmt.Sprint("s", i, " GET /"), "200 "+recorded.String()+"{}", "200 {}")
	}
	learn(`b GET /a`, `200 Set-Cookie: sid=`+rdx("x")+`; {}`, `200 Set-Cookie: sid=B;Path=/; {}`)
	is("", `new GET / *Cookie: sid=`+rdx("x")+`; `)
	is("sid=A", `a GET / *Cookie: sid=`+rdx("x")+`; `)
	is("sid=B", `b GET / *Cookie: sid=`+rdx("x")+`; `)
	learn(`b GET /a`, `200 Set-Cookie: sid=`+rdx("y")+`; {}`, `200 Set-Cookie: sid=C;Path=/; {}`)
	is("sid=C", `newer GET / *Cookie: sid=`+rdx("y")+`; `)
}

// TestWhatLetsInIsRecordedWithoutItself: where a credential was put, and who gave
// it; and which version, which is no secret.
func TestWhatLetsInIsRecordedWithoutItself(t *testing.T) {
	const was, is = "b4s3l1n3X4s3l1n3Y4s3l1n3", "c4nd1d4t3X4nd1d4t3Y4nd1d4"
	m := substitute.NewMemory("")
	answer := func(value string) string {
		return `200 Set-Cookie: sid=` + value + `;Path=/; Set-Cookie: theme=dark;Path=/; {"id":1,"token":"` + value + `","version":` + fmt.Sprint(len(value)) + `}`
	}
	login := exchange("s POST /login {}", answer(was))
	x := m.Register(login)
	x.Learn(nil, response(answer(is+"9")), timestamp.Frame{})
	x.Settle()
	f := func(request string, want ...string) {
		t.Helper()
		e := exchange(request, "200 {}")
		x := m.Register(e)
		defer x.Settle()
		r, u := x.Translate(func(r *substitute.Request) {
			r.Target(string(e.Request.Target))
			for _, h := range e.Request.Headers {
				switch h.Name {
				case "Cookie":
					r.Cookie(string(h.Value), "/x", true)
				case "Authorization":
					r.Credential(h.Name, string(h.Value), true)
				}
			}
			r.Body(message.First(e.Request.Headers, "Content-Type"), e.Request.Body.Content)
		})
		if u != nil {
			t.Fatal(u)
		}
		list, _ := x.Record(r, response("200 {}"))
		var got []string
		for _, s := range list {
			if s.LearnedFrom != login.Id || s.Proof != understudyv1.Substitution_PROOF_ALIGNED {
				t.Error(s)
			}
			got = append(got, fmt.Sprintf("%s %s=%s %d", s.Kind, s.Recorded, s.Candidate, s.Uses))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s\n got %q\nwant %q", request, got, want)
		}
	}
	f("s GET /x Cookie: sid="+was+";theme=dark; ", "@secret cookie sid (secret)=(secret) 1")
	f("s GET /x Authorization: Bearer "+was+"; ", "@secret header Authorization (secret)=(secret) 1")
	f("s GET /x?access_token="+was, "@secret query access_token (secret)=(secret) 1")
	f(`s POST /x {"a":{"csrf":"`+was+`"},"b":{"csrf":"`+was+`"}}`, "@secret body csrf (secret)=(secret) 2")
	f("s POST /x Content-Type: application/x-www-form-urlencoded; _csrf="+was, "@secret form _csrf (secret)=(secret) 1")
	f(fmt.Sprintf(`s POST /login/1 {"version":%d}`, len(was)), fmt.Sprintf("@version %d=%d 1", len(was), len(was)+2))
	f("s GET /x Cookie: theme=dark; ")
	f(`s POST /login/1 {"version":5}`)
}
