package session_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/replayer/session"
)

func TestLearn(t *testing.T) {
	f := func(recorded, candidate, given string, want ...session.Pair) {
		t.Helper()
		got := session.Learn([]byte(recorded), []byte(candidate), []byte(given))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s / %s (-want +got):\n%s", recorded, candidate, diff)
		}
	}
	pair := func(a, b string) session.Pair { return session.Pair{Recorded: a, Candidate: b} }
	f(`{"id":"ord_1"}`, `{"id":"u-7f3a"}`, "", pair("ord_1", "u-7f3a"))
	f(`{"a":{"b":[{"ref":"x1"}]}}`, `{"a":{"b":[{"ref":"y2"}]}}`, "", pair("x1", "y2"))
	f(`{"id":17}`, `{"id":9007199254740993}`, "", session.Pair{Recorded: "17", Candidate: "9007199254740993", Number: true})
	f(`{"count":17}`, `{"count":18}`, "")                                  // not an identifier
	f(`{"total":"129.90"}`, `{"total":"129.9"}`, "")                       // one amount
	f(`{"status":"paid"}`, `{"status":"open"}`, "")                        // a word
	f(`{"customer":"c-17"}`, `{"customer":"c-18"}`, `{"customer":"c-17"}`) // the client's own
	f(`{"id":"ord_1"}`, `{"id":"ord_1"}`, "")
	f(`not json`, `{"id":"x1"}`, "")
	f(`{"id":"a1","l":[1,2]}`, `{"id":"b2","l":[1]}`, "", pair("a1", "b2"))
}

func TestReplace(t *testing.T) {
	pairs := []session.Pair{{Recorded: "ord_1", Candidate: "u/7"}, {Recorded: "17", Candidate: "99", Number: true}, {Recorded: "a b1", Candidate: "c2"}}
	f := func(target, wantTarget, body, wantBody string, uses map[string]uint32) {
		t.Helper()
		r := session.NewReplacer(pairs)
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
	f("/17/117", "/99/117", `{"id":17,"n":[17,170,1.17],"s":"17"}`, `{"id":99,"n":[99,170,1.17],"s":"17"}`, map[string]uint32{"17": 3})
	f("/a%20b1", "/c2", ` {"x" : "ord_1" , "y":"see ord_1"}`, ` {"x" : "u/7" , "y":"see ord_1"}`, map[string]uint32{"a b1": 1, "ord_1": 1})
}

func FuzzReplacer(f *testing.F) {
	f.Add(`{"id":17,"s":"ord_1"}`)
	f.Add(`[17, "ord_1", {"ord_1": "17"}]`)
	f.Fuzz(func(t *testing.T, body string) {
		r := session.NewReplacer([]session.Pair{{Recorded: "ord_1", Candidate: "u7"}, {Recorded: "17", Candidate: "99", Number: true}})
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
	m := session.NewMemory()
	m.Learn("s", []session.Pair{{Recorded: "a1", Candidate: "b1"}})
	m.Learn("s", []session.Pair{{Recorded: "a1", Candidate: "b2"}})
	if got := m.Pairs("s"); len(got) != 1 || got[0].Candidate != "b1" {
		t.Errorf("got %v", got)
	}
	var many []session.Pair
	for i := range 2 * session.MaxPairs {
		many = append(many, session.Pair{Recorded: fmt.Sprint("r", i), Candidate: "c"})
	}
	m.Learn("s", many)
	if got := len(m.Pairs("s")); got != session.MaxPairs {
		t.Errorf("%d pairs are kept, want %d", got, session.MaxPairs)
	}
	for i := range session.MaxSessions {
		m.Learn(fmt.Sprint("other", i), many[:1])
	}
	if got := m.Pairs("s"); got != nil {
		t.Errorf("the session that was not used for longest is still there: %v", got)
	}
}
