package route_test

import (
	"testing"

	"understudy.dev/exchange/route"
)

func TestPattern(t *testing.T) {
	f := func(pattern, name string, want bool) {
		t.Helper()
		p, err := route.ParsePattern(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(name); got != want {
			t.Errorf("%q chooses %q: %v", pattern, name, got)
		}
	}
	f("POST /orders/{id}", "POST /orders/{id}", true)
	f("POST /orders/{id}", "POST /orders/{uuid}", false)
	f("POST /orders/{id}", "GET /orders/{id}", false)
	f("GET /orders/*", "GET /orders/{id}", true)
	f("GET /orders/*", "GET /orders", false)
	f("GET /orders/*", "GET /orders/{id}/items", false)
	f("GET /orders*", "GET /orders-old", true)
	f("* /orders", "PUT /orders", true)
	f("POST /*", "POST /{id}", true)
	f("", "PUT /anything/at/all", true)
	f("GET /a[bc]", "GET /ab", true)
	// A class was matched against the whole route once, and covered a slash.
	f("GET /a[^x]b", "GET /a/b", false)
	f("GET /a/", "GET /a", false)
	f("GET /a", "GET /a/", false)
	// A segment that is the same matches, whatever its characters would mean.
	f("GET /a[1]", "GET /a[1]", true)
}

func TestPatternsAreChecked(t *testing.T) {
	for _, bad := range []string{"GET /a[", "GET /[a/b]", `GET /a\`} {
		if _, err := route.ParsePattern(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
