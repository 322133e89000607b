package substitute_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"understudy.dev/replayer/substitute"
)

// TestOddPlaces: names that stand where a client rarely has them leave as the
// candidate's, or not at all.
func TestOddPlaces(t *testing.T) {
	const (
		u1, u2 = "3c6e0b8a-9c15-4a24-a3f2-5b1c8d7e6f01", "9d4f2c7b-1e83-4b5a-8c6d-2a3b4c5d6e7f"
		form   = `Content-Type: application/x-www-form-urlencoded; `
	)
	story := []step{
		{"s POST /orders {}", `201 {"id":26740,"idempotency_key":"pk_7Hq2mWz9"}`, `201 {"id":90113,"idempotency_key":"pk_4Rt8nXc5"}`},
		{"s POST /files {}", `201 {"id":"` + u1 + `"}`, `201 {"id":"` + u2 + `"}`},
	}
	f := func(request, want string) {
		t.Helper()
		got := sends(t, substitute.NewMemory(""), story, "s "+request)
		if unresolved := strings.Contains(got, " of exchange e"); unresolved != (want == "-") || !unresolved && got != want {
			t.Errorf("%s\n got %s\nwant %s", request, got, want)
		}
	}
	code := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

	// Keys of a request, and fields by which it is traced.
	f(`POST /pay Idempotency-Key: pk_7Hq2mWz9; {}`, "-")
	f(`POST /pay Idempotency-Key: `+u1+`; {}`, `/pay Idempotency-Key: `+u2+`; {}`)
	f(`POST /pay X-Idempotency-Key: pay-26740; {}`, "-")
	f(`POST /pay X-Request-Id: `+u1+`; {}`, `/pay X-Request-Id: `+u2+`; {}`)
	f(`POST /pay Idempotency-Key: 0b9b7c1e-7a63-4a57-9d0e-1f2e3d4c5b6a; {}`, `/pay Idempotency-Key: 0b9b7c1e-7a63-4a57-9d0e-1f2e3d4c5b6a; {}`)
	f(`POST /pay X-Correlation-Id: 7; {}`, `/pay X-Correlation-Id: 7; {}`)

	// Encoded and glued.
	f(`GET /see?state=`+code(`{"file":"`+u1+`"}`), "-")
	f(`GET /see?state=`+code(`{"order_id":26740}`), "-")
	f(`GET /see?name=file`+u1, "-")
	f(`GET /see?next=%252Ffiles%252F`+strings.ReplaceAll(u1, "-", "%252D"), "-")
	f(`POST /x {"note":"\u6ce8\u6587`+u1+`"}`, `/x {"note":"\u6ce8\u6587`+u2+`"}`)
	f(`POST /x {"note":"注文`+u1+`号"}`, `/x {"note":"注文`+u2+`号"}`)
	f(`POST /x `+form+`file_`+u1+`=on`, "-")
	f(`POST /x {"file_`+u1+`":true}`, "-")
	f(`POST /x Content-Type: application/json; profile="/files/`+u1+`"; {}`, "-")
	f(`POST /x X-Meta-`+u1+`: 1; {}`, "-")
	f(`POST /x Cookie: cart_`+u1+`=x; {}`, "-")
	f("POST /x Content-Type: multipart/mixed,boundary=b; --b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nsee "+u1[:20]+"=\r\n"+u1[20:]+"\r\n--b--\r\n", "-")
	f(`POST /x `+form+`SAMLResponse=`+base64.StdEncoding.EncodeToString([]byte(`<r InResponseTo="`+u1+`"/>`)), "-")
}

// TestOddPlacesAreWaitedFor: what is in a request in whatever form leaves when its
// maker has answered, and not before.
func TestOddPlacesAreWaitedFor(t *testing.T) {
	const u, long, mixed = "3c6e0b8a-9c15-4a24-a3f2-5b1c8d7e6f01", "ord_zUzNjY5MzE", "ord_7Hq2m"
	for _, id := range []string{u, long, mixed} {
		for _, request := range []string{
			`GET /lines/ID-1`, `GET /shop/red-shoes-ID`, `POST /orders/ID:cancel {}`, `POST /pay Idempotency-Key: pay-ID; {"a":1}`, `GET /see?next=%252Forders%252FID`,
			`GET /see?state=` + base64.RawURLEncoding.EncodeToString([]byte(`{"a":"`+id+`"}`)), `POST /notes {"text":"about ID."}`, `GET /orders/ID`,
		} {
			m := substitute.NewMemory("")
			first := exchange("s POST /orders {}", `201 {"id":"`+id+`"}`)
			m.Register(first)
			then := m.Register(exchange("s "+strings.ReplaceAll(request, "ID", id), "200 {}"))
			if got := then.Awaits(); len(got) != 1 || got[0] != first.Id {
				t.Errorf("%s of %s waits for %q", request, id, got)
			}
		}
	}
}
