package substitute_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/timestamp"
	"understudy.dev/exchange/token"
	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestNamesWithinRedactedValues: what is redacted may hold a name, and only the
// replayer sees which.
func TestNamesWithinRedactedValues(t *testing.T) {
	key, err := token.New([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	r := redact.New(redact.Config{}, key)
	const own, theirs = "3f2b8c1e-aaaa-4bbb-8ccc-1234567890ab", "9d0e7f6a-1111-4222-8333-ba0987654321"
	// f plays an order that both sides have made, and then an answer; want is what
	// the two values are of whose tokens the record pairs.
	f := func(baseline, candidate, recorded, answered, want string) {
		t.Helper()
		m := substitute.NewMemory("")
		m.Redactor = r
		x := m.Register(exchange("s POST /orders {}", `201 {"id":`+baseline+`}`))
		x.Learn(nil, response(`201 {"id":`+candidate+`}`), timestamp.Frame{})
		x.Settle()
		e := exchange("s GET /x", "200 "+recorded)
		r.Exchange(e)
		x = m.Register(e)
		defer x.Settle()
		a := response("200 " + answered)
		x.Learn(nil, a, timestamp.Frame{})
		out, _ := x.Record(nil, a)
		got := ""
		for _, s := range out {
			if s.Kind == names.Redacted.Kind {
				got += s.Recorded + "=" + s.Candidate + " " + strings.ToLower(strings.TrimPrefix(s.Proof.String(), "PROOF_"))
			}
		}
		if b, c, ok := strings.Cut(want, "="); ok {
			c, proof, _ := strings.Cut(c, " ")
			want = r.Token(e, b) + "=" + r.Token(e, c) + " " + proof
		}
		if got != want {
			t.Errorf("%s and %s: %q, want %q", recorded, answered, got, want)
		}
	}
	uuids := func(recorded, answered, want string) {
		t.Helper()
		fill := strings.NewReplacer("<B>", own, "<C>", theirs, "<b>", strings.ReplaceAll(own, "-", ""), "<c>", strings.ReplaceAll(theirs, "-", ""))
		f(`"`+own+`"`, `"`+theirs+`"`, fill.Replace(recorded), fill.Replace(answered), fill.Replace(want))
	}
	uuids(`{"to":"o+<B>@x.it"}`, `{"to":"o+<C>@x.it"}`, "o+<B>@x.it=o+<C>@x.it created")
	uuids(`{"to":"o+<B>@x.it"}`, `{"to":"o+<B>@x.it"}`, "o+<B>@x.it=o+<C>@x.it created")
	uuids(`{"to":"o+<B>@x.it"}`, `{"to":"n+<C>@x.it"}`, "") // somebody else's
	uuids(`{"key":"<b>"}`, `{"key":"<c>"}`, "<b>=<c> created")
	uuids(`{"key":"<b>"}`, `{"key":"<b>"}`, "<b>=<c> created")
	uuids(`{"token":"s-<B>"}`, `{"token":"s-<B>"}`, "s-<B>=s-<C> created")
	uuids(`{"token":"none"}`, `{"token":"none"}`, "")
	uuids("Set-Cookie: last=<B>; {}", "Set-Cookie: last=<C>; {}", "<B>=<C> created")
	uuids("Set-Cookie: last=<B>; {}", "Set-Cookie: last=<B>; {}", "<B>=<C> created")
	packed := base64.RawURLEncoding.EncodeToString([]byte(`{"order":"` + own + `"}`)) // one that the candidate should have made otherwise
	uuids("Set-Cookie: state="+packed+"; {}", "Set-Cookie: state="+packed+"; {}", packed+`={"order":"<C>"} created`)
	uuids("Set-Cookie: theme=dark; {}", "Set-Cookie: theme=light; {}", "")
	f("40231", "81772", `{"to":"o+40231@x.it"}`, `{"to":"o+81772@x.it"}`, "o+40231@x.it=o+81772@x.it aligned")
	f("40231", "81772", `{"to":"o+40231@x.it"}`, `{"to":"o+40231@x.it"}`, "o+40231@x.it=o+81772@x.it aligned")
	f("40231", "81772", `{"password":"40231"}`, `{"password":"40231"}`, "") // by chance
	f("17", "91", `{"to":"o+17@x.it"}`, `{"to":"o+17@x.it"}`, "")           // likewise
	// A number that is all of a cookie is a name if the cookie is called by its kind,
	// and else one of many digits may be.
	f("40231", "81772", "Set-Cookie: last_order=40231; {}", "Set-Cookie: last_order=40231; {}", "40231=81772 created")
	f("40231", "81772", "Set-Cookie: last_order=40231; {}", "Set-Cookie: last_order=81772; {}", "40231=81772 created")
	f("17", "91", "Set-Cookie: order_id=17; {}", "Set-Cookie: order_id=17; {}", "17=91 created")
	f("17", "91", "Set-Cookie: level=17; {}", "Set-Cookie: level=17; {}", "")
	f("40231", "81772", "Set-Cookie: recent=40231; {}", "Set-Cookie: recent=40231; {}", "40231=81772 aligned")
	f("40231", "81772", "Set-Cookie: last=%2Forders%2F40231; {}", "Set-Cookie: last=%2Forders%2F81772; {}", "%2Forders%2F40231=%2Forders%2F81772 aligned")
	uuids("Set-Cookie: st=%7B%22id%22%3A%22<B>%22%7D; {}", "Set-Cookie: st=%7B%22id%22%3A%22<B>%22%7D; {}", "%7B%22id%22%3A%22<B>%22%7D=%7B%22id%22%3A%22<C>%22%7D created")
	uuids("Set-Cookie: st=%7B%22id%22%3A%22<B>%22%7D; {}", "Set-Cookie: st=%7B%22id%22%3A%22<C>%22%7D; {}", "%7B%22id%22%3A%22<B>%22%7D=%7B%22id%22%3A%22<C>%22%7D created")

	// Where nothing was redacted there is nothing to look into.
	m := substitute.NewMemory("")
	m.Redactor = r
	x := m.Register(exchange("s GET /x", `200 {"a":1}`))
	defer x.Settle()
	if out, _ := x.Record(nil, response(`200 {"token":"x"}`)); len(out) > 0 {
		t.Error(out)
	}
}

// TestAThingInACookie: what was made is no secret because a cookie names it too; a
// session is.
func TestAThingInACookie(t *testing.T) {
	f := func(cookie, made, want string) {
		t.Helper()
		m := substitute.NewMemory("")
		play := func(request, recorded, candidate string) []*understudyv1.Substitution {
			x := m.Register(exchange(request, recorded))
			defer x.Settle()
			a := response(candidate)
			x.Learn(nil, a, timestamp.Frame{})
			out, _ := x.Record(nil, a)
			return out
		}
		const own, theirs = "3f2b8c1e-aaaa-4bbb-8ccc-1234567890ab", "9d0e7f6a-1111-4222-8333-ba0987654321"
		if made != "" {
			play("s POST /"+made+" {}", `201 {"id":"`+own+`"}`, `201 {"id":"`+theirs+`"}`)
		}
		play("s GET /visit", "200 Set-Cookie: "+cookie+"="+own+"; {}", "200 Set-Cookie: "+cookie+"="+theirs+"; {}")
		got := ""
		for _, s := range play("s GET /x", `200 {"order_id":"`+own+`"}`, `200 {"order_id":"`+own+`"}`) {
			got += s.Kind + " " + s.Recorded[:4] + "=" + s.Candidate[:4]
		}
		if got != want {
			t.Errorf("%s of %s: %q, want %q", cookie, made, got, want)
		}
	}
	f("last_order", "orders", "order 3f2b=9d0e")
	f("sid", "orders", "order 3f2b=9d0e")
	f("sid", "sessions", "")
	f("sid", "", "")
}

// TestNamesGivenInCookies: a cookie may hold the name of a thing, which its client
// then uses by that name; redaction does not make it the client's own.
func TestNamesGivenInCookies(t *testing.T) {
	key, err := token.New([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	f := func(cfg redact.Config, cookie, own, request, want string) {
		t.Helper()
		r, m := redact.New(cfg, key), substitute.NewMemory("")
		m.Redactor = r
		e := exchange("s POST /carts {}", `201 Set-Cookie: `+cookie+`; {}`)
		r.Exchange(e)
		x := m.Register(e)
		x.Learn(nil, response(`201 Set-Cookie: `+own+`; {}`), timestamp.Frame{})
		x.Settle()
		got := sends(t, m, nil, "s "+request)
		if unresolved := strings.Contains(got, " of exchange e"); unresolved != (want == "-") || !unresolved && got != want {
			t.Errorf("%v, %s, %s: got %s, want %s", cfg.Off, cookie, request, got, want)
		}
	}
	const id, other = "3f2b8c1e-aaaa-4bbb-8ccc-1234567890ab", "9d0e7f6a-1111-4222-8333-ba0987654321"
	for _, off := range []bool{false, true} {
		cfg := redact.Config{Off: off}
		f(cfg, "cart_id="+id, "cart_id="+other, `GET /carts/`+id, "-")
		f(cfg, "cart_id="+id, "cart_id="+other, `POST /x {"cart_id":"`+id+`"}`, "-")
		f(cfg, "cart_id="+id, "cart_id="+other, `GET /x X-Cart-Id: `+id+`; `, "-")
		f(cfg, "cart_id=51640", "cart_id=61640", `GET /carts/51640`, "-")
		f(cfg, "cart_id=51640", "cart_id=61640", `POST /x {"cart_id":51640}`, "-")
		f(cfg, "cart_id="+id, "cart_id="+id, `GET /carts/`+id, "/carts/"+id)
		f(cfg, "cart_id="+id, "cart_id="+other, `GET /carts/`+other[:8], "/carts/"+other[:8])
		f(cfg, "cart_id=51640", "cart_id=61640", `POST /x {"cart_id":51641}`, `/x {"cart_id":51641}`)
		f(cfg, "cart_id=51640", "cart_id=51640", `POST /x {"cart_id":51640}`, `/x {"cart_id":51640}`)
		f(cfg, "page=7", "page=8", `GET /x?page=7`, `/x?page=7`)
	}
}
