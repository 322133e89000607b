package route_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"understudy.dev/exchange/route"
)

func described(t *testing.T, text string) *route.Templater {
	t.Helper()
	d, err := route.ParseOpenAPI([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := route.New([]string{"/shop/orders/{own}", "/shop/files/{name}.{kind}"})
	if err != nil {
		t.Fatal(err)
	}
	r.Describe(d)
	return r
}

const inYAML = `openapi: 3.1.0
info: &info {title: Shop, version: "1"}
servers:
  - url: https://api.shop.example/shop/
  - url: "{scheme}://{host}/{version}"
    variables:
      scheme: {default: https, enum: [http, https]}
      host: {default: api.shop.example}
      version:
        default: v1
        enum: [v1, v2]
  - url: /
paths:
  /users/{name}:
    get: {responses: {"200": {description: ok}}}
  /users/me:
    get: {}
  "/users/{name}/pictures/{picture}.{format}":
    parameters: [{name: name}]
  /reports/{from}..{to}: {}
  /jobs/{id}:cancel: {}
  /users/{id}/orders: {}
  /: {}
  /health:
    servers: [{url: "http://h:1/internal"}]
    get: {}
  x-note: none
`

const inJSON = `{
	"swagger": "2.0",
	"basePath": "/api",
	"paths": {
		"/users/{name}": {"get": {}},
		"/users/me": {},
		"x-note": 7
	}
}`

// TestRoutesByOpenAPI: paths under the base paths of servers, literal segments
// before placeholders, one's own templates before all.
func TestRoutesByOpenAPI(t *testing.T) {
	r := described(t, inYAML)
	for target, want := range map[string]string{
		"/shop/users/ann":              "/shop/users/{name}",
		"/shop/users/me?x=1":           "/shop/users/me",
		"/v1/users/7":                  "/v1/users/{name}",
		"/v2/users/7":                  "/v2/users/{name}",
		"/v3/users/ann":                "/v3/users/ann",
		"/users/ann":                   "/users/{name}",
		"/users/me/orders":             "/users/{id}/orders",
		"/users/ann/pictures/face.jpg": "/users/{name}/pictures/{picture}.{format}",
		"/users/ann/pictures/.jpg":     "/users/ann/pictures/.jpg",
		"/v1/reports/2026-01..2026-02": "/v1/reports/{from}..{to}",
		"/v1/reports/..":               "/v1/reports/..",
		"/jobs/ann:cancel":             "/jobs/{id}:cancel",
		"/jobs/:cancel":                "/jobs/:cancel",
		"/":                            "/",
		"/shop/":                       "/shop/",
		"/internal/health":             "/internal/health",
		"/shop/orders/ann":             "/shop/orders/{own}",
		"/shop/files/a.pdf":            "/shop/files/{name}.{kind}",
		"/shop/files/.pdf":             "/shop/files/.pdf",
		"/users/":                      "/users/",
		"/users/ann/":                  "/users/ann/",
		"/users/8c0e2a54-6a0b-4c1e-9d7b-0c6a1f1f3d55/x": "/users/{uuid}/x",
	} {
		if got := r.Route("GET", target); got != "GET "+want {
			t.Errorf("%s: %s, not %s", target, got, want)
		}
	}
	r = described(t, inJSON)
	for target, want := range map[string]string{"/api/users/ann": "/api/users/{name}", "/api/users/me": "/api/users/me", "/users/ann": "/users/ann"} {
		if got := r.Route("PUT", target); got != "PUT "+want {
			t.Errorf("%s: %s, not %s", target, got, want)
		}
	}
}

// TestWrongDescriptions say where they are wrong.
func TestWrongDescriptions(t *testing.T) {
	for in, want := range map[string]string{
		"":                                                 "1:1: has no paths",
		"openapi: 3.0.0\n":                                 "1:1: has no paths",
		"{\"openapi\": \"3.0.0\"}":                         "1:1: has no paths",
		"paths:\n  users/{id}: {}\n":                       `2:3: the path "users/{id}" does not begin with /`,
		"paths:\n  /a: {}\n  /users/{id: {}":               "3:3: ",
		"paths:\n  /users/}{: {}\n":                        `2:3: the path "/users/}{" has braces`,
		"paths: [a]\n":                                     "1:8: paths is not a list of paths",
		"servers: 7\npaths: {}\n":                          "1:10: servers is not a list",
		"servers: [7]\npaths: {}\n":                        "1:11: a server has no url",
		"paths:\n\t/a: {}\n":                               "2:1: ",
		"{\"paths\":\n {\"/a\": 7}}":                       "2:3: ",
		"{\"paths\":\n {\"a\": {}}}":                       `2:3: the path "a" does not begin with /`,
		"{\"paths\": {\n \"/a\": {},\n}}":                  "3:1: ",
		"{\"paths\": 7}":                                   "1:",
		"paths:\n  /" + strings.Repeat("a", 1100) + ": {}": "2:3: ",
	} {
		_, err := route.ParseOpenAPI([]byte(in))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.60q: %v, not %s", in, err, want)
		}
	}
	var many strings.Builder
	many.WriteString("paths:\n")
	for i := range 20001 {
		fmt.Fprintf(&many, "  /a%d: {}\n", i)
	}
	if _, err := route.ParseOpenAPI([]byte(many.String())); err == nil || !strings.Contains(err.Error(), "20002:3: there are more than 20000 paths") {
		t.Error(err)
	}
}

func TestReadOpenAPI(t *testing.T) {
	file := filepath.Join(t.TempDir(), "api.yaml")
	if _, err := route.ReadOpenAPI(file); err == nil {
		t.Error("no file, and no error")
	}
	if err := os.WriteFile(file, []byte("paths:\n  a: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := route.ReadOpenAPI(file); err == nil || !strings.HasPrefix(err.Error(), file+":2:3: ") {
		t.Error(err)
	}
	if err := os.Truncate(file, 17<<20); err != nil {
		t.Fatal(err)
	}
	if _, err := route.ReadOpenAPI(file); err == nil || !strings.Contains(err.Error(), "is larger than") {
		t.Error(err)
	}
}

// TestHostileDescriptions: a target is looked for in bounded time, whatever the
// tree.
func TestHostileDescriptions(t *testing.T) {
	var text strings.Builder
	text.WriteString("paths:\n")
	for i := range 4000 {
		text.WriteString("  /")
		for b := range 12 {
			text.WriteString([]string{"a", "{x}", "{x}a"}[(i>>b)%3])
			text.WriteByte('/')
		}
		fmt.Fprintf(&text, "z%d: {}\n", i)
	}
	r := described(t, text.String())
	for range 1000 {
		_ = r.Route("GET", "/"+strings.Repeat("aa/", 12)+"y")
	}
}

func FuzzOpenAPI(f *testing.F) {
	f.Add([]byte(inYAML))
	f.Add([]byte(inJSON))
	f.Add([]byte("a: &a [*a]\npaths: {<<: *a, ? [x] : y}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		d, err := route.ParseOpenAPI(content)
		if err != nil {
			return
		}
		r, err := route.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Describe(d)
		r.Route("GET", "/v1/users/7")
	})
}
