package substitute_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/replayer/substitute"
)

func TestLearn(t *testing.T) {
	f := func(recorded, candidate, given string, want ...substitute.Pair) {
		t.Helper()
		got := substitute.Learn([]byte(recorded), []byte(candidate), []byte(given))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s / %s (-want +got):\n%s", recorded, candidate, diff)
		}
	}
	pair := func(a, b string) substitute.Pair { return substitute.Pair{Recorded: a, Candidate: b} }
	f(`{"id":"ord_1"}`, `{"id":"u-7f3a"}`, "", pair("ord_1", "u-7f3a"))
	f(`{"a":{"b":[{"ref":"x1"}]}}`, `{"a":{"b":[{"ref":"y2"}]}}`, "", pair("x1", "y2"))
	f(`{"id":17}`, `{"id":9007199254740993}`, "", substitute.Pair{Recorded: "17", Candidate: "9007199254740993", Number: true})
	f(`{"count":17}`, `{"count":18}`, "")     // not an identifier
	f(`{"pages":"12"}`, `{"pages":"13"}`, "") // nor is this
	f(`{"order_ids":["12"]}`, `{"order_ids":["u-1"]}`, "", pair("12", "u-1"))
	f(`{"b":"x1","a":"x2"}`, `{"b":"y1","a":"y2"}`, "", pair("x2", "y2"), pair("x1", "y1")) // in one order
	f(`{"id":"a1"}`, `{"id":"b1\u0001"}`, "")                                               // what no request can carry
	f(`{"total":"129.90"}`, `{"total":"129.9"}`, "")                                        // one amount
	f(`{"id":1234}`, `{"id":77}`, `{"sku":"a-1234"}`)                                       // a word of what the client sent
	f(`{"uid":1234}`, `{"uid":77}`, "", substitute.Pair{Recorded: "1234", Candidate: "77", Number: true})
	f(`{"PAID":1234}`, `{"PAID":77}`, "")                                  // not an identifier, though it ends like one
	f(`{"key":1234}`, `{"key":77}`, "")                                    // may count something
	f(`{"status":"paid"}`, `{"status":"open"}`, "")                        // a word
	f(`{"customer":"c-17"}`, `{"customer":"c-18"}`, `{"customer":"c-17"}`) // the client's own
	f(`{"id":"ord_1"}`, `{"id":"ord_1"}`, "")
	f(`not json`, `{"id":"x1"}`, "")
	f(`{"id":"a1","l":[1,2]}`, `{"id":"b2","l":[1]}`, "", pair("a1", "b2"))
}

func TestReplace(t *testing.T) {
	pairs := []substitute.Pair{{Recorded: "ord_1", Candidate: "u/7"}, {Recorded: "17", Candidate: "99", Number: true}, {Recorded: "a b1", Candidate: "c2"}}
	f := func(target, wantTarget, body, wantBody string, uses map[string]uint32) {
		t.Helper()
		r := substitute.NewReplacer(pairs)
		if got := r.Target(target); got != wantTarget {
			t.Errorf("target %s, want %s", got, wantTarget)
		}
		if got := string(r.JSON([]byte(body))); got != wantBody {
			t.Errorf("body %s, want %s", got, wantBody)
		}
		if diff := cmp.Diff(uses, r.Uses()); diff != "" {
			t.Errorf("uses (-want +got):\n%s", diff)
		}
	}
	none := map[string]uint32{}
	f("/orders/ord_1/pay?x=ord_1&y=ord_12", "/orders/u%2F7/pay?x=u%2F7&y=ord_12", `{}`, `{}`, map[string]uint32{"ord_1": 2})
	f("/orders/ord_12;v=%zz?a=1;b", "/orders/ord_12;v=%zz?a=1;b", `{"ord_1":1}`, `{"ord_1":1}`, none)
	f("/17/117", "/99/117", `{"id":17,"n":[17,170,1.17],"s":"17"}`, `{"id":99,"n":[17,170,1.17],"s":"17"}`, map[string]uint32{"17": 2})
	f("/?page=17&order_id=17", "/?page=17&order_id=99", `{"a":{"itemIds":[17,{"qty":17},17]},"x":17,"id":"17"}`,
		`{"a":{"itemIds":[99,{"qty":17},99]},"x":17,"id":"99"}`, map[string]uint32{"17": 4})
	f("/a%20b1", "/c2", ` {"x" : "ord_1" , "y":"see ord_1"}`, ` {"x" : "u/7" , "y":"see ord_1"}`, map[string]uint32{"a b1": 1, "ord_1": 1})
}

// TestReplacementsDoNotChain: both systems count, one ahead of the other.
func TestReplacementsDoNotChain(t *testing.T) {
	r := substitute.NewReplacer([]substitute.Pair{{Recorded: "17", Candidate: "18", Number: true}, {Recorded: "18", Candidate: "19", Number: true}})
	if got := string(r.JSON([]byte(`{"id":17,"other_id":18}`))); got != `{"id":18,"other_id":19}` {
		t.Errorf("got %s", got)
	}
	if got := r.Target("/17/18"); got != "/18/19" {
		t.Errorf("got %s", got)
	}
}

func TestForm(t *testing.T) {
	r := substitute.NewReplacer([]substitute.Pair{{Recorded: "ord 1", Candidate: "u&7"}})
	if got := string(r.Form([]byte("a=1&o=ord+1&o=ord%201&x"))); got != "a=1&o=u%267&o=u%267&x" || r.Uses()["ord 1"] != 2 {
		t.Errorf("got %s, %v", got, r.Uses())
	}
}

func TestLearnLocation(t *testing.T) {
	f := func(recorded, candidate, given string, want ...substitute.Pair) {
		t.Helper()
		if diff := cmp.Diff(want, substitute.LearnLocation(recorded, candidate, []byte(given))); diff != "" {
			t.Errorf("%s / %s (-want +got):\n%s", recorded, candidate, diff)
		}
	}
	f("/orders/7", "/orders/ord-9", "", substitute.Pair{Recorded: "7", Candidate: "ord-9"})
	f("http://a/orders/7", "https://b/orders/9?x=1", "", substitute.Pair{Recorded: "7", Candidate: "9", Number: true})
	f("/shops/3/orders/7", "/shops/3/orders/9", "/shops/3", substitute.Pair{Recorded: "7", Candidate: "9", Number: true})
	f("/orders/7", "/operations/9", "")
	f("/orders/7", "/orders/9/status", "")
	f("/orders/7", "/orders/9", "/orders/7")
	f("/v1/orders/7", "/v2/orders/9", "")           // another version
	f("/2024-05/orders/7", "/2026-11/orders/9", "") // another month
	f("/orders/new", "/orders/9", "")
	f("http://[::1", "/orders/9", "")
}

func TestOccurring(t *testing.T) {
	var pairs, want []substitute.Pair
	body := "{"
	for i := range 40 {
		p := substitute.Pair{Recorded: fmt.Sprint("ord-", i)}
		pairs = append(pairs, p)
		if i%2 == 0 {
			want = append(want, p)
			body += fmt.Sprintf(`"see":"ord-%d",`, i)
		}
	}
	odd := substitute.Pair{Recorded: "urn:7"}
	pairs, want = append(pairs, odd), append(want, odd)
	if diff := cmp.Diff(want, substitute.Occurring([]byte(body+`"urn:7" ord-1x xord-3"}`), pairs)); diff != "" {
		t.Error(diff)
	}
}

func FuzzReplacer(f *testing.F) {
	f.Add(`{"id":17,"s":"ord_1"}`)
	f.Add(`[17, "ord_1", {"ord_1": "17"}]`)
	f.Fuzz(func(t *testing.T, body string) {
		r := substitute.NewReplacer([]substitute.Pair{{Recorded: "ord_1", Candidate: "u\"7"}, {Recorded: "17", Candidate: "99", Number: true}, {Recorded: "12345", Candidate: "007"}})
		got := r.JSON([]byte(body))
		if json.Valid([]byte(body)) && !json.Valid(got) {
			t.Errorf("%q became %q", body, got)
		}
		if len(r.Uses()) == 0 && string(got) != body {
			t.Errorf("%q changed without a use: %q", body, got)
		}
		r.Target(body)
	})
}

func TestMemoryKeepsTheFirstPairAndItsBounds(t *testing.T) {
	m := substitute.NewMemory()
	m.Learn("s", []substitute.Pair{{Recorded: "a1", Candidate: "b1"}})
	m.Learn("s", []substitute.Pair{{Recorded: "a1", Candidate: "b2"}})
	if got := m.Pairs("s"); len(got) != 1 || got[0].Candidate != "b1" {
		t.Errorf("got %v", got)
	}
	var many []substitute.Pair
	for i := range 2 * substitute.MaxPairs {
		many = append(many, substitute.Pair{Recorded: fmt.Sprint("r", i), Candidate: "c"})
	}
	m.Learn("s", many)
	if got := len(m.Pairs("s")); got != substitute.MaxPairs {
		t.Errorf("%d pairs are kept, want %d", got, substitute.MaxPairs)
	}
	for i := range substitute.MaxSessions {
		m.Learn(fmt.Sprint("other", i), many[:1])
	}
	if got := m.Pairs("other1"); got == nil {
		t.Error("a session within the bounds is forgotten")
	}
	for i := range substitute.MaxTotal / substitute.MaxPairs {
		m.Learn(fmt.Sprint("large", i), many)
	}
	if got := m.Pairs("other0"); got != nil {
		t.Error("more pairs are kept than allowed")
	}
	if got := m.Pairs("s"); got != nil {
		t.Errorf("the session that was not used for longest is still there: %v", got)
	}
}

func FuzzLearn(f *testing.F) {
	f.Add(`{"id":17,"s":["ord_1"]}`, `{"id":18,"s":["u-7"]}`, "ord_1")
	f.Add(`/orders/1`, `/orders/x2`, "")
	f.Fuzz(func(t *testing.T, recorded, candidate, given string) {
		pairs := append(substitute.Learn([]byte(recorded), []byte(candidate), []byte(given)), substitute.LearnLocation(recorded, candidate, []byte(given))...)
		for _, p := range pairs {
			if p.Recorded == p.Candidate || p.Recorded == "" || p.Candidate == "" {
				t.Errorf("learned %+v", p)
			}
		}
		body := []byte(recorded)
		if out := substitute.NewReplacer(pairs).JSON(body); json.Valid(body) && !json.Valid(out) {
			t.Errorf("%q became %q", body, out)
		}
	})
}

func BenchmarkReplacer(b *testing.B) {
	var pairs []substitute.Pair
	body := `{"items":[`
	for i := range 50 {
		pairs = append(pairs, substitute.Pair{Recorded: fmt.Sprint("ord-", i), Candidate: fmt.Sprint("u-", i)})
		body += fmt.Sprintf(`{"sku":"sku-%d","order":"ord-%d","quantity":%d},`, i, i, i)
	}
	body += `null]}`
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		substitute.NewReplacer(pairs).JSON([]byte(body))
	}
}
