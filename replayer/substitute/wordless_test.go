package substitute_test

import (
	"strings"
	"testing"

	"understudy.dev/exchange/timestamp"
	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestNumbersWithoutAWord: a number that was handed out as an identifier does not
// leave under the baseline's name where no word stands beside it, or one that is
// glued to it.
func TestNumbersWithoutAWord(t *testing.T) {
	story := []step{
		{`s POST /invoices {}`, `201 {"id":64021}`, `201 {"id":64022}`}, {`s POST /invoices {}`, `201 {"id":64022}`, `201 {"id":64021}`},
		{`s POST /labels {}`, `201 {"id":71500}`, `201 {"id":71500}`},
		{`s GET /shelf`, `200 [{"book_id":58001,"title":"a"},{"book_id":58002,"title":"b"}]`, `200 [{"book_id":68001,"title":"a"},{"book_id":68002,"title":"b"}]`},
		{`s GET /wall`, `200 [{"poster_id":59001},{"poster_id":59002}]`, `200 [{"poster_id":59002},{"poster_id":59001}]`},
	}
	f := func(request, want string) {
		t.Helper()
		got := sends(t, substitute.NewMemory(""), story, "s "+request)
		if unresolved := strings.Contains(got, " of exchange e"); unresolved != (want == "-") || !unresolved && got != want {
			t.Errorf("%s\n got %s\nwant %s", request, got, want)
		}
	}
	const form, csv, text = `Content-Type: application/x-www-form-urlencoded; `, `Content-Type: text/csv; `, `Content-Type: text/plain; `
	parts := func(head, content string) string {
		return "Content-Type: multipart/form-data;boundary=q; --q\r\n" + head + "\r\n\r\n" + content + "\r\n--q--\r\n"
	}
	for _, request := range []string{
		`GET /x?64021`, `GET /x?a=1&64022=on`, `POST /x [64021]`, `POST /x ["64021",64022]`, `POST /x 64021`, `POST /x "64022"`,
		`GET /x?invoice_id=%2264021%22`, `GET /x?invoice=%2764021%27`, `POST /x ` + form + `a=b;invoice_id=64021`, `POST /x ` + form + `64021`,
		`POST /x ` + csv + "invoice_id,qty\n64021,2\n", `POST /x ` + csv + "what;qty\n64021;2\n", `POST /x ` + csv + "qty,what\n2,64022\n",
		`POST /x ` + text + `64021`, `POST /x ` + text + "GET /a\n64022 b", `POST /x ` + text + `see invoice-64021`,
		`GET /x Slug: invoice-64021; `, `GET /x X-About: invoice_64022.pdf; `, `GET /x?file=invoice-64021.pdf`, `POST /x {"file":"invoice-64021.pdf"}`,
		`POST /x ` + parts(`Content-Disposition: form-data;name="f";filename="invoice-64021.pdf"`, `%PDF`),
		`POST /x ` + parts(`Content-Disposition: form-data;name="f";filename="64022.pdf"`, `%PDF`),
		`POST /x ` + parts("Content-Type: application/http", "GET /invoices/64021 HTTP/1.1"),
		`POST /x {"lines":[{"book":58001}]}`, `GET /cart/add?book=58002`, `POST /x {"b":58001}`,
	} {
		f(request, "-")
	}
	for _, request := range []string{
		`GET /x?71500`, `POST /x [71500]`, `GET /x?64099`, `POST /x [64099]`, `GET /x?invoice_id=%2264099%22`, `POST /x {"poster":59001}`,
		`POST /x {"file":"invoice-64099.pdf"}`, `POST /x {"amount":58001}`, `GET /x?amount=64021`, `GET /x?q=tea-64`, `POST /x {"build":"utf-8"}`,
	} {
		f(request, strings.TrimPrefix(strings.Join(strings.Fields(request)[1:], " "), "x "))
	}
	f(`POST /x `+csv+"amount,qty\n64021,2\n", "/x amount,qty\n64021,2\n")
	f(`POST /x `+csv+"label_id,qty\n71500,2\n", "/x label_id,qty\n71500,2\n")
	f(`POST /x `+text+"paid 71500", "/x paid 71500")
	f(`GET /x Slug: label-71500; `, `/x Slug: label-71500;`)
}

// TestAnswersThatSayLittle: an order was made, and nobody can tell what it is called.
func TestAnswersThatSayLittle(t *testing.T) {
	// What is in doubt once is not the client's own the next time.
	story := []step{
		{`s POST /orders {}`, `201 Content-Type: text/plain; created 24528`, `201 Content-Type: text/plain; created 78697`}, {`s GET /orders/24528`, `200 {}`, ""},
	}
	for _, request := range []string{`s GET /orders/24528`, `s POST /x {"order_id":24528}`, `s GET /x X-Order-Id: 24528; `, `s GET /x?order_id=24528`} {
		if got := sends(t, substitute.NewMemory(""), story, request); !strings.HasPrefix(got, `order "24528" of exchange e`) {
			t.Errorf("%s: got %s", request, got)
		}
	}
}

// TestTheClientsType: a client that reads a text as a number does so with the
// candidate's too.
func TestTheClientsType(t *testing.T) {
	f := func(recorded, candidate, sent, want string) {
		t.Helper()
		story := []step{{`s POST /orders {}`, `201 {"id":` + recorded + `}`, `201 {"id":` + candidate + `}`}}
		if got := sends(t, substitute.NewMemory(""), story, `s POST /x {"order_id":`+sent+`}`); got != `/x {"order_id":`+want+`}` {
			t.Errorf("%s, %s, %s: got %s, want %s", recorded, candidate, sent, got, want)
		}
	}
	f(`"7001"`, `"9001"`, `7001`, `9001`)
	f(`"7001"`, `9001`, `7001`, `9001`)
	f(`"7001"`, `"9001"`, `"7001"`, `"9001"`)
	f(`"7001"`, `9001`, `"7001"`, `9001`)
	f(`7001`, `9001`, `"7001"`, `"9001"`)
	f(`7001`, `"9001"`, `7001`, `"9001"`)
	f(`7001`, `"x9f1"`, `"7001"`, `"x9f1"`)
	f(`"7001"`, `"x9f1"`, `7001`, `"x9f1"`)
	f(`"7001"`, `"09001"`, `7001`, `"09001"`)
}

// TestNamesInTrailers: what an answer says behind its body it has said.
func TestNamesInTrailers(t *testing.T) {
	m := substitute.NewMemory("")
	trailed := func(name string) *understudyv1.Response {
		return &understudyv1.Response{Status: 201, Body: body(`{}`), Trailers: []*understudyv1.Header{{Name: "X-Parcel-Id", Value: []byte(name)}}}
	}
	for _, request := range []string{`GET /parcels/45482`, `POST /x {"parcel_id":45482}`, `GET /x X-Parcel-Id: 45482; `} {
		e := exchange(`s POST /parcels {}`, `201 {}`)
		e.Response = trailed("45482")
		x := m.Register(e)
		x.Learn(nil, trailed("50603"), timestamp.Frame{})
		x.Settle()
		if got := sends(t, m, nil, "s "+request); !strings.Contains(got, " of exchange e") {
			t.Errorf("%s: got %s", request, got)
		}
	}
	// And so has a request.
	for id, want := range map[string]string{"64021": "64022", "64099": "64099"} {
		m := substitute.NewMemory("")
		sends(t, m, []step{{`s POST /invoices {}`, `201 {"id":64021}`, `201 {"id":64022}`}}, `s GET /a`)
		e := exchange(`s POST /x {}`, `200 {}`)
		e.Request.Trailers = []*understudyv1.Header{{Name: "X-Invoice-Id", Value: []byte(id)}}
		x := m.Register(e)
		if _, u := x.Translate(func(r *substitute.Request) {
			if got := r.Field("X-Invoice-Id", id); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}); u != nil {
			t.Error(u)
		}
		x.Settle()
	}
	e := exchange(`s POST /x {}`, `200 {}`)
	e.Request.Trailers = []*understudyv1.Header{{Name: "X-Parcel-Id", Value: []byte("45482")}}
	x := m.Register(e)
	defer x.Settle()
	if _, u := x.Translate(func(*substitute.Request) {}); u == nil {
		t.Error("sent")
	}
}
