package route_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"understudy.dev/exchange/route"
)

func TestRoute(t *testing.T) {
	r, err := route.New([]string{"GET /users/{name}", "/files/{path...}", "/v2/{a}/x"})
	if err != nil {
		t.Fatal(err)
	}
	f := func(target, want string) {
		t.Helper()
		if got := r.Route("GET", target); got != "GET "+want {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
	f("/users/ann?x=1", "/users/{name}")
	f("/users/ann/posts", "/users/ann/posts")
	f("/users/", "/users/")
	f("/files/a/b/c", "/files/{path...}")
	f("/v2/9/x", "/v2/{a}/x")
	f("/v2/9/y", "/v2/{id}/y")

	f("", "")
	f("*", "*")
	f("/", "/")
	f("/orders/42/lines/7?x=/9", "/orders/{id}/lines/{id}")
	f("/orders/42#/9", "/orders/{id}")
	f("http://h/orders/42", "/orders/{id}")
	f("/o/018f2f6e-9b1c-7cc3-8d2a-0123456789ab", "/o/{uuid}")
	f("/d/2026-11-24/2026-11-24T10:00:00Z", "/d/{date}/{date}")
	f("/c/8f14e45fceea167a/deadbeef", "/c/{id}/deadbeef")
	f("/order-1042/v2/page2/img-7", "/{id}/v2/page2/img-7")
	f("/a/123.json/logo.png/style.css", "/a/{id}.json/logo.png/style.css")
	f("/t/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9abcdefghij", "/t/{id}")
	f("/caf%C3%A9/a b", "/{long}/{long}")
	f("/repos/tmp-scenario-x-20220719043638491-k", "/repos/{id}")
	f("/"+strings.Repeat("a", 40)+"/"+strings.Repeat("a", 41), "/"+strings.Repeat("a", 40)+"/{long}")
	f("/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h/i", "/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}/a/b/c/d/e/f/g/{rest}")
}

func TestMethodsThatAreNoneAreFolded(t *testing.T) {
	r, err := route.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	f := func(method, want string) {
		t.Helper()
		if got := r.Route(method, "/a"); got != want+" /a" {
			t.Errorf("%q: got %s, want %s", method, got, want)
		}
	}
	f("M-SEARCH", "M-SEARCH")
	f(strings.Repeat("A", 40), strings.Repeat("A", 40))
	f(strings.Repeat("A", 41), "{method}")
	f("GE T", "{method}")
	f("GÉT", "{method}")
}

// TestJumblesAreIDs: texts that a machine has made are no routes, though they have
// few digits or none; words that are written together are.
func TestJumblesAreIDs(t *testing.T) {
	r, err := route.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	for segment, want := range map[string]string{
		"BKTzRkEePTZMyPnfsDhHtu7u": "{id}", "qcfMqamKYdKffBELcxVbEZyR": "{id}", "Qbz4vDmQZ3LpRShJpQ": "Qbz4vDmQZ3LpRShJpQ",
		"getAllOpenOrdersForCustomerById": "getAllOpenOrdersForCustomerById", "getAllNewTopPaidJobs": "getAllNewTopPaidJobs",
		"CustomerRelationshipService": "CustomerRelationshipService", "UPPER_CASE_RESOURCE_NAMES": "UPPER_CASE_RESOURCE_NAMES",
		"ListOrdersV2ForAllCustomers": "ListOrdersV2ForAllCustomers", "internationalization": "internationalization",
	} {
		if got := r.Route("GET", "/x/"+segment); got != "GET /x/"+want {
			t.Errorf("%s: %s", segment, got)
		}
	}
}

func TestTemplatesAreChecked(t *testing.T) {
	for _, bad := range []string{"users", "GET users", "/a/{x...}/b", "", "/a/{x", "/a/x}", "/a/{}"} {
		if _, err := route.New([]string{bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// FuzzRoute: a route is valid UTF-8 of bounded length whatever the target.
func FuzzRoute(f *testing.F) {
	f.Add("GET", "/a/1?x")
	f.Add("\xff", "//\xff/%zz")
	r, err := route.New([]string{"/x/{y}"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, target string) {
		got := r.Route(method, target)
		if !utf8.ValidString(got) || len(got) > 60*(route.MaxSegments+2) {
			t.Errorf("%q %q: %q", method, target, got)
		}
		if strings.ContainsAny(got, "\n\x00") {
			t.Errorf("control byte in %q", got)
		}
	})
}

func BenchmarkRoute(b *testing.B) {
	r, _ := route.New(nil)
	b.ReportAllocs()
	for b.Loop() {
		r.Route("GET", "/customers/10423/orders/018f2f6e-9b1c-7cc3-8d2a-0123456789ab/lines?page=2")
	}
}
