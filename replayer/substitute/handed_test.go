package substitute_test

import (
	"strings"
	"testing"

	"understudy.dev/replayer/substitute"
)

// TestWhatIsHandedIsHandedBack: versions of things and places in lists are the
// candidate's own. "-" is a request that is not sent.
func TestWhatIsHandedIsHandedBack(t *testing.T) {
	f := func(request, want string, story ...step) {
		t.Helper()
		got := sends(t, substitute.NewMemory(""), story, "s "+request)
		if unresolved := strings.Contains(got, " of exchange e"); unresolved != (want == "-") || !unresolved && got != want {
			t.Errorf("%s\n got %s\nwant %s", request, got, want)
		}
	}
	shows := func(path, recorded, candidate string) step {
		return step{"s GET " + path, "200 " + recorded, "200 " + candidate}
	}
	doc := shows("/docs/1", `{"id":1,"version":7,"t":"x"}`, `{"id":1,"version":3,"t":"x"}`)
	f(`PUT /docs/1 {"t":"y","version":7, "n":7}`, `/docs/1 {"t":"y","version":3, "n":7}`, doc)
	f(`PUT /docs/1 {"t":"a\"b\\","expected_version":"7"}`, `/docs/1 {"t":"a\"b\\","expected_version":"3"}`, doc)
	f(`DELETE /docs/1?t=7&version=7`, `/docs/1?t=7&version=3`, doc)
	f(`POST /docs/1/publish {"version":7}`, `/docs/1/publish {"version":3}`, doc)
	f(`PUT /docs/1 If-Match: "7"; {}`, `/docs/1 If-Match: "3"; {}`, doc)
	f(`PUT /docs/1 If-Match: 7; {}`, `/docs/1 If-Match: 3; {}`, doc)
	f(`PUT /docs/1 If-Match: *; {}`, `/docs/1 If-Match: *; {}`, doc)
	f(`PATCH /docs/1 [{"op":"test","path":"/version","value":7},{"op":"add","path":"/n","value":7}]`, `/docs/1 [{"op":"test","path":"/version","value":3},{"op":"add","path":"/n","value":7}]`, doc)
	// It is that of the thing, as it was shown last.
	two := shows("/docs/2", `{"id":2,"version":7}`, `{"id":2,"version":9}`)
	f(`PUT /batch [{"id":1,"version":7},{"id":2,"version":7}]`, `/batch [{"id":1,"version":3},{"id":2,"version":9}]`, doc, two)
	f(`PUT /docs/1 {"version":7}`, `/docs/1 {"version":3}`, doc, two)
	f(`PUT /docs/1 {"version":7}`, `/docs/1 {"version":4}`, doc, two, shows("/docs/1", `{"id":1,"version":7}`, `{"id":1,"version":4}`))
	f(`PUT /orders/5 {"version":7,"customer":{"id":1,"version":7}}`, `/orders/5 {"version":8,"customer":{"id":1,"version":2}}`,
		shows("/orders/5", `{"id":5,"version":7,"customer":{"id":1,"version":7}}`, `{"id":5,"version":8,"customer":{"id":1,"version":2}}`))
	f(`PUT /docs/3 {"version":7}`, `/docs/3 {"version":7}`, doc, two) // another's
	f(`PUT /docs/1 {"version":8}`, `/docs/1 {"version":8}`, doc)
	f(`PUT /docs/1 {"conversion":7,"revision":7}`, `/docs/1 {"conversion":7,"revision":7}`, shows("/docs/1", `{"id":1,"revisionCount":7}`, `{"id":1,"revisionCount":3}`))
	// Of an element of a list, of what was made, and within something.
	f(`PUT /docs/11 {"version":7}`, `/docs/31 {"version":3}`, step{`s POST /docs {"t":"x"}`, `201 {"id":11,"version":7,"t":"x"}`, `201 {"id":31,"version":3,"t":"x"}`})
	f(`PUT /docs/12 {"version":7}`, `/docs/32 {"version":5}`,
		step{`s POST /docs {"t":"x"}`, `201 {"id":12,"t":"x"}`, `201 {"id":32,"t":"x"}`}, shows("/docs", `[{"id":14,"version":7},{"id":12,"version":7}]`, `[{"id":32,"version":5},{"id":34,"version":6}]`))
	f(`PUT /docs/1 {"metadata":{"resourceVersion":"12345"}}`, `/docs/1 {"metadata":{"resourceVersion":"777"}}`,
		shows("/docs/1", `{"metadata":{"resourceVersion":"12345"}}`, `{"metadata":{"resourceVersion":"777"}}`))
	// Of whatever look.
	for _, member := range []string{"_rev", "etag", "revision", "rowVersion", "lock_version", "__v", "updated_at", "concurrencyStamp"} {
		for _, value := range [][2]string{{`"1-967a00dff5e02add"`, `"1-aaaa00dff5e02add"`}, {`"abc"`, `"xyz"`}, {"5", `"v5"`}, {`"2026-11-01T10:00:00Z"`, `"2026-11-27T10:00:00Z"`}} {
			was, is := `{"`+member+`":`+value[0]+`}`, `{"`+member+`":`+value[1]+`}`
			f(`PUT /docs/1 `+was, `/docs/1 `+is, shows("/docs/1", was, is))
			if member != "updated_at" {
				f(`PUT /docs/1 `+was, "-", shows("/docs/1", was, `{"t":1}`))
				f(`PUT /docs/1 `+was, "-", step{`s GET /docs/1`, "200 " + was, "500 {}"})
			}
			f(`PUT /docs/1 `+was, `/docs/1 `+was)
			f(`PUT /docs/1 `+was, `/docs/1 `+was, shows("/docs/1", was, was))
		}
	}
	// Places in lists.
	page := func(path, recorded, candidate string) step {
		return shows(path, `{"items":[],"page":{"nextCursor":"`+recorded+`"}}`, `{"items":[],"page":{"nextCursor":"`+candidate+`"}}`)
	}
	f(`GET /orders?limit=2&cursor=t%2B2`, `/orders?limit=2&cursor=u%2F9`, page("/orders", "t+2", "u/9"))
	f(`POST /orders/search {"limit":2,"page":{"after":"t2"}}`, `/orders/search {"limit":2,"page":{"after":"u9"}}`, page("/orders", "t2", "u9"))
	f(`GET /orders?cursor=t2`, `/orders?cursor=u9`, page("/orders", "t2", "u9"), page("/carts", "t2", "w4"))
	f(`GET /users?cursor=t2`, "-", page("/orders", "t2", "u9"), page("/carts", "t2", "w4")) // whose?
	f(`GET /orders?cursor=18`, `/orders?cursor=19`, page("/orders", "17", "18"), page("/orders", "18", "19"))
	f(`GET /orders?cursor=17`, `/orders?cursor=18`, page("/orders", "17", "18"), page("/orders", "18", "19"))
	f(`GET /orders?cursor=t2`, "-", page("/orders", "t2", ""))
	f(`GET /orders?cursor=t3`, `/orders?cursor=t3`, page("/orders", "t2", "u9"))
}
