package noise

import (
	"strconv"
	"testing"
	"time"

	"understudy.dev/exchange/names"
)

var (
	recorded = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	replayed = recorded.Add(96*time.Hour + 7*time.Minute)
)

func evidence(given ...string) *Evidence {
	e := &Evidence{
		BaselineTime: recorded, CandidateTime: replayed, Slack: time.Second, Skew: 5 * time.Second,
		BaselineHost: "orders.internal:8080",
	}
	for _, g := range given {
		e.Sent = append(e.Sent, []byte(g))
	}
	return e
}

func TestTimestamps(t *testing.T) {
	f := func(baseline, candidate, want string) {
		t.Helper()
		if got := evidence("/x").Class("created", Value{Text: baseline}, Value{Text: candidate}); got != want {
			t.Errorf("%s and %s: %q, want %q", baseline, candidate, got, want)
		}
	}
	f("2026-11-20T10:00:01Z", "2026-11-24T10:07:02.123Z", Timestamp)
	f("2026-11-20T10:00:01Z", "2026-11-24T12:07:02+02:00", Timestamp)
	f("2026-11-20T11:00:00Z", "2026-11-24T11:07:00Z", Timestamp) // both expire in an hour
	f("2026-11-20T10:00:01Z", "2026-11-24T10:07:30Z", "")
	f("2026-11-20T10:00:01Z", "2026-11-20T10:00:02Z", "") // of the recording
	f("2026-11-20T10:00:01Z", "1970-01-01T00:00:00Z", "")
	f("2026-11-20T10:00:01Z", "2026-11-24 10:07:01", "") // spelled otherwise
	f("Fri, 20 Nov 2026 10:00:01 GMT", "Tue, 24 Nov 2026 10:07:01 GMT", Timestamp)
	f("Fri, 20 Nov 2026 10:00:01 GMT", "2026-11-24T10:07:01Z", "")
	f("2026-11-20", "2026-11-24", Timestamp)
	f("2026-11-20", "2026-11-23", "")
	f("2026/11/21", "2026/11/25", Timestamp)
}

func TestEpochs(t *testing.T) {
	at := func(t time.Time, unit string) string {
		n := map[string]int64{"s": t.Unix(), "ms": t.UnixMilli(), "us": t.UnixMicro(), "ns": t.UnixNano()}[unit]
		return strconv.FormatInt(n, 10)
	}
	f := func(baseline, candidate string, number bool, want string) {
		t.Helper()
		if got := evidence("/x").Class("at", Value{baseline, number}, Value{candidate, number}); got != want {
			t.Errorf("%s and %s: %q, want %q", baseline, candidate, got, want)
		}
	}
	for _, unit := range []string{"s", "ms", "us", "ns"} {
		for _, number := range []bool{true, false} {
			f(at(recorded, unit), at(replayed.Add(3*time.Second), unit), number, Timestamp)
			f(at(recorded, unit), at(replayed.Add(9*time.Second), unit), number, "")
			f(at(recorded, unit), at(recorded.Add(time.Second), unit), number, "")
		}
	}
	f(at(recorded, "s"), at(replayed, "ms"), true, "") // another unit
	f("9007199254740993", "9007199254740992", true, "")
	f("42", "43", true, "")
}

func TestEarlierInAScaledRun(t *testing.T) {
	e := evidence()
	e.Speed = 5
	// Made by a request 60 s before this one, which was replayed 12 s before.
	if got := e.Class("created", Value{Text: "2026-11-20T09:59:00Z"}, Value{Text: "2026-11-24T10:06:48Z"}); got != Timestamp {
		t.Errorf("got %q", got)
	}
}

func TestIdentifiers(t *testing.T) {
	f := func(name, baseline, candidate string, number bool, want string) {
		t.Helper()
		e := evidence("/orders/ord_77?limit=10", `{"customer_id": 7, "reference": "R-2024-11", "quantity": 3}`)
		if got := e.Class(name, Value{baseline, number}, Value{candidate, number}); got != want {
			t.Errorf("%s: %s and %s: %q, want %q", name, baseline, candidate, got, want)
		}
	}
	const u1, u2 = "4f1c2d3e-1111-4222-8333-444455556666", "0a1b2c3d-9999-4888-8777-666655554444"
	f("id", "ord_1001", u1, false, Identifier)
	f("order_id", "1001", "58", true, Identifier)
	f("orderId", "1001", "58", false, Identifier)
	f("quantity", "1001", "58", true, "")
	f("status", "paid", "open", false, "")
	f("id", "pending", "accepted", false, "") // words are not identifiers
	f("payload", u1, u2, false, Identifier)
	f("payload", u1, "0a1b2c3d", false, "")
	f("PAID", "1001", "58", false, "")
	f("id", "ord_77", "ord_78", false, "") // the client gave it
	f("customer_id", "7", "8", true, "")   // under its name
	f("id", "3", "8", true, Identifier)    // 3 is a quantity there
	f("reference", "R-2024-11", "R-2024-12", false, "")
	f("id", "", "x1", false, "")
	f("id", "10", "11", true, "")           // stands in the target
	f("ref", "129.90", "129.95", false, "") // an amount
	f("order_ids", "1001", "58", true, "")  // a list is learned from, not excused
	f("id", "12e4", "7f3a", false, Identifier)
}

func TestBijection(t *testing.T) {
	e := evidence()
	e.Rename("ord_1", "uuid-1")
	f := func(baseline, candidate, want string) {
		t.Helper()
		if got := e.Class("id", Value{Text: baseline}, Value{Text: candidate}); got != want {
			t.Errorf("%s and %s: %q, want %q", baseline, candidate, got, want)
		}
	}
	f("ord_1", "uuid-1", Identifier)
	f("ord_1", "uuid-2", "") // called otherwise before
	f("ord_2", "uuid-1", "") // two become one
	f("ord_2", "uuid-2", Identifier)
	f("ord_2", "uuid-3", "")
	if got := e.Class("text", Value{Text: "ord_2"}, Value{Text: "uuid-2"}); got != Identifier {
		t.Errorf("a known pair under another name: %q", got)
	}
	e.Rename("1", "2")
	if got := e.Class("quantity", Value{"1", true}, Value{"2", true}); got != "" {
		t.Errorf("a short known pair under a name that is not an identifier's: %q", got)
	}
	// What was sent as it is known to be called in the session comes back so.
	e.Sent = [][]byte{[]byte("/orders/ord_1")}
	f("ord_1", "uuid-1", Identifier)
}

func TestRandom(t *testing.T) {
	f := func(baseline, candidate, want string) {
		t.Helper()
		if got := evidence("sent=aB3dE5fG7hJ9kL1m").Class("value", Value{Text: baseline}, Value{Text: candidate}); got != want {
			t.Errorf("%s and %s: %q, want %q", baseline, candidate, got, want)
		}
	}
	f("9f86d081884c7d659a2feaa0c55ad015", "2c26b46b68ffc68ff99b453c1d304134", Random)
	f("tok_A8s7Df6gH5jK4l3M", "tok_Zx9Cv8Bn7Mq6We5R", Random)
	f("product-2024-summer-special", "product-2025-summer-special", "")
	f("SKU-000123-LARGE-RED", "SKU-000124-LARGE-RED", "")
	f("9f86d081884c7d659a2feaa0c55ad015", "9f86d081884c7d659a2feaa0c55ad016", "") // one digit
	f("9f86d081884c7d659a2feaa0c55ad015", "none", "")
	f("aB3dE5fG7hJ9kL1m", "Zx9Cv8Bn7Mq6We5R", "") // the client's
	f("internationalization-2024", "internationalisation-2025", "")
}

func TestLinks(t *testing.T) {
	f := func(baseline, candidate, want string) {
		t.Helper()
		e := evidence("/orders/ord_77")
		e.Rename("ord_9", "x-9")
		if got := e.Class("href", Value{Text: baseline}, Value{Text: candidate}); got != want {
			t.Errorf("%s and %s: %q, want %q", baseline, candidate, got, want)
		}
	}
	f("/orders/ord_1", "/orders/4f1c2d3e-1111-4222-8333-444455556666", Identifier)
	f("/orders/ord_1/items/5", "/orders/77/items/6", Identifier)
	f("/orders/ord_9", "/orders/x-9", Identifier)
	f("/orders/ord_9", "/orders/x-8", "")
	f("/orders/ord_77", "/orders/5", "") // the client's
	f("/v1/orders/ord_1", "/v2/orders/5", "")
	f("/orders/ord_1", "/order/5", "")
	f("/orders/ord_1", "/orders/5/", "")
	f("http://orders.internal:8080/orders/ord_1", "http://candidate:9090/orders/5", Identifier)
	f("http://orders.internal:8080/orders", "https://candidate/orders", Identifier)
	f("http://orders.internal:8080/orders/ord_1", "/orders/5", Identifier)
	f("http://elsewhere/orders/1", "http://other/orders/1", "")
	f("http://elsewhere/orders/1", "https://elsewhere/orders/1", "")
	f("orders.internal:8080", "candidate:9090", Identifier)
	f("/orders?page=2", "/orders?page=3", "")
	f("/orders?cursor=a81", "/orders?cursor=b92", Identifier)
	f("/orders?order_id=1&x=1", "/orders?order_id=2&x=2", "")
	f("/a#x", "/a#y", "")
	f("urn:order:ord_1", "urn:order:88", Identifier)
	f("urn:order:ord_1", "urn:payment:88", "")
	// Texts with the same marks that are not references.
	f("16:9", "4:3", "")
	f("12:30", "12:45", "")
	f("qty=5", "qty=6", "")
	f("1/2", "3/4", "")
}

func FuzzClass(f *testing.F) {
	f.Add("id", "ord_1", "uuid-2", "/orders/ord_1")
	f.Add("at", "2026-11-20T10:00:01Z", "2026-11-24T10:07:02Z", "")
	f.Add("href", "http://a/%zz?x=1&&=", "urn:a:b", "x")
	f.Add("", "1763632801", "1763978822", "{\"\":1763632801}")
	f.Fuzz(func(t *testing.T, name, baseline, candidate, given string) {
		for _, number := range []bool{false, true} {
			b, c := Value{baseline, number}, Value{candidate, number}
			first, again := evidence(given).Class(name, b, c), evidence(given).Class(name, b, c)
			if first != again {
				t.Fatalf("%q, then %q", first, again)
			}
			if first == Identifier && len(given) == 0 && names.IsSelfEvident(baseline) {
				// Whatever is called an identifier can be relied on afterwards.
				e := evidence()
				e.Class(name, b, c)
				if e.Class(name, b, c) == "" {
					t.Fatal("a pair is denied the second time")
				}
			}
		}
	})
}
