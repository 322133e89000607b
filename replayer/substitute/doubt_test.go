package substitute_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"understudy.dev/replayer/substitute"
)

// TestInDoubtNothingIsSent: what may be somebody else's, or is known under
// another name only, is unresolved; "-" stands for that.
func TestInDoubtNothingIsSent(t *testing.T) {
	f := func(request, want string, story ...step) {
		t.Helper()
		got := sends(t, substitute.NewMemory(""), story, request)
		if unresolved := strings.Contains(got, ": ") && strings.Contains(got, `"`) && !strings.HasPrefix(got, "/"); unresolved != (want == "-") || !unresolved && got != want {
			t.Errorf("%s\n got %s\nwant %s", request, got, want)
		}
	}
	made := func(what string, ids ...string) step {
		return step{"s POST " + what, `201 {"id":` + ids[0] + `}`, `201 {"id":` + ids[1] + `}`}
	}
	order := made("/orders {}", "17", "91")
	named := made("/orders {}", `"ord_1001"`, `"ord_2044"`)
	// The candidate gives a name twice, or one that it had shown before.
	f(`b DELETE /orders/18`, "-", order, step{`b POST /orders {}`, `201 {"id":18}`, `201 {"id":91}`})
	f(`s DELETE /orders/17`, "-", order, step{`b POST /orders {}`, `201 {"id":18}`, `201 {"id":91}`})
	five := step{`b GET /orders/5`, `200 {"id":5,"n":"x"}`, `200 {"id":5,"n":"x"}`}
	f(`s DELETE /orders/17`, "-", five, made("/orders {}", "17", "5"))
	// What is aligned is what somebody else made, or tells nothing.
	f(`s DELETE /tickets/17`, "-", step{`b POST /tickets {}`, `201 {"id":20}`, `201 {"id":23}`},
		step{`s GET /tickets`, `200 [{"id":17,"text":"x"}]`, `200 [{"id":23,"text":"x"}]`})
	f(`s DELETE /tickets/17`, "-", step{`s GET /tickets`, `200 [{"id":17,"status":"open"}]`, `200 [{"id":23,"status":"open"}]`})
	f(`s DELETE /tickets/17`, "-", step{`s GET /tickets/next`, `200 {"id":17,"text":"a"}`, `200 {"id":23,"text":"b"}`})
	f(`s DELETE /tickets/17`, "/tickets/23", step{`s GET /tickets/first`, `200 {"id":17,"text":"a"}`, `200 {"id":23,"text":"a"}`})
	f(`s POST /x {"order_id":"o-5048"}`, `/x {"order_id":"o-7"}`, step{`s GET /orders/9`, `200 {"id":"o-5048"}`, `200 {"id":"o-7"}`})
	// A name is used again after a DELETE, and without one.
	first, gone, again := made("/orders {}", "5", "7"), step{`s DELETE /orders/5`, `204`, `204`}, made("/orders {}", "5", "8")
	f(`s DELETE /orders/5`, "/orders/8", first, gone, again)
	f(`c GET /orders/5`, "/orders/8", first, gone, step{`b POST /orders {}`, again.recorded, again.candidate})
	f(`s GET /orders/5`, "/orders/7", first, gone)
	f(`s DELETE /orders/5`, "-", first, again)
	// The answer to a POST is about something else, or says that it failed.
	f(`s DELETE /orders/17`, "-", step{`s POST /orders {"by":"ann"}`, `201 {"id":17,"by":"ann"}`, `201 {"id":91,"by":"bob"}`})
	f(`s DELETE /orders/17`, "/orders/91", step{`s POST /orders {"by":"ann","n":1}`, `201 {"id":17,"by":"ann","n":1}`, `201 {"id":91,"by":"ann","n":2}`})
	f(`s DELETE /orders/17`, "-", step{`s POST /orders {}`, `201 {"id":17}`, `201 {"id":91,"error":"later"}`})
	f(`s DELETE /orders/17`, "-", step{`s POST /orders {}`, `201 {"id":17,"ok":true}`, `201 {"id":91,"ok":false}`})
	f(`s DELETE /users/3`, "-", step{`s POST /users {"filter":"first"}`, `200 {"id":3,"n":"ann"}`, `200 {"id":4,"n":"bob"}`})
	// It was made under another word, or the place does not say of what kind.
	f(`s GET /orders/17`, "-", made("/carts/5/checkout {}", "17", "91"))
	f(`s GET /carts/17`, "-", made("/carts/5/checkout {}", "17", "91"))
	f(`s GET /orders/17`, "/orders/17", made("/carts/5/checkout {}", "17", "17"))
	f(`s DELETE /users/17`, "-", made("/auth/register {}", "17", "91"))
	f(`s POST /payments {"order_id":17}`, "-", step{`s POST /checkout {}`, `201 {"order_id":17}`, `201 {"order_id":91}`})
	f(`s POST /comments {"resource_id":17}`, "-", order)
	f(`s POST /comments {"customer_id":17}`, `/comments {"customer_id":17}`, order)
	f(`s GET /calendar/2026/11/17`, "/calendar/2026/11/17", order)
	f(`s POST /rpc {"params":{"id":17}}`, "-", step{`s POST /rpc {}`, `200 {"result":{"id":17}}`, `200 {"result":{"id":91}}`}, order)
	f(`s POST /graphql {"query":"{a}","variables":{"id":"17"}}`, "-", step{`s POST /graphql {}`, `200 {"data":{"makeOrder":{"id":"17"}}}`, `200 {"data":{"makeOrder":{"id":"91"}}}`})
	f(`s POST /graphql {"query":"{order(id:17){total}}"}`, "-", order)
	f(`s GET /orders?since_id=17`, "-", order)
	// In more words than those of its kind.
	long := made("/orders {}", "1059", "1096")
	for _, member := range []string{"favourite_order_id", "copy_of_order_id", "replacesOrderId", "orderIdToCopy", "orderRef", "ref_order"} {
		f(`s POST /x {"`+member+`":1059}`, "-", long)
		f(`s GET /x?`+member+`=1059`, "-", long)
		f(`s POST /x {"`+member+`":1060}`, `/x {"`+member+`":1060}`, long)
	}
	f(`s POST /x {"order_total":1059,"quantity":1059}`, `/x {"order_total":1059,"quantity":1059}`, long)
	f(`s GET /repos/blog/issues/1`, "-", made("/repos/shop/issues {}", "1", "5"))
	f(`s GET /repos/shop/issues/1`, "/repos/shop/issues/5", made("/repos/shop/issues {}", "1", "5"))
	// It stands, or is spelled, where nothing is replaced.
	const uuid = "3f2b8c1e-aaaa-4bbb-8ccc-1234567890ab"
	unique := made("/orders {}", `"`+uuid+`"`, `"9d0e7f6a-1111-4222-8333-ba0987654321"`)
	for _, spelled := range []string{strings.ToUpper(uuid), strings.ReplaceAll(uuid, "-", ""), "urn:uuid:" + uuid} {
		f(`s DELETE /orders/`+spelled, "-", unique)
	}
	for _, within := range []string{
		`GET /files/inv_` + uuid + `_1.pdf`, `GET /x X-Trace: abc-` + uuid + `; `, `GET /x Referer: http://h/a#` + uuid + `; `, `GET /a%2Forders%2F` + uuid,
		"POST /x Content-Type: text/plain;charset=latin1; caf\xe9 " + uuid, "POST /x Content-Type: application/octet-stream; \x00\xff" + uuid,
		"POST /x Content-Type: application/json; \xfe\xff" + wide(`{"a":"`+uuid+`"}`), `POST /x {"cursor":"` + base64.StdEncoding.EncodeToString([]byte("Order:"+uuid)) + `"}`,
		`POST /graphql {"query":"{node(id:\"` + base64.StdEncoding.EncodeToString([]byte("Order:"+uuid)) + `\"){id}}"}`,
	} {
		f("s "+within, "-", unique)
	}
	f(`s POST /x Host: api.shop.example; {"a":"https://other.example/`+uuid+`.pdf"}`, `/x Host: api.shop.example; {"a":"https://other.example/`+uuid+`.pdf"}`, unique)
	f(`s POST /x Content-Type: application/xml; <o id="ord_1001"/>`, "-", named)
	f(`s POST /x Content-Type: application/xml; <o><order_id>17</order_id></o>`, "-", order)
	f(`s POST /x Content-Type: application/xml; <o id="ord_7"/>`, `/x <o id="ord_7"/>`, named)
	f("s POST /x Content-Type: multipart/form-data;boundary=b; --b\r\nContent-Disposition: form-data;name=\"order_id\"\r\n\r\n17\r\n--b--\r\n", "-", order)
	part := func(header, content string) string {
		return "s POST /x Content-Type: multipart/related;boundary=b; --b\r\n" + header + "\r\n\r\n" + content + "\r\n--b--\r\n"
	}
	const file = `Content-Disposition: form-data;name="f";filename="f"`
	f(part(file+"\r\nContent-Type: application/json", `{"order_id":17}`), "-", order)
	f(part(file+"\r\nContent-Type: text/csv", "a,ord_1001"), "-", named)
	f(part("Content-Type: application/xml", `<o><order_id>17</order_id></o>`), "-", order)
	f(part("Content-Type: application/json", `{"text":"`+strings.Repeat("long ", 1000)+`","order_id":17}`), "-", order)
	f(`s POST /x Content-Type: application/xml; <o>`+strings.Repeat("<a>x</a>", 5000)+`<o id="ord_1001"/></o>`, "-", named)
	f(`s POST /x Content-Type: text/csv; a,ord_1001`, "-", named)
	f(`s PATCH /x Content-Type: application/json-patch+json; [{"op":"remove","path":"/orders/17"}]`, "-", order)
	f(`s POST /x {"payload":"{\"order_id\":17}"}`, "-", order)
	f(`s GET /x?$filter=order_id%20eq%2017`, "-", order)
	f(`s POST /x {"href":"orders/17"}`, "-", order)
	f(`s POST /x {"data":{"type":"orders","id":"17"}}`, "-", order)
	f(`s POST /x {"orders":[17]}`, "-", order)
	f(`s DELETE /orders;id=17`, "-", order)
	// These types are looked at for what they hold, and lists of names are.
	f(`s POST /x Content-Type: text/plain; {"order_id":17}`, `/x {"order_id":91}`, order)
	f("s POST /x Content-Type: application/x-ndjson; {\"order_id\":17}\n{\"order_id\":17}", "/x {\"order_id\":91}\n{\"order_id\":91}", order)
	f(`s POST /orders/bulk-delete {"ids":[17]}`, `/orders/bulk-delete {"ids":[91]}`, order)
	f(`s GET /orders?ids=17,18`, `/orders?ids=91,92`, order, made("/orders {}", "18", "92"))
	f(`s GET /orders/17,18`, `/orders/91,92`, order, made("/orders {}", "18", "92"))
	f(`s GET /x?order%5Bid%5D=17`, `/x?order%5Bid%5D=91`, order)
	// It is only called like what was made, or is told apart by what is around it.
	for _, request := range []string{
		`POST /pay {"order":17}`, `POST /pay {"order":"17"}`, `POST /pay {"parent_order":17}`, `GET /x?order=17`, `GET /x X-Order: 17; `,
		`POST /x Content-Type: application/x-www-form-urlencoded; order=17`, `POST /x Content-Type: application/x-www-form-urlencoded; orders[]=17`,
		`GET /x X-Ctx: order=17;line=2; `, `GET /m;order=17/x`, `GET /x X-Json: {"order":"17"}; `, `POST /x Content-Type: application/yaml; order: 17`,
		`POST /x Content-Type: application/graphql; {order(id:"17"){total}}`, `POST /x Content-Type: application/xml; <order id="17"/>`,
		`POST /x Content-Type: application/xml; <x><order id="17"/></x>`, `GET /orders/17:3`,
		`POST /x {"favourite_order_id":17}`, `POST /x {"replacesOrderId":17}`, `POST /x {"orderIdToCopy":17}`, `POST /x {"orderRef":17}`, `POST /x {"ref_order":17}`,
		`GET /x?favourite_order_id=17`, `GET /files/order-17.pdf`, `POST /x Content-Type: text/plain; order 17 please`,
	} {
		f("s "+request, "-", order)
	}
	f(`s POST /x {"order_count":17,"orders_total":17,"border_id":17}`, `/x {"order_count":17,"orders_total":17,"border_id":17}`, order)
	f(`s POST /x {"order":18,"line":17}`, `/x {"order":18,"line":17}`, order)
	f(`s POST /pay {"order":17}`, `/pay {"order":17}`, made("/orders {}", "17", "17"))
	f(`s POST /pay {"order":17}`, "-", step{"s POST /orders {}", `201 {"id":17}`, `422 {}`})
	f(`s GET /x?order_ids=17,18`, `/x?order_ids=91,92`, order, made("/orders {}", "18", "92"))
	f(`s POST /x {"order_ids":"17,18"}`, `/x {"order_ids":"91,92"}`, order, made("/orders {}", "18", "92"))
	f(`s GET /orders/17:cancel`, `/orders/91:cancel`, order)
	// What the candidate refuses leads to another's.
	taken := step{`s POST /orders {}`, `201 Location: /orders/17; {"id":17}`, `409 Location: /orders/77; {"id":77}`}
	f(`s DELETE /orders/17`, "-", taken)
	f(`s PUT /orders/17 {"order_id":17}`, "-", taken)
	// What is read, not listed: the person who asks, parts of an overview, finds.
	me := func(path, of string) step {
		return step{"s GET " + path, "200 " + fmt.Sprintf(of, 1001), "200 " + fmt.Sprintf(of, 7001)}
	}
	ann := me("/me", `{"id":%d,"name":"Ann Miller"}`)
	f(`s PUT /users/1001 {}`, `/users/7001 {}`, ann)
	f(`s POST /x {"user_id":1001}`, `/x {"user_id":7001}`, ann)
	other := step{ann.request, ann.recorded, `200 {"id":7001,"name":"Bob"}`}
	f(`s PUT /users/1001 {}`, "-", other)
	f(`s POST /x {"user_id":1001}`, "-", other)
	f(`s DELETE /orders/1001`, "-", step{"s GET /dashboard", `200 {"latest_order":{"id":1001}}`, `200 {"latest_order":{"id":7001}}`})
	f(`s POST /x {"order_id":1001}`, "-", step{"s GET /dashboard", `200 {"latest_order":{"id":1001}}`, `200 {"latest_order":{"id":7001}}`})
	f(`s DELETE /orders/1001`, "-", me("/dashboard", `{"latest_order":{"id":%d,"text":"two blue ones"}}`))
	f(`s PUT /users/1001 {}`, "-", me("/search", `{"results":[{"id":%d,"name":"Ann Miller"}]}`))
	f(`s PUT /users/1001 {}`, `/users/1001 {}`, step{"s GET /search", `200 {"results":[{"id":1001}]}`, `200 {"results":[{"id":1001}]}`})
	for _, request := range []string{`POST /x {"tenant_id":2005}`, `POST /x {"tenant":{"id":2005}}`, `GET /x X-Tenant-Id: 2005; `} {
		f("s "+request, "-", step{"s GET /whoami", `200 {"tenant_id":2005}`, `200 {"tenant_id":8005}`})
	}
	page := me("/page", `{"html":"<a href='/orders/%d'>two blue ones</a>"}`)
	f(`s POST /orders/1001/pay`, "-", page)
	f(`s POST /x {"status_id":2}`, `/x {"status_id":2}`, step{"s GET /whoami", `200 {"status_id":2}`, `200 {"status_id":3}`})
	// Users and customers may be counted each by themselves.
	customer := made("/customers {}", "10001", "90001")
	f(`s GET /users/10001`, "-", customer)
	f(`s GET /customers/10001`, "/customers/90001", customer)
	login := step{`s POST /login {"name":"ann"}`, `200 {"user":{"id":10001,"name":"ann"}}`, `200 {"user":{"id":"c-9001","name":"ann"}}`}
	f(`s POST /orders {"customer_id":10001}`, `/orders {"customer_id":"c-9001"}`, login)
	f(`s GET /users/ann-1`, "/users/c-77", made("/customers {}", `"ann-1"`, `"c-77"`))
	// Composed names are names of their own.
	line := made("/orders/7/lines {}", `"7:12"`, `"47:99"`)
	f(`s GET /lines/7:12`, `/lines/47:99`, line)
	f(`s GET /lines/7:13`, "-", made("/orders {}", "7", "47"), line)
	for _, name := range []string{"7:8", "7.12", "7-12", "7~8", "o-7:o-8"} {
		f(`s GET /orders/`+name, "-", made("/orders {}", "7", "47"), made("/orders {}", `"o-7"`, `"o-9"`))
	}
	f(`s POST /x {"order_id":"7:12"}`, "-", made("/orders {}", "7", "47"))
	f(`s GET /reports/2026-11`, `/reports/2026-11`, made("/orders {}", "11", "47"))
	// It stands in an answer that is no plain JSON.
	for _, answer := range []string{
		`Content-Type: application/x-www-form-urlencoded; id=%d&qty=3 pieces`, "Content-Type: multipart/mixed;boundary=b; --b\r\nContent-Type: application/json\r\n\r\n{\"id\":%d}\r\n--b--\r\n",
		"Content-Type: text/event-stream; event: made\ndata: {\"order_id\":%d}\n\n", `Content-Type: application/javascript; made({"order_id":%d});`,
		"Content-Type: text/csv; order_id,qty\n%d,3\n", "Content-Type: application/yaml; order_id: %d\nqty: 3\n", `{"status":201,"body":"{\"order_id\":%d}"}`,
		`Content-Type: text/plain; created order %d for you`,
	} {
		made := step{"s POST /orders {}", "201 " + fmt.Sprintf(answer, 1002), "201 " + fmt.Sprintf(answer, 7002)}
		f(`s DELETE /orders/1002`, "-", made)
		f(`s POST /x {"order_id":1002}`, "-", made)
		f(`s DELETE /orders/1002`, "/orders/1002", step{made.request, made.recorded, made.recorded})
	}
	for _, utf16 := range []string{"Content-Type: application/json;charset=utf-16; ", "Content-Type: application/json; \xfe\xff"} {
		f(`s DELETE /orders/1002`, "/orders/7002", step{"s POST /orders {}", "201 " + utf16 + wide(`{"id":1002}`), "201 " + utf16 + wide(`{"id":7002}`)})
	}
	f(`b GET /orders/1002/items`, "/orders/7002/items", step{"s POST /orders {}", "201 \ufeff{\"id\":1002}", "201 \ufeff{\"id\":7002}"})
	f(`s DELETE /orders/1002`, "-", step{"s POST /orders {}", "201 Content-Type: application/msgpack; \x81\xa2id\xcd\x03\xea", "201 Content-Type: application/msgpack; \x81\xa2id\xcd\x1b\x5a"})
	for _, answer := range []string{`<o><ref>%s</ref></o>`, `Content-Type: text/plain; made %s`, `["%s"]`} {
		made := step{"s POST /orders {}", "201 " + fmt.Sprintf(answer, uuid), "201 " + fmt.Sprintf(answer, "9d0e7f6a-1111-4222-8333-ba0987654321")}
		f(`b DELETE /orders/`+uuid, "-", made)
	}
	// The client had said it before it was made, or means something else by it.
	guess := step{`s GET /purchase_orders/5`, `404 {}`, `404 {}`}
	f(`s PUT /purchase_orders/5 {}`, `/purchase_orders/705 {}`, guess, made("/purchase_orders {}", "5", "705"))
	refund := step{`s POST /orders/5/refund`, `201 {"id":5,"order_id":5}`, `201 {"id":905,"order_id":45}`}
	f(`s GET /refunds/5`, "-", made("/orders {}", "5", "45"), refund)
	f(`s GET /orders?after=4`, "-", step{`s GET /orders`, `200 [{"id":3,"n":"a"},{"id":4,"n":"b"}]`, `200 [{"id":53,"n":"a"},{"id":54,"n":"b"}]`})
	// A token of redaction is nobody's secret.
	const redacted = "rdx_9WpiAAAAAAAAAAAAAAAAAA"
	f(`s GET /x?token=`+redacted, "-")
	f(`s GET /reset/`+redacted, "-")
	f(`s GET /x Referer: http://h/a?token=`+redacted+`; `, `/x Referer: ;`)
	// Beside the name every byte stays, and another system's links do.
	f(`s GET /search?q=see%20ord_1001&next=/orders/17`, `/search?q=see%20ord_2044&next=/orders/91`, named, order)
	f(`s POST /x {"t":"caf\u00e9 \ud800 ord_1001"}`, `/x {"t":"caf\u00e9 \ud800 ord_2044"}`, named)
	f(`s POST /x Host: api.shop.example; {"a":"https://other.example/orders/17","b":"https://www.shop.example/orders/17"}`,
		`/x Host: api.shop.example; {"a":"https://other.example/orders/17","b":"https://www.shop.example/orders/91"}`, order)
	f(`s POST /x {"mail":"user0017@x.example"}`, `/x {"mail":"user0017@x.example"}`, made("/users {}", `"user0017"`, `"user0091"`))
	// Answers that are no JSON objects, or hold further names.
	f(`s DELETE /orders/17`, "-", step{`s POST /orders {}`, `201 Content-Type: text/plain; 17`, `201 Content-Type: text/plain; 91`})
	f(`s DELETE /orders/17`, "-", step{`s POST /orders {}`, `201 17`, `201 91`})
	f(`s DELETE /orders/17`, "-", step{`s POST /orders {}`, `201 <order id="17"/>`, `201 <order id="91"/>`})
	f(`s DELETE /orders/17`, "/orders/17", step{`s POST /orders {}`, `201 <order id="17"/>`, `201 <order id="17"/>`})
	f(`s DELETE /issues/17`, "-", step{`s POST /issues {}`, `201 {"id":9001,"number":17}`, `201 {"id":9002,"number":91}`})
	f(`s DELETE /orders/17`, "-", step{`s POST /orders {}`, `201 {"order":17}`, `201 {"order":91}`})
	f(`s DELETE /specs/1.2`, "-", made("/specs {}", `"1.2"`, `"1.3"`))
	f(`s DELETE /tags/A%20B`, "-", made("/tags {}", `"A B"`, `"B C"`))
	f(`s GET /orders/17`, "-", step{`s POST /orders {}`, `409 {"existing_order_id":17}`, `409 {"existing_order_id":91}`})
	// Another session saw it, and the candidate calls it otherwise or failed then.
	f(`b DELETE /things/17`, "-", step{`a GET /things`, `200 [{"id":17,"t":"x"}]`, `200 [{"id":91,"t":"x"}]`})
	f(`b DELETE /things/17`, "/things/17", step{`a GET /things`, `200 [{"id":17,"t":"x"}]`, `200 [{"id":17,"t":"x"}]`})
	f(`b DELETE /things/17`, "/things/17", step{`a GET /things`, `200 [{"id":17,"t":"x"}]`, `500`})
	// Parts of what is sent, second names and answers without members.
	f(`s PUT /orders/17 {"content":{"id":17},"values":[{"id":17}]}`, `/orders/91 {"content":{"id":17},"values":[{"id":17}]}`, order)
	f(`s DELETE /users/501`, "-", step{`s POST /users {}`, `201 {"id":17,"uid":501}`, `201 {"id":91,"uid":777}`})
	f(`s DELETE /notes/1`, "-", step{`s GET /notes`, `200 [1,2]`, `200 [8,9]`})
	f(`s DELETE /notes/1`, "-", step{`s GET /notes`, `200 {"1":{"t":"a"}}`, `200 {"9":{"t":"a"}}`})
	f(`s POST /x {"pad":"`+strings.Repeat("x", 1<<20)+`","order_id":17}`, "-", order)
	// Cursors, and what is no name.
	for _, member := range []string{"next_cursor", "nextPageToken"} {
		page := func(side string) string { return `200 {"` + member + `":` + side + `}` }
		f(`s GET /orders?cursor=YWJjZGVm`, "/orders?cursor=ZYXWVUTS", step{`s GET /orders`, page(`"YWJjZGVm"`), page(`"ZYXWVUTS"`)})
		f(`s GET /orders?pageToken=1017`, "/orders?pageToken=2017", step{`s GET /orders`, page("1017"), page("2017")})
		f(`s GET /orders?pageToken=1017`, "-", step{`s GET /orders`, page("1017"), "200 {}"})
		f(`s GET /orders?pageToken=1017`, "-", step{`s GET /orders`, page("1017"), ""})
		f(`s GET /orders?cursor=1017`, "/orders?cursor=1017", step{`s GET /orders`, page("1017"), page("1017")})
	}
	f(`s POST /chats {"model":"gpt-4o-mini"}`, `/chats {"model":"gpt-4o-mini"}`, step{`s GET /config`, `200 {"model":"gpt-4o-mini"}`, `500`})
}

// wide is a text in UTF-16, big-endian.
func wide(s string) (out string) {
	for _, c := range []byte(s) {
		out += "\x00" + string(c)
	}
	return out
}
