package main

import "testing"

// TestUnseenRoute: a step for a route that no exchange has moves nobody, which is
// said.
func TestUnseenRoute(t *testing.T) {
	f := func(route, want string, known ...string) {
		t.Helper()
		if got := unseenRoute(route, known); got != want {
			t.Errorf("%q of %q: got %q", route, known, got)
		}
	}
	f("GET /carts/{id}", "")
	f("GET /carts/{id}", "", "GET /carts/{id}")
	f("GET /cart/{id}", "understudy: warning: --only: no exchange that was compared has the route \"GET /cart/{id}\"; did you mean \"GET /carts/{id}\"?\n", "GET /carts/{id}", "GET /orders")
	f("/x", "understudy: warning: --only: no exchange that was compared has the route \"/x\"\n", "GET /carts/{id}")
}
