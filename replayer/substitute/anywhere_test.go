package substitute_test

import (
	"strings"
	"testing"

	"understudy.dev/replayer/substitute"
)

// TestNumbersBehindOtherWords: a number that was handed out as an identifier never
// leaves under the baseline's name where nothing says that it is something else.
func TestNumbersBehindOtherWords(t *testing.T) {
	make := func(session, what, id, own string) step {
		return step{session + " POST /" + what + " {}", `201 {"id":` + id + `}`, `201 {"id":` + own + `}`}
	}
	// The candidate calls each as the baseline calls another.
	story := []step{
		make("s", "users", "82001", "82002"), make("other", "users", "82002", "82001"), make("s", "products", "93001", "93002"), make("s", "products", "93002", "93001"),
		make("s", "nodes", "47001", "47002"), make("s", "nodes", "47002", "47001"), make("s", "products", "12", "13"), make("s", "tags", "55501", "55501"),
		{"s GET /trips", `200 [{"id":61001,"n":"x"},{"id":61002,"n":"y"}]`, `200 [{"id":61002,"n":"x"},{"id":61001,"n":"y"}]`},
		{"s GET /towns", `200 [{"id":62001,"n":"x"},{"id":62002,"n":"y"}]`, `200 [{"id":62001,"n":"x"},{"id":62002,"n":"y"}]`}, {"s POST /visas {}", `201 {"id":63001}`, ""},
	}
	f := func(request, want string) {
		t.Helper()
		got := sends(t, substitute.NewMemory(""), story, "s "+request)
		if unresolved := strings.Contains(got, " of exchange e"); unresolved != (want == "-") || !unresolved && got != want {
			t.Errorf("%s\n got %s\nwant %s", request, got, want)
		}
	}
	const form = `Content-Type: application/x-www-form-urlencoded; `
	for _, request := range []string{
		`POST /users/82001/follow/82002 {}`, `PUT /nodes/47001/children/47002`, `POST /nodes/47001/merge/47001`, `GET /nodes/compare/47001/47002`,
		`POST /cart/add/93001`, `DELETE /cart/93002`, `POST /basket/items/93002`, `PUT /wishlist/93001`, `DELETE /trash/47001`, `GET /u/82002`, `GET /p/93001`,
		`GET /browse/93001`, `GET /img/93001.jpg`, `GET /x?cat=93001`, `GET /x?c=93001`, `GET /x?in=93001,93002`, `GET /x?key=93001`, `GET /x?topic=order.93001`,
		`POST /x {"prod":93001}`, `POST /x {"catId":93001}`, `POST /x {"ref":93001}`, `POST /x {"value":93001}`, `POST /reorder {"order":[93001,93002]}`,
		`POST /x {"positions":{"93001":1}}`, `POST /favourites {"ids":[93001,93002]}`, `POST /favourites ` + form + `ids[]=93001&ids[]=93002`,
		`POST /api/archive {"ids":[47001]}`, `POST /x {"subject":93001,"kind":"order"}`, `POST /tasks {"parent_id":93001}`, `POST /messages {"to":82002}`,
		`POST /batch {"requests":[{"method":"DELETE","url":"/nodes/47002"},{"method":"PUT","url":"/nodes/47001","body":{"id":47002}}]}`,
		`POST /nodes/47001/children [47002]`, `POST /x {"discounted":93001}`, `POST /cart/add/61001`,
		`POST /x {"ref":61002}`, `POST /cart/add/63001`,
	} {
		f(request, "-")
	}
	// These are something else, or are called so on both sides.
	for _, request := range []string{
		`POST /x {"amount":93001}`, `POST /x {"total_price":93001}`, `POST /x {"price":{"value":93001,"currency":"EUR"}}`, `POST /x {"prices":{"eur":[93001]}}`,
		`POST /x {"quantity":93001}`, `GET /x?page=93001&limit=47001&offset=47002`, `GET /x/page/93001`, `POST /x {"address":{"zip":"93001","phone":"47002"}}`,
		`GET /x?year=93001`, `POST /x {"port":47001,"size":47002}`, `POST /x {"prod":93003}`, `POST /x {"prod":12}`, `GET /p/55501`, `GET /p/62001`, `POST /x {"ref":62002}`, `POST /x {"prod":55501}`,
		`POST /x {"cat":82002}`, `GET /archive/2026/11`, `POST /x {"weight":{"value":93001}}`, `GET /x?price_cents=93001`,
	} {
		f(request, strings.TrimPrefix(strings.Join(strings.Fields(request)[1:], " "), "x "))
	}
	f(`GET /products/93001?ids=93001`, `/products/93002?ids=93002`)
	f(`POST /x {"product_id":93001,"amount":93001}`, `/x {"product_id":93002,"amount":93001}`)
}

// TestCodesWithSomethingAttached: a short name of letters and digits is replaced as
// a whole, and never leaves with something beside it or in a text.
func TestCodesWithSomethingAttached(t *testing.T) {
	make := func(session, what, id, own string) step {
		return step{session + " POST /" + what + " {}", `201 {"id":"` + id + `"}`, `201 {"id":"` + own + `"}`}
	}
	story := []step{
		make("s", "bookings", "HMF373X", "CNA446Z"), make("other", "bookings", "CNA446Z", "HMF373X"), make("s", "tags", "RED700X", "RED700X"),
		make("s", "invoices", "inv_8KIdfK2", "inv_9ZZabC1"), make("s", "orders", "ORD-31950", "ORD-31951"),
		{"s GET /trips", `200 [{"id":"TRP11AA","n":"x"},{"id":"TRP22BB","n":"y"}]`, `200 [{"id":"TRP22BB","n":"x"},{"id":"TRP11AA","n":"y"}]`},
		{"s POST /visas {}", `201 {"id":"VIS44CC"}`, ""},
		{"s GET /bookings/HMF373X", `200 {"id":"HMF373X","gate":"GATE22B"}`, `200 {"id":"CNA446Z","gate":"GATE33C"}`},
	}
	f := func(request, want string) {
		t.Helper()
		got := sends(t, substitute.NewMemory(""), story, "s "+request)
		if unresolved := strings.Contains(got, " of exchange e"); unresolved != (want == "-") || !unresolved && got != want {
			t.Errorf("%s\n got %s\nwant %s", request, got, want)
		}
	}
	for _, request := range []string{
		`GET /bookings/HMF373X.pdf`, `GET /bookings/HMF373X.json`, `POST /bookings/HMF373X:cancel`, `POST /checkin {"ref":"HMF373X"}`, `GET /bookings/HMF373X-CNA446Z`,
		`GET /bookings/HMF373X+CNA446Z`, `GET /x?q=cat:HMF373X`, `POST /notes {"text":"see HMF373X now"}`, `POST /notes {"text":"see:\nHMF373X"}`, `POST /cart/add/HMF373X`,
		`POST /x Content-Type: application/x-www-form-urlencoded; ref=HMF373X&code=CNA446Z`, `GET /img/HMF373X_large.jpg`,
		`POST /graphql {"query":"query($c:String){b(code:$c){id}}","variables":{"c":"HMF373X"}}`,
		`POST /x {"booking_id":"HMF373X","text":"not CNA446Z"}`, `GET /x X-About: a/HMF373X; `, `GET /trips/TRP11AA.pdf`,
		`POST /x {"ref":"TRP22BB"}`, `GET /visas/VIS44CC.pdf`,
	} {
		f(request, "-")
	}
	f(`GET /bookings/HMF373X`, `/bookings/CNA446Z`)
	f(`GET /files/inv_8KIdfK2.pdf`, `/files/inv_9ZZabC1.pdf`)
	f(`POST /x {"booking_id":"HMF373X","ids":["inv_8KIdfK2"],"text":"soon"}`, `/x {"booking_id":"CNA446Z","ids":["inv_9ZZabC1"],"text":"soon"}`)
	f(`POST /notes {"text":"about ORD-31950."}`, `/notes {"text":"about ORD-31951."}`)
	for _, request := range []string{
		`GET /tags/RED700X.pdf`, `POST /x {"text":"see RED700X now"}`, `POST /x {"text":"gate GATE22B now"}`, `POST /x {"text":"XHMF373X and HMF373XY"}`, `GET /x?q=HMF373`,
	} {
		f(request, request[strings.Index(request, "/"):])
	}
}
