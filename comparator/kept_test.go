package comparator_test

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestWhatKeptItsName: what the candidate should call otherwise by now is no match
// where it still bears the baseline's name, however that is written. Each case is
// judged with the name kept, with the candidate's in its place, and in a session
// that knows nothing of it.
func TestWhatKeptItsName(t *testing.T) {
	const presumed, mismatch, match = comparator.Presumed, comparator.Mismatch, comparator.Match
	const token1, token2 = "pay_4Kd82MzQx71", "pay_9Tb35LwYr06"
	pairs := knows("order #1001=#2001", "order #1002=#2002", "order #12=#21", "customer #17=#23", "document "+uuid1+"="+uuid2, "payment "+token1+"="+token2, "parcel #2097153=#3097153", "ticket brave-yak-tan=calm-emu-gold", "label kqzvb=wtrpl")
	type answer = *understudyv1.Response
	f := func(what string, kept, renamed comparator.Verdict, of func(id string) answer, ids ...string) {
		t.Helper()
		if len(ids) == 0 {
			ids = []string{uuid1, uuid2}
		}
		for _, c := range []struct {
			how       string
			want      comparator.Verdict
			candidate string
			known     func(*understudyv1.Replay)
		}{{"kept", kept, ids[0], pairs}, {"renamed", renamed, ids[1], pairs}, {"unknown", match, ids[0], knows()}} {
			if v := judgement(t, immediate(of(ids[0]), of(c.candidate), c.known, func(r *understudyv1.Replay) {
				r.Exchange.Request.Method, r.Exchange.Request.Target, r.Exchange.Request.Body = "GET", []byte("/orders/recent"), nil
			})); v.Verdict != c.want {
				t.Errorf("%s, %s: want %s, got %q", what, c.how, c.want, lines(v))
			}
		}
	}
	body := func(format string) func(string) answer {
		return func(id string) answer { return response(200, strings.ReplaceAll(format, "ID", id)) }
	}
	as := func(kind, format string) func(string) answer {
		return func(id string) answer { return typed(kind, strings.ReplaceAll(format, "ID", id)) }
	}
	header := func(format string) func(string) answer {
		return func(id string) answer { return response(200, `{"a":1}`, strings.ReplaceAll(format, "ID", id)) }
	}
	coded := func(format string, e *base64.Encoding) func(string) answer {
		return func(id string) answer {
			return response(200, `{"value":"`+e.EncodeToString([]byte(strings.ReplaceAll(format, "ID", id)))+`"}`)
		}
	}
	order, customer, payment := []string{"1001", "2001"}, []string{"17", "23"}, []string{token1, token2}

	// Within base64 and tokens.
	f("JSON in base64", mismatch, match, coded(`{"document_id":"ID"}`, base64.StdEncoding))
	f("JSON in base64, a number", mismatch, match, coded(`{"order_id":ID}`, base64.RawURLEncoding), order...)
	f("text in base64", mismatch, match, coded(`see ID for more`, base64.StdEncoding))
	f("global id", presumed, match, coded(`Customer:ID`, base64.StdEncoding), customer...)
	f("global id of a path", presumed, match, coded(`gid://shop/Customer/ID`, base64.RawStdEncoding), customer...)
	f("global id, unmistakable", mismatch, match, coded(`Document:ID`, base64.StdEncoding))
	f("cursor of a link", mismatch, match, func(id string) answer {
		code := base64.RawURLEncoding.EncodeToString([]byte(`{"after":"` + id + `"}`))
		return response(200, `{"next":"/documents?limit=1&cursor=`+code+`"}`)
	})
	f("global id of something else", match, mismatch, coded(`Voucher:ID`, base64.StdEncoding), customer...)
	f("token", mismatch, match, func(id string) answer { return response(200, `{"t":"`+jwt(`{"customer_id":`+id+`}`, "one")+`"}`) }, customer...)
	f("token in a field", mismatch, match, func(id string) answer {
		return response(200, `{"a":1}`, "Authorization-Info: Bearer "+jwt(`{"document_id":"`+id+`"}`, "one"))
	})
	f("JSON in base64 in JSON in text", mismatch, match, func(id string) answer {
		return response(200, `{"value":"{\"v\":\"`+base64.StdEncoding.EncodeToString([]byte(`{"order_id":`+id+`}`))+`\"}"}`)
	}, order...)
	f("JSON in a text", mismatch, match, body(`{"value":"{\"order_id\":ID}"}`), order...)
	f("JSON in a text, another kind", match, presumed, body(`{"value":"{\"voucher_id\":ID}"}`), order...)

	// Glued into words, and spelled otherwise.
	for _, text := range []string{"ID.pdf", "inv-ID", "inv_ID", "/files/inv-ID.pdf", "https://files.example/a/ID.tar.gz?v=2", "a@ID.mail.example"} {
		f(text, mismatch, match, body(`{"value":"`+text+`"}`))
		f(text, mismatch, match, body(`{"value":"`+text+`"}`), payment...)
	}
	f("in a sentence", presumed, match, body(`{"value":"backup ID-2 is done"}`)) // which somebody may have written
	upper := func(id string) answer { return response(200, `{"value":"`+strings.ToUpper(id)+`"}`) }
	f("in capitals", mismatch, match, upper)
	bare := func(id string) answer { return response(200, `{"value":"x-`+strings.ReplaceAll(id, "-", "")+`"}`) }
	f("without hyphens", mismatch, match, bare)
	f("a member", mismatch, mismatch, body(`{"thumb_ID":"x"}`))
	f("an escape within a word", mismatch, match, body(`{"value":"inv\u002dID.pdf"}`))
	f("in an escaped text", mismatch, match, body(`{"value":"files\/inv-ID.pdf\u00e9"}`))

	// Kinds by other words.
	for _, member := range []string{`"order_number":ID`, `"orderNo":ID`, `"OrderNr":"ID"`, `"order_ref":"ID"`, `"id_order":ID`, `"idOrder":ID`, `"orders":[3,ID]`,
		`"order":{"number":ID}`, `"order":{"ref":"ID"}`, `"text":"order no. ID"`, `"text":"Order number: ID"`} {
		f(member, presumed, match, body(`{`+member+`}`), order...)
	}
	for _, member := range []string{`"order_ids":[5,ID]`, `"order":{"$oid":ID}`, `"order":{"id":ID}`, `"order":{"pk":ID}`, `"self":"/orders?ids=1002,ID"`} {
		f(member, mismatch, match, body(strings.ReplaceAll(`{`+member+`}`, "1002", "5")), order...)
	}
	for _, member := range []string{`"reference":ID`, `"ref":"ID"`, `"number":ID`, `"ord_id":ID`} {
		f(member, presumed, presumed, body(`{`+member+`}`), order...)
	}
	f("a reference of few digits", match, mismatch, body(`{"reference":ID}`), customer...)
	f("an amount", match, mismatch, body(`{"total":ID}`), order...)
	f("a member beside it", presumed, presumed, body(`{"x":{"type":"orders","number":ID}}`), order...)
	f("the kind alone", presumed, presumed, body(`{"customer":ID}`), customer...)
	f("the kind alone, a longer number", presumed, match, body(`{"order":ID}`), order...)
	f("a place in a list", match, mismatch, func(id string) answer { return response(200, `{"order":`+id+`}`) }, "12", "21")
	for _, held := range []string{`"orders":{"items":[{"id":ID}]}`, `"orders":{"edges":[{"node":{"id":ID}}]}`, `"orders":{"data":{"rows":[{"id":ID}]}}`} {
		f(held, presumed, match, body(`{"x":{`+held+`}}`), order...)
	}
	for _, part := range []string{`"orders":[{"items":[{"id":ID}]}]`, `"order":{"items":[{"id":ID}]}`} {
		f(part, match, presumed, body(`{"x":{`+part+`}}`), order...)
	}
	f("a role", match, presumed, body(`{"debtor":{"id":ID}}`), order...)
	f("a role, with few digits", match, mismatch, body(`{"debtor_id":ID}`), customer...)
	f("something else of which names are known", match, mismatch, body(`{"document_id":ID}`), order...)
	f("customer number", presumed, match, body(`{"customer_no":ID}`), customer...)
	for _, member := range []string{`"quantity":ID`, `"customer_count":ID`, `"customers":ID`, `"age":ID,"customer":"Ann"`, `"customers":[{"age":ID}]`, `"position":ID`, `"text":"ID customers"`} {
		f(member, match, mismatch, body(`{`+member+`}`), customer...)
	}

	// Within the names of members.
	for _, member := range []string{`"/orders/ID":{"s":1}`, `"x":{"order-ID":{}}`, `"order_ID":1`, `"order:ID":1`, `"/a?order_id=ID":1`} {
		f(member, mismatch, match, body(`{`+member+`}`), order...)
	}
	f("a link as a member", mismatch, match, body(`{"/documents/ID":{"s":1}}`))
	f("a link to something else as a member", presumed, mismatch, body(`{"/vouchers/ID":{}}`), order...)
	f("something else as a member", match, mismatch, body(`{"level_ID":{}}`), customer...)

	// Percent-encoded, with zeros, and without a digit.
	f("in a link, encoded", mismatch, match, body(`{"href":"/files/inv%2DID%2Epdf"}`))
	f("an encoded number", presumed, match, body(`{"href":"/see?urn=urn%3Aorder%3AID"}`), order...)
	f("zeros", presumed, match, body(`{"order_number":"0000ID"}`), order...)
	f("zeros in a text", presumed, match, body(`{"a":"order no. 0000ID"}`), order...)
	f("zeros of something else", match, mismatch, body(`{"voucher_number":"0000ID"}`), order...)
	for _, text := range []string{`see brave-yak-tan`, `tickets-brave-yak-tan.pdf`, base64.StdEncoding.EncodeToString([]byte("Ticket:brave-yak-tan"))} {
		kept := func(id string) answer {
			return response(200, `{"value":"`+strings.NewReplacer("brave-yak-tan", id, base64.StdEncoding.EncodeToString([]byte("Ticket:brave-yak-tan")), base64.StdEncoding.EncodeToString([]byte("Ticket:"+id))).Replace(text)+`"}`)
		}
		f(text, presumed, match, kept, "brave-yak-tan", "calm-emu-gold")
	}
	f("a word after its kind", presumed, match, body(`{"a":"label ID is printed"}`), "kqzvb", "wtrpl")
	f("a word", match, mismatch, body(`{"a":"the ID is printed"}`), "kqzvb", "wtrpl")
	f("a word as a member", match, mismatch, body(`{"ID":1}`), "kqzvb", "wtrpl")

	// With letters before it, under a member that says what it is.
	for _, text := range []string{"INV-ID", "INVID", "2026/INV-000ID"} {
		f(text, presumed, match, body(`{"order_number":"`+text+`"}`), order...)
		f(text+" of something else", match, mismatch, body(`{"voucher_number":"`+text+`"}`), order...)
	}
	f("its kind before it", presumed, match, body(`{"file":"orderID.pdf"}`), order...)

	for _, member := range []string{`"order":"#ID"`, `"order":"INV-ID"`, `"code":"ORD-ID"`, `"file":"ord_ID"`, `"key":"order:ID:1"`, `"topic":"shop.orders.ID.created"`} {
		f(member, presumed, match, body(`{`+member+`}`), order...)
	}
	f("a number behind a mark", presumed, presumed, body(`{"number":"INV-ID"}`), order...)
	for _, member := range []string{`"voucher":"#ID"`, `"code":"ART-ID"`, `"key":"voucher:ID:1"`, `"at":"order-ID-11-17"`, `"orders":"+ID"`, `"key":"order:ID.50"`} {
		f(member, match, mismatch, body(`{`+member+`}`), order...)
	}
	f("a time", match, mismatch, body(`{"text":"order 12:ID"}`), "17", "23")
	f("a number in a sentence", match, presumed, body(`{"text":"see (ID)"}`), order...)
	f("a number of few digits in a sentence", match, mismatch, body(`{"text":"see (ID)"}`), customer...)

	// Persons by other words.
	for _, member := range []string{`"bill_to":ID`, `"ship_to":"ID"`, `"sold_to_id":ID`, `"paid_by":ID`} {
		f(member, presumed, map[bool]comparator.Verdict{true: match, false: presumed}[strings.Contains(member, "_id")], body(`{`+member+`}`), customer...)
	}
	for _, member := range []string{`"due_to":ID`, `"belongs_to":ID`, `"step_by":"ID steps"`} {
		f(member, match, mismatch, body(`{`+member+`}`), customer...)
	}
	f("X-User", mismatch, match, header("X-Customer: ID"), customer...)
	f("X-Customers", match, mismatch, header("X-Customers: ID"), customer...)

	// How many there are.
	parcels := []string{"2097153", "3097153"}
	for _, count := range []func(string) answer{body(`{"parcels":ID}`), body(`{"parcels":"ID"}`), as("application/x-ndjson", `{"parcels":ID}`), as("application/xml", `<r><parcels>ID</parcels></r>`),
		as("application/xml", `<r parcels="ID"/>`), as("application/x-www-form-urlencoded", "parcels=ID"), as("text/csv", "sku,parcels\na,ID\n"), as("text/plain", "parcels: ID"),
		as("text/plain; version=0.0.4", "# TYPE parcels gauge\nparcels ID\n"), as("text/html", `<table><tr><th>Parcels<td>ID</table>`), header("X-Parcels: ID")} {
		f("a count", match, mismatch, count, parcels...)
	}
	f("a list of one", mismatch, match, body(`{"parcels":[ID]}`), parcels...)
	f("a list in a text", presumed, match, body(`{"text":"parcels ID, 2097152"}`), parcels...)
	f("numbers of several", presumed, match, body(`{"parcel_numbers":ID}`), parcels...)

	// A long number stands nowhere by chance, but where something is measured.
	for _, member := range []string{`"x":ID`, `"x":"ID"`, `"message":"Sendung ID ist da"`, `"filter":"id eq ID"`, `"href":"https://qr.example/?o=ID"`, `"rows":[["a",ID]]`, `"x":"a-ID-b"`, `"file":"inv-ID.pdf"`, `"code":"{of:ID}"`, `"ref":{"of":{"value":ID}}`} {
		f(member, presumed, presumed, body(`{`+member+`}`), parcels...)
	}
	for _, member := range []string{`"unitPrice":ID`, `"total":"ID"`, `"price":{"value":ID}`, `"x":"+ID"`, `"x":"-ID"`, `"x":"ID.50"`, `"x":"7.ID"`, `"x":"EUR ID.50"`} {
		f(member, match, mismatch, body(`{`+member+`}`), parcels...)
	}
	for _, member := range []string{`"voucher_id":ID`, `"text":"about ID of them"`} {
		f(member, match, presumed, body(`{`+member+`}`), parcels...)
	}
	f("a long number in a script", presumed, presumed, as("text/html", `<script>var of = ID;</script>`), parcels...)
	f("a long number in a text", presumed, presumed, as("text/plain", "Sendung ID ist da"), parcels...)

	// What a member above says.
	parcel := []string{"2097153", "3097153"}
	f("an event's resource", presumed, presumed, body(`{"type":"parcel.sent","resource":{"id":ID}}`), parcel...)
	f("an object of an event", presumed, presumed, body(`{"type":"ParcelSent","data":{"object":{"id":ID}}}`), parcel...)
	f("an event's resource, with few digits", presumed, presumed, body(`{"type":"customer.left","resource":{"id":ID}}`), customer...)
	f("the resource of another event", match, presumed, body(`{"type":"voucher.sent","resource":{"id":ID}}`), customer...)
	f("a resource of which nothing says what it is", presumed, presumed, body(`{"event":{"resource":{"id":ID}}}`), order...)

	// Where a page begins.
	for _, link := range []string{"/orders?after=ID", "/orders?limit=2&starting_after=ID", "https://shop/v1/orders?since_id=ID&limit=2", "/customers/5/orders?before=ID"} {
		f(link, presumed, match, body(`{"next":"`+link+`"}`), order...)
		f("Link: "+link, presumed, match, header("Link: <"+link+">; rel=next"), order...)
	}
	f("a page of things of one kind", presumed, match, body(`{"next":"/customers?after=ID"}`), customer...)
	f("a page of others", match, mismatch, body(`{"next":"/vouchers?after=ID"}`), customer...)
	f("an offset", match, mismatch, body(`{"next":"/orders?offset=ID"}`), order...)
	for _, plain := range []string{`ID`, `id:ID`, `after=ID`, `{"id":ID}`, `{"after":ID,"dir":"next"}`, `["2026-01-01",ID]`} {
		f("cursor "+plain, presumed, match, func(id string) answer {
			return response(200, `{"next_cursor":"`+base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(plain, "ID", id)))+`"}`)
		}, order...)
		f("code "+plain, match, mismatch, func(id string) answer {
			return response(200, `{"color":"`+base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(plain, "ID", id)))+`"}`)
		}, customer...)
	}

	// Other formats.
	f("XML attribute", mismatch, match, as("application/xml", `<r><order id="ID"/></r>`), order...)
	f("XML attribute of another", mismatch, match, as("application/xml", `<r><line order-id="ID"/></r>`), order...)
	f("XML element", mismatch, match, as("application/xml", `<r><order_id>ID</order_id></r>`), order...)
	f("XML field", mismatch, match, as("application/xml", `<r><field name="order_id">ID</field></r>`), order...)
	f("HTML attribute", presumed, match, as("text/html", `<a data-order="ID">x</a>`), order...)
	f("HTML attribute of an id", mismatch, match, as("text/html", `<a data-order-id="ID">x</a>`), order...)
	for _, markup := range []string{`<form><input type="hidden" name="order_id" value="ID"></form>`, `<input value="ID" name="order_id">`, `<input id="order_id" value="ID">`,
		`<input name="order[id]" value="ID">`, `<input name="orderId" id="o" value="ID">`, `<select name="order_id"><option>none<option value="ID" selected>Mine</select>`,
		`<select name="order_id"><optgroup><option>ID</select>`, `<meta name="order-id" content="ID">`, `<button name="order_id" value="ID">Pay</button>`,
		`<textarea name="order_id">ID</textarea>`, `<b itemprop="order_id">ID</b>`, `<table><tr><th>Order id<td>ID</table>`, `<dl><dt>Order id:<dd>ID</dl>`} {
		f(markup, mismatch, match, as("text/html", markup), order...)
	}
	for _, markup := range []string{`<input name="quantity" value="ID">`, `<meta name="width" content="ID">`,
		`<select name="count"><option value="ID"></select>`, `<form name="order_id"><input value="ID"></form>`,
		`<table><tr><th>Total<td>ID</table>`, `<table><tr><th>Order id<td>x<tr><td>ID</table>`, `<b id="order_id"><i>ID</i></b>`} {
		f(markup, match, mismatch, as("text/html", markup), order...)
	}
	for _, markup := range []string{`<input type="number" value="ID" name="order_total">`, `<input id="order_id" name="amount" value="ID">`} {
		f(markup, presumed, mismatch, as("text/html", markup), order...)
	}
	f("XML field by name", mismatch, match, as("application/xml", `<r><order><field name="id" value="ID"/></order></r>`), order...)
	f("a form in which a word names it", mismatch, match, as("text/html", `<input name="label_id" value="ID">`), "kqzvb", "wtrpl")
	f("HTML link", mismatch, match, as("text/html", `<a href="/orders/ID">x</a>`), order...)
	f("HTML script", presumed, match, as("text/html", `<script>var orderId = ID;</script>`), order...)
	f("HTML text", mismatch, match, as("text/html", `<p>file-ID.pdf</p>`))
	f("form", mismatch, match, as("application/x-www-form-urlencoded", `a=1&order_id=ID`), order...)
	f("form of a kind", presumed, match, as("application/x-www-form-urlencoded", `a=1&order=ID`), order...)
	f("multipart", presumed, match, as("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"order_id\"\r\n\r\nID\r\n--b--\r\n"), order...)
	f("CSV", mismatch, match, as("text/csv", "sku,order_id\na,ID\nb,5\n"), order...)
	f("CSV of a kind", presumed, match, as("text/csv", "sku,order no\na,ID\nb,5\n"), order...)
	f("CSV of something else", match, mismatch, as("text/csv", "sku,left\na,ID\nb,5\n"), order...)
	f("text", presumed, match, as("text/plain", "Your order ID is on its way."), order...)

	// Fields and cookies.
	f("Content-Disposition", mismatch, match, header(`Content-Disposition: attachment; filename="invoice-ID.pdf"`))
	f("ETag", presumed, match, header(`ETag: "ID-1"`))
	f("X-Order", mismatch, match, header("X-Order: ID"), order...)
	f("X-Order-Id", mismatch, match, header("X-Order-Id: ID"), order...)
	f("X-Order-Number", mismatch, match, header("X-Order-Number: ID"), order...)
	f("X-Left", match, mismatch, header("X-Left: ID"), order...)
	f("Location", mismatch, match, header("Location: /orders/ID"), order...)
	f("relative Location", mismatch, match, header("Location: ../orders/ID"), order...)
	f("relative Location of a name", mismatch, match, header("Location: ID"), order...)
	f("Location with a list", mismatch, match, header("Location: /orders?ids=5,ID"), order...)
	f("cookie", mismatch, match, header("Set-Cookie: customer_id=ID; Path=/"), customer...)
	f("cookie of a kind", mismatch, match, header("Set-Cookie: last_customer=ID"), customer...)
	f("cookie of something else", match, mismatch, header("Set-Cookie: theme=ID"), customer...)
	f("path of a cookie", mismatch, match, header("Set-Cookie: a=b; Path=/orders/ID"), order...)
	f("tracing", match, match, header("X-Request-Id: ID"))

	// Bytes.
	f("image", presumed, mismatch, as("image/png", "\x89PNG\x00\x01tEXtid\x00ID\x00\xff"))
	f("PDF", presumed, mismatch, as("application/pdf", "%PDF-1.7\n\x00\xff (Invoice ID) Tj"))
	message := func(content string) string { return "\x00\x00\x00\x00" + string(rune(len(content))) + content }
	f("gRPC text", presumed, mismatch, func(id string) answer { return typed("application/grpc", message("\x0a\x24"+id)) })
	f("gRPC number", presumed, mismatch, func(id string) answer {
		return typed("application/grpc", message("\x0a\x01a\x10"+map[string]string{"2097153": "\x81\x80\x80\x01", "3097153": "\x81\x84\xbd\x01"}[id]))
	}, "2097153", "3097153")

	// Where it is hidden further.
	f("behind an escape", mismatch, match, body(`{"note":"\u6ce8\u6587ID"}`))
	f("behind letters", mismatch, match, body(`{"value":"fileID"}`))
	f("behind letters of another script", mismatch, match, body(`{"value":"注文ID号"}`))
	f("encoded twice", mismatch, match, body(`{"href":"/see?next=%252Ffiles%252Finv%252DID%252Epdf"}`))
	f("hyphens encoded twice", mismatch, mismatch, func(id string) answer {
		return response(200, `{"href":"/see?next=%252Ffiles%252Finv-`+strings.ReplaceAll(id, "-", "%252D")+`"}`)
	})
	f("parameter of a type", presumed, match, func(id string) answer { return typed("application/json; profile=\"/documents/"+id+"\"", `{"a":1}`) })
	f("name of a cookie", mismatch, mismatch, header("Set-Cookie: cart_ID=x; Path=/"))
	f("name of a field", mismatch, mismatch, header("X-Meta-ID: x"))
	f("XML in base64", mismatch, match, coded(`<r><document id="ID"/></r>`, base64.StdEncoding))
	f("a form in base64", mismatch, match, coded(`a=1&document_id=ID`, base64.StdEncoding))
	f("an attribute of XML in base64", presumed, match, coded(`<r><order id="ID"/></r>`, base64.StdEncoding), order...)
	f("quoted-printable", mismatch, match, as("multipart/mixed; boundary=b", "--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nsee ID=\r\n is it =E2=82=AC\r\n--b--\r\n"))
	f("preamble", presumed, match, as("multipart/mixed; boundary=b", "about ID\r\n--b\r\n\r\nx\r\n--b--\r\n"))
	f("part of HTTP", mismatch, match, as("multipart/mixed; boundary=b", "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"document_id\":\"ID\"}\r\n--b--\r\n"))
	f("part of HTTP, a number", mismatch, match, as("multipart/mixed; boundary=b", "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"order_id\":ID}\r\n--b--\r\n"), order...)
	f("part of bytes", presumed, mismatch, as("multipart/mixed; boundary=b", "--b\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.7\n\x00\xff (Invoice ID) Tj\r\n--b--\r\n"))
	f("a comment", presumed, match, as("text/html", `<p>x</p><!-- ko if: order() == 'ID' -->`))
	f("a choice with a long number", mismatch, match, as("text/html", `<select name="parcel_id"><option value="ID">x</option></select>`), parcels...)
	f("label for", presumed, presumed, as("text/html", `<label for="line-ID">x</label>`), parcels...)
	f("column", mismatch, match, as("text/html", `<table><thead><tr><th>Order id</th><th>Sum</th></tr></thead><tbody><tr><td>ID</td><td>1</td></tr></tbody></table>`), order...)
	f("column of something else", match, mismatch, as("text/html", `<table><tr><th>Sum</th><th>Order</th></tr><tr><td>ID</td><td>1</td></tr></table>`), order...)
	f("two numbers of a cookie", presumed, presumed, header("Set-Cookie: last=5-ID; Path=/"), parcels...)

	// Where both sides count, a number is the name of one thing here and of another
	// there.
	counted := knows("order #1001=#1002", "order #1002=#1003", "order #1003=#1004", "order #1004=#1005",
		"file doc-100001001=doc-100001002", "file doc-100001002=doc-100001003", "file doc-100001003=doc-100001004", "file doc-100001004=doc-100001005")
	count := func(format string, first, n int, between string) string {
		var out []string
		for id := first; id < first+n; id++ {
			out = append(out, strings.ReplaceAll(format, "ID", strconv.Itoa(id)))
		}
		return strings.Join(out, between)
	}
	for _, of := range []struct {
		what string
		kept comparator.Verdict
		body func(first int) string
	}{
		{"a list", presumed, func(first int) string {
			return `{"rows":[` + count(`{"order_number":ID,"text":"order no. ID","file":"order-ID.pdf"}`, first, 3, ",") + `]}`
		}},
		{"a list of files", mismatch, func(first int) string {
			return `{"rows":[` + count(`{"url":"/x-doc-10000ID.pdf"}`, first, 3, ",") + `]}`
		}},
		{"two objects", mismatch, func(first int) string {
			return `{"first":` + count(`{"url":"/x-doc-10000ID.pdf"}`, first, 2, `,"second":`) + `}`
		}},
		{"a sentence", presumed, func(first int) string { return `{"text":"see ` + count(`x-doc-10000ID.pdf`, first, 3, " and ") + `"}` }},
	} {
		for first, want := range map[int]comparator.Verdict{1002: match, 1001: of.kept} {
			if c := judgement(t, immediate(response(200, of.body(1001)), response(200, of.body(first)), counted)); c.Verdict != want {
				t.Errorf("%s counted from %d: %q", of.what, first, lines(c))
			}
		}
	}

	for kind, want := range map[string]comparator.Verdict{"order": presumed, "product": match} {
		known := knows("order #1001=#2001", kind+" #77=#1001")
		if c := judgement(t, immediate(response(200, `{"quantities":{"1001":3}}`), response(200, `{"quantities":{"1001":3}}`), known)); c.Verdict != want {
			t.Errorf("a key that is the candidate's name for some %s: %q", kind, lines(c))
		}
	}

	// What found no room in the record is not known to be right.
	dropped := immediate(response(200, `{"a":"x"}`), response(200, `{"a":"x"}`), pairs, func(r *understudyv1.Replay) { r.SubstitutionsDropped = 2 })
	if c := judgement(t, dropped); c.Verdict != comparator.Incomplete || c.Incomplete == "" {
		t.Errorf("dropped: %q", lines(c))
	}

	// The client had said so itself.
	echo := immediate(response(200, `{"q":"inv-`+uuid1+`.pdf"}`), response(200, `{"q":"inv-`+uuid1+`.pdf"}`), pairs, func(r *understudyv1.Replay) {
		r.Exchange.Request.Target = []byte("/search?q=inv-" + uuid1 + ".pdf")
	})
	if c := judgement(t, echo); c.Verdict != presumed {
		t.Errorf("echo: %q", lines(c))
	}
}

// TestNextOfASeries: where both systems count, the candidate's name for one thing is
// the baseline's for the next. What was put in is not taken for that and put in again.
func TestNextOfASeries(t *testing.T) {
	pairs := knows("order #610001=#610002", "order #610002=#610003", "order #610003=#610004")
	for _, of := range []func(ids ...string) *understudyv1.Response{
		func(ids ...string) *understudyv1.Response { return response(200, `{"order_id":`+ids[0]+`}`) },
		func(ids ...string) *understudyv1.Response {
			return response(200, `{"order_ids":[`+ids[1]+`,`+ids[0]+`]}`)
		},
		func(ids ...string) *understudyv1.Response { return response(200, `{"order":`+ids[0]+`}`) },
		func(ids ...string) *understudyv1.Response { return response(200, `{"last_order":`+ids[0]+`}`) },
		func(ids ...string) *understudyv1.Response { return response(200, `{"order":{"id":"`+ids[0]+`"}}`) },
		func(ids ...string) *understudyv1.Response { return response(200, `{"href":"/orders/`+ids[0]+`"}`) },
		func(ids ...string) *understudyv1.Response {
			return response(200, `{"href":"/orders?ids=`+ids[1]+`,`+ids[0]+`"}`)
		},
		func(ids ...string) *understudyv1.Response {
			return typed("text/html", `<a href="/orders/`+ids[0]+`">x</a>`)
		},
		func(ids ...string) *understudyv1.Response {
			return typed("text/html", `<input name=order_id value=`+ids[0]+`>`)
		},
		func(ids ...string) *understudyv1.Response { return typed("text/csv", "order_id\n"+ids[0]+"\n") },
		func(ids ...string) *understudyv1.Response {
			return typed("application/xml", `<r><orderId>`+ids[0]+`</orderId></r>`)
		},
		func(ids ...string) *understudyv1.Response { return response(200, `{}`, "X-Order-Id: "+ids[0]) },
		func(ids ...string) *understudyv1.Response {
			return response(200, `{}`, "Link: </orders/"+ids[0]+">; rel=next")
		},
		func(ids ...string) *understudyv1.Response { return response(302, ``, "Location: /orders/"+ids[0]) },
		func(ids ...string) *understudyv1.Response { return response(200, `{}`, "Set-Cookie: order_id="+ids[0]) },
		func(ids ...string) *understudyv1.Response {
			return response(200, `{}`, "Refresh: 3; url=/orders/"+ids[0])
		},
		func(ids ...string) *understudyv1.Response {
			return response(200, `{}`, "Set-Cookie: a=b; Path=/orders/"+ids[0])
		},
		func(ids ...string) *understudyv1.Response { return response(302, ``, "Location: ../orders/"+ids[0]) },
	} {
		for candidate, want := range map[string]comparator.Verdict{"610003": comparator.Match, "610004": comparator.Mismatch, "610002": comparator.Mismatch} {
			r := immediate(of("610002", "610001"), of(candidate, "610002"), pairs, func(r *understudyv1.Replay) {
				r.Exchange.Request.Method, r.Exchange.Request.Target, r.Exchange.Request.Body = "GET", []byte("/orders/recent"), nil
			})
			if got := judgement(t, r); (got.Verdict == comparator.Match) != (want == comparator.Match) {
				t.Errorf("%s %s: %s, want %s: %v", of("ID", "first").GetBody().GetContent(), candidate, got.Verdict, want, lines(got))
			}
		}
	}
}

// TestNextOfASeriesInside: so it is where a document is a text in another one.
func TestNextOfASeriesInside(t *testing.T) {
	for _, format := range []string{
		`{"payload":"{\"order_id\":\"ID\"}"}`, `{"payload":"{\"order\":{\"id\":\"ID\"},\"note\":\"of ID\"}"}`, `{"payload":"[{\"url\":\"/orders/ID\"}]"}`,
		`{"payload":"{\"inner\":\"{\\\"order_id\\\":\\\"ID\\\"}\"}"}`,
	} {
		for _, ids := range [][4]string{
			{"ord_101", "ord_102", "ord_103", "ord_104"}, {"ORD-2026-0101", "ORD-2026-0102", "ORD-2026-0103", "ORD-2026-0104"},
			{"0b8f1c9e-7d02-4d6a-9c55-2f1f7c6a0001", "0b8f1c9e-7d02-4d6a-9c55-2f1f7c6a0002", "0b8f1c9e-7d02-4d6a-9c55-2f1f7c6a0003", "0b8f1c9e-7d02-4d6a-9c55-2f1f7c6a0004"},
			{"610001", "610002", "610003", "610004"},
		} {
			pairs := knows("order "+ids[0]+"="+ids[1], "order "+ids[1]+"="+ids[2], "order "+ids[2]+"="+ids[3])
			body := func(id string) *understudyv1.Response { return response(200, strings.ReplaceAll(format, "ID", id)) }
			for _, candidate := range ids {
				if ids[0] == "610001" && strings.Contains(format, "of ID") {
					continue // a number within words is presumed
				}
				r := immediate(body(ids[1]), body(candidate), pairs, func(r *understudyv1.Replay) {
					r.Exchange.Request.Method, r.Exchange.Request.Target, r.Exchange.Request.Body = "GET", []byte("/orders/recent"), nil
				})
				if got := judgement(t, r); (got.Verdict == comparator.Match) != (candidate == ids[2]) {
					t.Errorf("%s: %s there, %s here: %s, %v", format, ids[1], candidate, got.Verdict, lines(got))
				}
			}
		}
	}
	// Two things that the sides call the other way round.
	cross := knows("order ord_201=ord_202", "order ord_202=ord_201")
	for candidate, want := range map[string]comparator.Verdict{"ord_202": comparator.Match, "ord_201": comparator.Mismatch} {
		body := func(id string) *understudyv1.Response {
			return response(200, `{"payload":"{\"order_id\":\"`+id+`\"}"}`)
		}
		if got := judgement(t, immediate(body("ord_201"), body(candidate), cross)); got.Verdict != want {
			t.Errorf("%s: %s, want %s: %v", candidate, got.Verdict, want, lines(got))
		}
	}
}
