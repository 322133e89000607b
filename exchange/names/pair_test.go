package names_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"understudy.dev/exchange/names"
	"understudy.dev/exchange/timestamp"
)

// pair reads "kind baseline=candidate"; a # before a name makes it a number.
func pair(text string) names.Pair {
	kind, both, _ := strings.Cut(text, " ")
	b, c, _ := strings.Cut(both, "=")
	value := func(s string) names.Value {
		digits, number := strings.CutPrefix(s, "#")
		return names.Value{Text: digits, Number: number}
	}
	return names.Pair{Kind: kind, Baseline: value(b), Candidate: value(c), From: "e1", Proof: names.Created}
}

func pairsOf(texts ...string) *names.Pairs {
	s := &names.Pairs{}
	for _, text := range texts {
		s.Add(pair(text))
	}
	return s
}

func TestTranslate(t *testing.T) {
	const uuid, other = "4f1c2d3e-1111-4222-8333-444455556666", "9f1c2d3e-1111-4222-8333-444455557777"
	pairs := pairsOf("order #10000=#20000", "order #17=#18", "order #18=#19", "customer #7=#9", "note n-52=n-51", "user #10201=a3f1",
		"user #9044=#9057", "user #904=#905",
		"ticket kqzvb=wtrpl", "doc "+uuid+"="+other, "line abc=#5", "order #3=#3")
	document := func(target, in, want string) {
		t.Helper()
		if got := string(names.NewTranslator(pairs, target).Answering("GET").JSON([]byte(in))); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
	// An amount is no order, though it is the same number.
	document("/payments", `{"order_id":10000,"amount":10000}`, `{"order_id":20000,"amount":10000}`)
	document("/orders", `{"id":17,"next_id": 18,"page":17}`, `{"id":18,"next_id": 19,"page":17}`)
	document("/orders", `{"order":17,"customer":7,"customer_id":7,"id":7}`, `{"order":17,"customer":7,"customer_id":9,"id":7}`)
	document("/orders", `{"reorder_of":17,"duplicateOf":18,"part_of":17,"count_of":17}`, `{"reorder_of":18,"duplicateOf":19,"part_of":17,"count_of":17}`)
	document("/tickets", `{"reply_to":"kqzvb","text":"kqzvb"}`, `{"reply_to":"wtrpl","text":"kqzvb"}`)
	document("/x", `{"customer_id":9044,"member_id":904,"amount":9044}`, `{"customer_id":9044,"member_id":904,"amount":9044}`) // counted by itself, perhaps
	document("/x", `{"order_id":{"eq":17},"where":{"order":{"id":{"$in":[18]}}},"eq":17}`, `{"order_id":{"eq":18},"where":{"order":{"id":{"$in":[19]}}},"eq":17}`)
	document("/x", `{"order_ids":"17, 18,4","latest_order":{"id":17},"counts":"17,18"}`, `{"order_ids":"18, 19,4","latest_order":{"id":18},"counts":"17,18"}`)
	document("/x", `{"order_ids":"17|18;4","next_order_id":"17 18","note_id":"order 17 18","orders":"17|18"}`, `{"order_ids":"18|19;4","next_order_id":"18 19","note_id":"order 17 18","orders":"17|18"}`)
	document("/orders/search", `{"filter":{"id":17},"where":{"ids":[18]},"total":{"id":17}}`, `{"filter":{"id":18},"where":{"ids":[19]},"total":{"id":17}}`)
	document("/x", `{"friends":[{"id":10201}],"cc_ids":[10201],"order__in":17,"order_id__in":"17,18"}`, `{"friends":[{"id":"a3f1"}],"cc_ids":["a3f1"],"order__in":17,"order_id__in":"18,19"}`)
	document("/x", `{"orders":[{"id":17},{"id":3}],"customer":{"id":7}}`, `{"orders":[{"id":18},{"id":3}],"customer":{"id":9}}`)
	document("/x", `{"order_ids":[17,18,4],"counts":[17,18]}`, `{"order_ids":[18,19,4],"counts":[17,18]}`)
	// Of another type: a number becomes a text, and back.
	document("/x", `{"user_id":10201,"userId":"10201","owner_id":10201}`, `{"user_id":"a3f1","userId":"a3f1","owner_id":"a3f1"}`)
	document("/lines", `{"id":"abc"}`, `{"id":5}`)
	// A word stands only where its kind does.
	document("/tickets", `{"id":"kqzvb","text":"kqzvb","ticket_id":"kqzvb"}`, `{"id":"wtrpl","text":"kqzvb","ticket_id":"wtrpl"}`)
	document("/x", `{"a":"`+uuid+`","b":"see `+uuid+`.","c":"x`+uuid+`"}`, `{"a":"`+other+`","b":"see `+other+`.","c":"x`+uuid+`"}`)
	document("/x", `{"message":"order 10000 and n-52","n":"n-52"}`, `{"message":"order 10000 and n-51","n":"n-51"}`)
	document("/x", `{"t":"I would like to order 17 pizzas, see n-52."}`, `{"t":"I would like to order 17 pizzas, see n-51."}`)
	document("/x", `{"order_id_0":17,"ids[order_id]":17,"order_ids[]":[17]}`, `{"order_id_0":18,"ids[order_id]":18,"order_ids[]":[18]}`)
	// Keys of maps, links, escapes.
	document("/x", `{"orders":{"17":{"n-52":17}}}`, `{"orders":{"18":{"n-51":17}}}`)
	document("/x", `{"by_order":{"17":1},"totals_by_customer":{"7":1},"OrdersById":{"17":1},"counts":{"17":1},"perOrder":{"17":1}}`,
		`{"by_order":{"18":1},"totals_by_customer":{"9":1},"OrdersById":{"18":1},"counts":{"17":1},"perOrder":{"18":1}}`)
	document("/x", `{"self":"/orders/17/items?order_id=18&page=17","u":"https://h/orders/17"}`,
		`{"self":"/orders/18/items?order_id=19&page=17","u":"https://h/orders/18"}`)
	document("/x", `{"note_id":"n\u002d52"}`, `{"note_id":"n-51"}`)
	document("/x", `not {"json" 17 [`, `not {"json" 17 [`)
	document("/x", ``, ``)

	target := func(in, want string) {
		t.Helper()
		if got := names.NewTranslator(pairs, in).Target(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	target("/orders/17", "/orders/18")
	target("/v1/orders/17/lines/17", "/v1/orders/18/lines/17")
	target("/customers/17", "/customers/17")
	target("/tickets/kqzvb/comments", "/tickets/wtrpl/comments")
	target("/users/10201?order=17&ORDER_ID=17&q=17", "/users/a3f1?order=17&ORDER_ID=18&q=17")
	target("/notes/n%2D52?", "/notes/n-51?")
	target("/orders", "/orders")

	tr := names.NewTranslator(pairs, "/orders")
	if got := string(tr.Form([]byte("order_id=17&amount=17&x"))); got != "order_id=18&amount=17&x" {
		t.Error(got)
	}
	if got := tr.Value("X-Order-Id", "17"); got != "18" {
		t.Errorf("header: %s", got)
	}
	if got := tr.Value("Link", "</orders/17>"); got != "</orders/17>" {
		t.Errorf("header: %s", got)
	}
	if uses := tr.Uses()[names.Use{Kind: "order", Baseline: "17", Candidate: "18"}]; uses != 2 {
		t.Errorf("%d uses: %v", uses, tr.Uses())
	}
}

// TestTargets: words for what is done with a thing stand before its name, and what
// looks like a name within another is none.
func TestTargets(t *testing.T) {
	pairs := pairsOf("order #17=#18", "order #19=#20", "customer #10201=#777")
	f := func(in, want string) {
		t.Helper()
		if got := names.NewTranslator(pairs, in).Target(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	f("/orders/edit/17", "/orders/edit/18")
	f("/orders/by-id/17/lines", "/orders/by-id/18/lines")
	f("/edit/17", "/edit/17")
	f("/orders/17,19|17", "/orders/18,20|18")
	f("/orders/17.json", "/orders/18.json")
	f("/orders/17..19", "/orders/17..19")
	f("/x?filter[order_id][eq]=17&filter[n][eq]=17&order_id!=19", "/x?filter[order_id][eq]=18&filter[n][eq]=17&order_id!=20")
	f("/x?client_id=10201", "/x?client_id=777")
	application := map[string]names.Place{"client_id": {Kind: "oauth_client", Named: true}}
	if got := names.NewTranslator(pairs, "/x").As(application).Target("/x?client_id=10201"); got != "/x?client_id=10201" {
		t.Error(got)
	}
	if got := names.NewTranslator(pairsOf("client #10201=#777"), "/x").As(application).Target("/x?client_id=10201"); got != "/x?client_id=777" {
		t.Error(got)
	}
}

func TestContradictedPairsBreak(t *testing.T) {
	s := pairsOf("order #1=#11", "order #2=#12")
	add := func(text string, proof names.Proof) {
		p := pair(text)
		p.From, p.Proof = "e2", proof
		s.Add(p)
	}
	state := func(baseline, want string) {
		t.Helper()
		p, ok := s.Of(names.Place{Kind: "order", Named: true}, baseline)
		got := "none"
		if ok {
			got = fmt.Sprintf("%s %v", p.Candidate.Text, p.Holds())
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", baseline, got, want)
		}
	}
	add("order #1=#99", names.Aligned) // an answer is wrong, not the pair
	state("1", "11 true")
	add("customer #1=#99", names.Created) // another kind
	state("1", "11 true")
	add("order #3=#12", names.Created) // two become one
	state("2", "12 false")
	state("3", "12 false")
	add("order #4=#14", names.Aligned)
	add("order #4=#15", names.Created) // what was made is certain
	state("4", "15 true")
	add("order #5=#16", names.Aligned)
	add("order #5=#17", names.Aligned)
	if p, ok := s.Of(names.Place{Kind: "order", Named: true}, "5"); ok && p.Holds() {
		t.Errorf("5 is %v", p)
	}
	tr := names.NewTranslator(s, "/orders/2")
	if got := tr.Target("/orders/2"); got != "/orders/2" || len(tr.Broken()) != 1 {
		t.Errorf("%s, broken %v", got, tr.Broken())
	}
}

func TestLearn(t *testing.T) {
	at := func(s string) timestamp.Span {
		moment, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return timestamp.Span{From: moment, To: moment.Add(time.Second)}
	}
	frame := timestamp.Frame{Baseline: at("2026-03-03T10:00:00Z"), Candidate: at("2026-03-03T11:00:00Z")}
	f := func(method, target, sent, baseline, candidate string, want ...string) {
		t.Helper()
		status := uint32(200)
		if method == "POST" {
			status = 201
		}
		answer := func(s string) names.Answer {
			location, body, found := strings.Cut(s, "|")
			if !found {
				location, body = "", s
			}
			return names.Answer{Status: status, Location: location, Body: []byte(body)}
		}
		var got []string
		for _, p := range names.Learn(names.Lesson{
			Exchange: "e", Frame: &frame, Method: method, Target: target, Sent: [][]byte{[]byte(target), []byte(sent)}, Baseline: answer(baseline), Candidate: answer(candidate),
		}) {
			got = append(got, fmt.Sprintf("%s %s=%s %s", p.Kind, p.Baseline.Text, p.Candidate.Text, map[names.Proof]string{names.Created: "created", names.Aligned: "aligned"}[p.Proof]))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s %s\n got %q\nwant %q", method, target, got, want)
		}
	}
	const u1, u2 = "4f1c2d3e-1111-4222-8333-444455556666", "9f1c2d3e-1111-4222-8333-444455557777"
	f("POST", "/orders", `{"qty":3}`, `{"id":1001,"qty":3,"total":500,"customer_id":7}`, `{"id":2001,"qty":3,"total":600,"customer_id":9}`, "order 1001=2001 created")
	f("POST", "/orders", ``, `{"id":1001}`, `{"id":1001}`, "order 1001=1001 created") // equal names are pairs
	f("POST", "/orders", ``, `{"id":10201}`, `{"id":"a3f1"}`, "order 10201=a3f1 created")
	f("POST", "/tickets", ``, `{"id":"kqzvb","state":"new"}`, `{"id":"wtrpl","state":"old"}`, "ticket kqzvb=wtrpl created")
	f("POST", "/orders", ``, `{"data":{"id":"`+u1+`","payment_id":"`+u1[:35]+`1"}}`, `{"data":{"id":"`+u2+`","payment_id":"`+u2[:35]+`1"}}`,
		"order "+u1+"="+u2+" created", "payment "+u1[:35]+"1="+u2[:35]+"1 aligned")
	f("POST", "/orders", ``, `/orders/17|`, `/orders/91|`, "order 17=91 created")
	f("POST", "/orders", ``, `/orders/17|`, `/operations/91|`)
	f("POST", "/orders", ``, `{"order":{"id":17},"customer":{"id":4}}`, `{"order":{"id":91},"customer":{"id":5}}`, "order 17=91 created")
	// What the client sent was not made, nor is a date, zero or an amount.
	f("POST", "/orders", `{"id":17}`, `{"id":17}`, `{"id":91}`)
	f("POST", "/orders", ``, `{"id":0,"order_id":"2026-11-17","uuid":"00000000-0000-0000-0000-000000000000"}`, `{"id":5,"order_id":"2026-11-18","uuid":"`+u2+`"}`)
	f("GET", "/orders/5", ``, `{"status_id":1,"currency_id":978,"plan_id":"pro-2024","customer_id":7}`, `{"status_id":2,"currency_id":840,"plan_id":"free-2024","customer_id":9}`)
	// Lists are aligned by what they hold.
	f("GET", "/notes", ``, `[{"id":"n-52","text":"a"},{"id":"n-51","text":"b"}]`, `[{"id":"n-51","text":"a"},{"id":"n-50","text":"b"}]`, "note n-52=n-51 aligned", "note n-51=n-50 aligned")
	f("GET", "/notes", ``, `[{"id":"n-52","text":"b"},{"id":"n-51","text":"a"}]`, `[{"id":"n-51","text":"a"},{"id":"n-50","text":"b"}]`, "note n-52=n-50 aligned", "note n-51=n-51 aligned")
	f("GET", "/notes", ``, `[{"id":"n-52","text":"a"},{"id":"n-51","text":"a"}]`, `[{"id":"n-51","text":"a"},{"id":"n-50","text":"a"}]`)
	f("GET", "/notes", ``, `{"ids":[1,2,3]}`, `{"ids":[4,5,6]}`)
	f("POST", "/orders", ``, `{"id":"SSigT__-"}`, `{"id":"nR7ETrt_"}`, "order SSigT__-=nR7ETrt_ created")
	f("POST", "/orders", ``, `{"id":"ord_"}`, `{"id":"ord_7"}`)
	// A link to the next page teaches by its query, unless that differs otherwise.
	next := func(page, token string) string { return `{"next":"/notes?page=` + page + `&cursor=` + token + `"}` }
	f("GET", "/notes", ``, next("2", "ab12"), next("2", "cd34"), "cursor ab12=cd34 aligned")
	f("GET", "/notes", ``, next("2", "ab12"), next("3", "cd34"))
	f("GET", "/notes", ``, next("2", "ab12"), `{"next":"/notes?cursor=cd34"}`)
	f("GET", "/notes", ``, next("2", "ab12"), `{"next":"/notes?page=2&cursor=cd34&cursor=e5"}`)
	// Answers to what the client listed are in its order if what can be alike is.
	each := func(u, by, first string) string {
		return `{"done":[{"order_id":"` + u[:35] + `1","n":` + first + `,"by":"` + by + `"},{"order_id":"` + u[:35] + `2","n":2,"by":"` + by + `"}]}`
	}
	both := []string{"order " + u1[:35] + "1=" + u2[:35] + "1 aligned", "order " + u1[:35] + "2=" + u2[:35] + "2 aligned"}
	f("PUT", "/batch", `{"do":["a","b"]}`, each(u1, "x", "1"), each(u2, "y", "1"), both...)
	f("PUT", "/batch", `{"do":["a","b"],"and":[]}`, each(u1, "x", "1"), each(u2, "y", "1"), both...)
	f("PUT", "/batch", `{"do":["a"]}`, each(u1, "x", "1"), each(u2, "y", "1"))
	f("PUT", "/batch", `{"do":["a","b"],"and":["c"]}`, each(u1, "x", "1"), each(u2, "y", "1"))
	f("PUT", "/batch", `{"do":["a","b"]}`, each(u1, "x", "1"), each(u2, "y", "3"))
	// Parts that the client posted.
	f("POST", "/orders", `{"lines":[{"sku":"a"},{"sku":"a"}]}`, `{"id":1,"lines":[{"id":5,"sku":"a"},{"id":6,"sku":"a"}]}`, `{"id":2,"lines":[{"id":15,"sku":"a"},{"id":16,"sku":"a"}]}`,
		"order 1=2 created", "line 5=15 created", "line 6=16 created")
	f("POST", "/orders", `[{"n":1},{"n":2}]`, `[{"id":5,"n":1},{"id":6,"n":2}]`, `[{"id":15,"n":1},{"id":16,"n":2}]`, "order 5=15 created", "order 6=16 created")
	f("GET", "/x", ``, `{"a":"`+u1+`"}`, `{"a":"`+u2+`"}`, " "+u1+"="+u2+" aligned")
	f("GET", "/x", ``, `{"at":"2026-03-03T10:00:00.1Z","day":"2026-03-03","end":"2026-03-03T12:00:00Z"}`, `{"at":"2026-03-03T11:00:00.2Z","day":"2026-03-04","end":"2026-03-04T12:00:00Z"}`,
		"@time 2026-03-03T10:00:00.1Z=2026-03-03T11:00:00.2Z aligned")
	f("GET", "/x", ``, `{`, `{}`)
}

func FuzzTranslate(f *testing.F) {
	f.Add(`{"order_id":17,"x":"see ord_1001"}`, "/orders/17?x=1")
	pairs := pairsOf("order #17=#18", "order #18=#17", "order ord_1001=#5")
	f.Fuzz(func(t *testing.T, body, target string) {
		// What names nothing known comes out as it was.
		other := names.NewTranslator(pairsOf("zzz zzz999=yyy999"), target)
		if !strings.Contains(body, "zzz") && string(other.JSON([]byte(body))) != body {
			t.Errorf("%q changed", body)
		}
		tr := names.NewTranslator(pairs, target)
		tr.JSON([]byte(body))
		tr.Target(target)
		names.Learn(names.Lesson{Method: "POST", Target: target, Baseline: names.Answer{Body: []byte(body)}, Candidate: names.Answer{Body: []byte(body)}})
		finder := names.NewFinder(target, nil)
		finder.JSON([]byte(body))
		finder.Target(target)
	})
}

// TestNamesOfTwoParents: what is numbered per parent has one name under several,
// and under each it is another thing.
func TestNamesOfTwoParents(t *testing.T) {
	for _, name := range []string{"ord_1001", "1001"} {
		var pairs names.Pairs
		for _, shop := range []string{"a", "b"} {
			pairs.Add(names.Pair{
				Kind: "order", Scope: shop, Proof: names.Created, From: "e" + shop,
				Baseline: names.Value{Text: name}, Candidate: names.Value{Text: shop + "-" + name + "7"},
			})
		}
		for _, shop := range []string{"a", "b"} {
			p, ok := pairs.Of(names.Place{Kind: "order", Named: true, Scope: shop}, name)
			if !ok || !p.Holds() || p.Candidate.Text != shop+"-"+name+"7" {
				t.Errorf("%s of shop %s is %+v, %v", name, shop, p, ok)
			}
		}
		if p, ok := pairs.Of(names.Place{Kind: "order", Named: true, Scope: "c"}, name); ok {
			t.Errorf("%s of shop c is %+v", name, p)
		}
		if p, ok := pairs.Of(names.Place{Kind: "order", Named: true}, name); ok {
			t.Errorf("%s of no shop is %+v", name, p)
		}
	}
	// One that is unique is the same thing under every parent.
	const unique = "123e4567-e89b-12d3-a456-426614174000"
	var pairs names.Pairs
	pairs.Add(names.Pair{Kind: "order", Scope: "a", Proof: names.Created, Baseline: names.Value{Text: unique}, Candidate: names.Value{Text: "17"}})
	if p, ok := pairs.Of(names.Place{Kind: "order", Named: true, Scope: "b"}, unique); !ok || p.Candidate.Text != "17" {
		t.Errorf("%+v, %v", p, ok)
	}
}

// TestLongListsTeachAll: the last of ten thousand that were posted is a name, too.
func TestLongListsTeachAll(t *testing.T) {
	const n = 10_000
	list := func(element string) []byte {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ","+element, i)
		}
		return []byte("[" + b.String()[1:] + "]")
	}
	pairs := names.Learn(names.Lesson{
		Method: "POST", Target: "/orders", Sent: [][]byte{[]byte("/orders"), list(`{"name":"n%d"}`)},
		Baseline: names.Answer{Status: 201, Body: list(`{"id":"b-%05d"}`)}, Candidate: names.Answer{Status: 201, Body: list(`{"id":"c-%05d"}`)},
	})
	if len(pairs) != n || pairs[n-1].Baseline.Text != "b-09999" || pairs[n-1].Candidate.Text != "c-09999" {
		t.Errorf("%d pairs", len(pairs))
	}
}
