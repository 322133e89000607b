package candidate

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const draft = `{"customer":"c","items":[{"sku":"mug-blue","quantity":1,"price":8.90}],"note":"%s"}`

// with runs a candidate for the length of a test in virtual time.
func with(t *testing.T, f func(ask func(session, method, path, body string) *httptest.ResponseRecorder)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := New(Config{Authorization: "key"})
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		f(func(session, method, path, body string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header.Set("Authorization", "key")
			r.Header.Set("X-Session-Id", session)
			w := httptest.NewRecorder()
			c.ServeHTTP(w, r)
			return w
		})
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestOperationRunsAndEnds(t *testing.T) {
	with(t, func(ask func(session, method, path, body string) *httptest.ResponseRecorder) {
		w := ask("s", "POST", "/orders", fmt.Sprintf(draft, ""))
		at := w.Header().Get("Operation-Location")
		if w.Code != http.StatusAccepted || at == "" {
			t.Fatalf("%d, Operation-Location %q", w.Code, at)
		}
		if w = ask("s", "GET", at, ""); !strings.Contains(w.Body.String(), `"running"`) {
			t.Errorf("at once: %s", w.Body)
		}
		time.Sleep(50 * time.Millisecond)
		if w = ask("s", "GET", at, ""); !strings.Contains(w.Body.String(), `"status":"succeeded","status_code":201,"result":{`) {
			t.Errorf("later: %s", w.Body)
		}
		if w = ask("s", "GET", "/operations/none", ""); w.Code != http.StatusNotFound {
			t.Errorf("unknown operation: %d", w.Code)
		}
	})
}

func TestSessionsKeepTheirOrderAndWaitForNobodyElse(t *testing.T) {
	with(t, func(ask func(session, method, path, body string) *httptest.ResponseRecorder) {
		for i := range 20 {
			ask("one", "POST", "/orders", fmt.Sprintf(draft, fmt.Sprint("note ", i)))
		}
		at := ask("two", "POST", "/orders", fmt.Sprintf(draft, "")).Header().Get("Operation-Location")
		time.Sleep(25 * time.Millisecond)
		if w := ask("two", "GET", at, ""); !strings.Contains(w.Body.String(), "succeeded") {
			t.Errorf("the other session waits: %s", w.Body)
		}
		time.Sleep(time.Second)
		list := ask("one", "GET", "/customers/c/orders?limit=100", "").Body.String()
		before := -1
		for i := range 20 {
			at := strings.Index(list, fmt.Sprintf(`"note %d"`, i))
			if at < before {
				t.Errorf("order %d is not in its place", i)
			}
			before = at
		}
	})
}

func TestOnlyItsCredentialAndOnlyThisMachine(t *testing.T) {
	c := New(Config{Authorization: "key"})
	r := httptest.NewRequest("GET", "/products", nil)
	r.Header.Set("Authorization", "another")
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("another credential: %d", w.Code)
	}
	r = httptest.NewRequest("POST", "/orders/1/payments", strings.NewReader(`{"amount":1,"method":"card"}`))
	r.Header.Set("Authorization", "key")
	r.Header.Set("Callback-Url", "http://elsewhere.example/x")
	w = httptest.NewRecorder()
	c.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest {
		t.Errorf("a callback to another machine: %d", w.Code)
	}
}
