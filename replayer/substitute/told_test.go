package substitute_test

import (
	"strings"
	"testing"

	"understudy.dev/replayer/substitute"
)

// TestWhatIsBesideAValueTellsWhatItIs: a number stands for a thing by its place, or
// by what the request says of it elsewhere. "-" is a request that is not sent.
func TestWhatIsBesideAValueTellsWhatItIs(t *testing.T) {
	make := func(what, id, own string) step {
		return step{"s POST /" + what + " {}", `201 {"id":` + id + `}`, `201 {"id":` + own + `}`}
	}
	orders := []step{make("orders", "7", "107"), make("orders", "8", "108"), make("products", "12", "112"), make("customers", "10001", "90001")}
	f := func(request, want string) {
		t.Helper()
		got := sends(t, substitute.NewMemory(""), orders, "s "+request)
		if unresolved := strings.Contains(got, " of exchange e"); unresolved != (want == "-") || !unresolved && got != want {
			t.Errorf("%s\n got %s\nwant %s", request, got, want)
		}
	}
	// Lists of names, however they are joined, and names that are joined of others.
	for was, is := range map[string]string{"7|8": "107%7C108", "7;8": "107;108", "7+8": "107+108", "7%208": "107+108", "7,8": "107,108"} {
		f(`GET /orders?ids=`+was, `/orders?ids=`+is)
	}
	f(`GET /orders?id__in=7,8`, `/orders?id__in=107,108`)
	f(`POST /x {"order_ids":"7|8|9"}`, `/x {"order_ids":"107|108|9"}`)
	f(`GET /orders/7|8`, `/orders/107|108`)
	for _, request := range []string{
		`GET /lines?id=8,12`, `POST /x {"line_id":"8,12"}`, `POST /x {"key":"8|12"}`, `GET /lines/8,12`, `GET /lines/8;12`, `GET /orders/7..8`, `GET /orders?ids=7..8`,
		`GET /lines(order=7,product=12)`, `GET /map/order=7/a`, `GET /orders?ids=[7,8]`,
	} {
		f(request, "-")
	}
	f(`GET /points?at=8,12`, `/points?at=8,12`)
	f(`GET /lines/9,13`, `/lines/9,13`)
	f(`GET /orders/7.json`, `/orders/107.json`)
	f(`GET /orders?id=in.(7,8)`, `/orders?id=in.(107,108)`)
	f(`PATCH /orders/7 Content-Type: application/json-patch+json; [{"op":"replace","path":"/customer_id","value":10001}]`, `/orders/107 [{"op":"replace","path":"/customer_id","value":90001}]`)
	f(`PATCH /orders/7 [{"op":"add","path":"/order_id","value":7}]`, `/orders/107 [{"op":"add","path":"/order_id","value":107}]`)
	// Another member says what it is.
	for _, request := range []string{
		`PATCH /x [{"op":"add","path":"/product_ids/0","value":12}]`,
		`POST /x {"filter":[{"field":"order_id","op":"eq","value":"7"}]}`, `POST /x {"key":"order_id","value":[7]}`, `POST /x {"kind":"order","ref":7}`,
		`POST /x {"subject_type":"App\\Models\\Order","subject_id":"7"}`, `POST /x {"commentableType":"Order","commentableId":7}`, `POST /x {"order":{"number":7}}`,
		`POST /graphql {"query":"mutation($o:ID!){cancelOrder(orderId:$o){id}}","variables":{"o":"7"}}`,
		`POST /graphql {"query":"mutation($o:[ID!]){drop(orderIds:[$o]){id}}","variables":{"o":["7"]}}`,
		`DELETE /orders [7,8]`, `POST /orders/delete ["7"]`, `POST /x {"order_list":[7]}`, `POST /orders/bulk {"idList":[7]}`, `POST /x {"target":"arn:shop:order/7"}`,
	} {
		f(request, "-")
	}
	for _, request := range []string{
		`PATCH /orders/9 [{"op":"replace","path":"/n","value":7}]`, `POST /x {"filter":[{"field":"total","value":7}]}`, `POST /x {"type":"invoice","value":7}`,
		`POST /x {"order":{"lines":7}}`, `POST /graphql {"query":"{list(first:$o){id}}","variables":{"o":7}}`, `DELETE /invoices [7,8]`, `POST /x {"target":"a/b/9"}`,
	} {
		f(request, strings.Join(strings.Fields(request)[1:], " "))
	}
	f(`PATCH /orders/7 {"data":{"type":"orders","id":"7"}}`, `/orders/107 {"data":{"type":"orders","id":"107"}}`)
	f(`POST /graphql {"query":"mutation($orderId:ID!){drop(orderId:$orderId){id}}","variables":{"orderId":"7"}}`,
		`/graphql {"query":"mutation($orderId:ID!){drop(orderId:$orderId){id}}","variables":{"orderId":"107"}}`)
	// An id with a verb is that of what something is done with.
	for _, request := range []string{
		`POST /cancel {"id":7}`, `POST /approve?id=7`, `GET /view/7`, `POST /orders/bulk {"operations":[{"op":"delete","id":7}]}`, `POST /orders/bulk {"delete":[7]}`,
		`POST /orders/bulk {"selected_ids":[7]}`, `POST /_bulk {"delete":{"_index":"orders","_id":"7"}}`, `PUT /carts/5 {"quantities":{"12":3}}`, `POST /move {"from":7,"to":8}`,
		`POST /x {"ids":{"7":true}}`,
	} {
		f(request, "-")
	}
	for _, path := range []string{"edit", "view", "details", "id", "by-id"} {
		f(`GET /orders/`+path+`/7`, `/orders/`+path+`/107`)
	}
	f(`POST /orders/search {"filter":{"id":7,"total":7}}`, `/orders/search {"filter":{"id":107,"total":7}}`)
	f(`POST /orders/delete {"where":{"ids":[7]}}`, `/orders/delete {"where":{"ids":[107]}}`)
	f(`POST /cancel {"id":9}`, `/cancel {"id":9}`)
	f(`PUT /carts/5 {"quantity":12,"hours":{"9":3}}`, `/carts/5 {"quantity":12,"hours":{"9":3}}`)
	// It is spelled otherwise, or has a title.
	for _, path := range []string{"07", "+7", "7%20", "(7)", "'7'", "@7", "7-two-blue-ones", "two-blue-ones-7", "order7", "order_7_a.pdf"} {
		f(`GET /orders/`+path, "-")
	}
	f(`POST /x {"order_id":"#7"}`, "-")
	f(`GET /orders/9-two-blue-ones`, `/orders/9-two-blue-ones`)
	f(`GET /reports/2026-07`, `/reports/2026-07`)
	orders = append(orders, make("orders", `"O-7"`, `"P-8"`))
	f(`GET /orders/O-7/lines`, `/orders/P-8/lines`) // that is its name, not a title of 7
	// A client of OAuth is an application (RFC 6749), elsewhere it is a customer.
	const grant = `POST /oauth/token Content-Type: application/x-www-form-urlencoded; `
	f(grant+`grant_type=password&client_id=10001`, `/oauth/token grant_type=password&client_id=10001`)
	f(`POST /oauth/token {"grant_type":"password","client_id":"10001"}`, `/oauth/token {"grant_type":"password","client_id":"10001"}`)
	f(`GET /authorize?response_type=code&client_id=10001`, `/authorize?response_type=code&client_id=10001`)
	f(`GET /x X-Client-Id: 10001; `, `/x X-Client-Id: 10001;`)
	f(`POST /x {"client_id":10001}`, `/x {"client_id":90001}`)
	orders = append(orders, make("clients", "17", "91"))
	f(grant+`grant_type=password&client_id=17`, `/oauth/token grant_type=password&client_id=91`)
}

// TestWhatThreeUsersAreCalled: the candidate's third user is the first one's
// friend, whoever asks.
func TestWhatThreeUsersAreCalled(t *testing.T) {
	user := func(request, session, baseline, candidate string, status string) step {
		body := func(id string) string { return status + ` {"id":` + id + `,"name":"x` + baseline + `"}` }
		return step{session + " " + request, body(baseline), body(candidate)}
	}
	const me, join = "GET /me", "POST /users {}"
	shown := []step{user(me, "a", "3", "5", "200"), user(me, "b", "5", "3", "200"), user(me, "c", "4", "4", "200")}
	made := []step{user(join, "a", "3", "5", "201"), user(join, "b", "5", "3", "201"), user(join, "c", "4", "4", "201")}
	f := func(request, want string, story []step) {
		t.Helper()
		got := sends(t, substitute.NewMemory(""), story, request)
		if unresolved := strings.Contains(got, " of exchange e"); unresolved != (want == "-") || !unresolved && got != want {
			t.Errorf("%s\n got %s\nwant %s", request, got, want)
		}
	}
	// What one session was shown is not known in another.
	f("a GET /users/3", "/users/5", shown)
	f("b GET /users/5", "/users/3", shown)
	f("c GET /users/3", "-", shown)
	f("d GET /users/5", "-", shown)
	f("d GET /users/4", "/users/4", shown)
	f(`c POST /messages {"user_id":5}`, "-", shown)
	// What was made is known in all, in whatever role.
	f("a PUT /users/3/friends/5", "/users/5/friends/3", made)
	f("c PUT /users/3/followers/5", "/users/5/followers/3", made)
	f(`c POST /tasks {"assignee_id":3,"watcher_ids":[5,4]}`, `/tasks {"assignee_id":5,"watcher_ids":[3,4]}`, made)
	f(`c POST /mails {"cc":[5]}`, "-", made)
	f(`a POST /mails {"to":3}`, "-", made)
	f(`c POST /mails {"size":3}`, `/mails {"size":3}`, made)
}

// TestNamesWithinValues: in the values of forms, and with operators beside them.
func TestNamesWithinValues(t *testing.T) {
	order := step{"s POST /orders {}", `201 {"id":7}`, `201 {"id":"a7"}`}
	f := func(request, want string) {
		t.Helper()
		got := sends(t, substitute.NewMemory(""), []step{order}, "s "+request)
		if unresolved := strings.Contains(got, " of exchange e"); unresolved != (want == "-") || !unresolved && got != want {
			t.Errorf("%s\n got %s\nwant %s", request, got, want)
		}
	}
	const form = `POST /x Content-Type: application/x-www-form-urlencoded; `
	f(form+`json=%7B%22order_id%22%3A7%7D`, "-")
	f(form+`json=%7B%22count%22%3A7%7D`, `/x json=%7B%22count%22%3A7%7D`)
	f(`GET /x?filter[order_id][eq]=7&filter[n][eq]=7`, `/x?filter[order_id][eq]=a7&filter[n][eq]=7`)
	f(`GET /x?order_id!=7`, `/x?order_id!=a7`)
	for _, request := range []string{
		`GET /x?order_id=!7`, `POST /x {"order@odata.bind":"orders(7)"}`, `POST /x {"method":"deleteOrder","args":[7]}`,
		`POST /orders {"copy_from":7}`, `GET /x X-Resource: orders/7; `,
	} {
		f(request, "-")
	}
}
