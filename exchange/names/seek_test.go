package names_test

import (
	"testing"

	"understudy.dev/exchange/names"
)

// TestSent: a number that the client sent as something else was not sent.
func TestSent(t *testing.T) {
	f := func(target, body, kind, value string, want bool) {
		t.Helper()
		s := names.NewSent(target, [][]byte{[]byte(target), []byte(body)})
		if got := s.Has(names.Place{Kind: kind, Named: true}, value); got != want {
			t.Errorf("%s %s: %s %s is sent: %v", target, body, kind, value, got)
		}
	}
	f("/orders", `{"qty":3}`, "order", "3", false)
	f("/orders", `{"amount":10000}`, "order", "10000", false)
	f("/orders", `{"id":3}`, "order", "3", true)
	f("/x", `{"order_id":"3"}`, "order", "3", true)
	f("/x", `{"order":3}`, "order", "3", true)
	f("/orders/3", ``, "order", "3", true)
	f("/orders/3", ``, "customer", "3", false)
	f("/x?page=3", ``, "order", "3", false)
	f("/x?order_id=3", ``, "order", "3", true)
	f("/orders", `order_id=3&qty=4`, "order", "3", true)
	f("/orders", `order_id=3&qty=4`, "order", "4", false)
	f("/orders", `{"name":"kqzvb"}`, "order", "kqzvb", true)
	f("/orders", `{"note":"see n-52"}`, "order", "n-52", true)
	f("/orders", `{"parent_id":3}`, "order", "3", true)
}
