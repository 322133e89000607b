package demo

import (
	"strings"
	"testing"
	"time"
)

func TestBusy(t *testing.T) {
	f := func(want string, p Pace) {
		t.Helper()
		if got := p.Busy(); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%+v: %q, want %q", p, got, want)
		}
	}
	f("", Pace{})
	f("", Pace{LagP99: Slack, Tails: map[string]time.Duration{"GET /products": Slack, "POST /quotes": time.Second}})
	f("was sent 101ms late", Pace{LagP99: 101 * time.Millisecond})
	f("one GET /products in a hundred took 3s", Pace{Tails: map[string]time.Duration{"GET /products": 3 * time.Second, "DELETE /orders/{id}": time.Second}})
}
