package baseline

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestRefusals(t *testing.T) {
	h := withLatency(func() time.Duration { return 0 })
	f := func(method, path, credential, body string, status int, part string) {
		t.Helper()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", credential)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status || !strings.Contains(w.Body.String(), part) {
			t.Errorf("%s %s: %d %s, want %d %s", method, path, w.Code, w.Body, status, part)
		}
	}
	f("GET", "/products?search=oak", "", "", 401, "unauthorized")
	f("GET", "/products?search=oak", "x", "", 200, `"count":2`)
	f("POST", "/orders", "x", `{`, 400, "malformed")
	f("POST", "/orders", "x", `{"items":"none"}`, 400, "malformed")
	f("POST", "/orders", "x", `{}`, 422, "customer, items")
	f("POST", "/orders", "x", strings.Repeat(" ", maxBody+1), 400, "could not be read")
	f("POST", "/orders", "x", `{"customer":"c","items":[{"sku":"mug-blue","quantity":1,"price":8.90}]}`, 201, `"price":8.90`)
	f("GET", "/orders/ord_0", "x", "", 404, "not_found")
	f("PATCH", "/orders/ord_0", "x", `{}`, 422, "note")
	f("POST", "/orders/ord_0/payments", "x", `{"amount":1,"method":"gold"}`, 422, "method")
	f("GET", "/customers/c/orders?limit=0", "x", "", 422, "limit")
	f("GET", "/customers/c/orders?limit=1", "x", "", 200, `"total_count":1`)
	f("POST", "/customers", "x", `{"email":"nobody"}`, 422, "email")
	f("POST", "/sessions", "x", `{"email":"a@example.com"}`, 401, "nobody has this address")
	f("POST", "/customers", "x", `{"email":"a@example.com"}`, 201, `"id":"cus_`)
	f("POST", "/sessions", "x", `{"email":"a@example.com"}`, 200, `"token":"eyJ`)
	f("GET", "/products/export", "", "", 401, "unauthorized")
	f("GET", "/products/export", "x", "", 200, "2025-12-31,mug-white,")
	f("GET", "/nowhere", "x", "", 404, "")
}
