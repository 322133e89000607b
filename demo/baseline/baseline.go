// Package baseline is the demo's synchronous order service: every request is
// answered when its work is done.
package baseline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"understudy.dev/demo/shop"
)

// maxBody bounds a request body, in bytes.
const maxBody = 1 << 20

type server struct {
	shop *shop.Shop
	next atomic.Int64
	work func() time.Duration
}

// New makes an empty order service. It asks for an Authorization header of
// any kind and takes 2 to 8 ms for a request.
func New() http.Handler {
	return withLatency(func() time.Duration { return 2*time.Millisecond + rand.N(6*time.Millisecond) })
}

func withLatency(work func() time.Duration) http.Handler {
	s := &server{work: work}
	s.next.Store(1000)
	s.shop = shop.New(s.id)
	mux := http.NewServeMux()
	handle := func(pattern string, f func(*http.Request) (int, any, error)) {
		mux.Handle(pattern, s.answer(func(_ http.Header, r *http.Request) (int, any, error) { return f(r) }))
	}
	handle("POST /orders", s.create)
	handle("GET /orders/{id}", s.read)
	handle("PATCH /orders/{id}", s.change)
	handle("DELETE /orders/{id}", s.remove)
	handle("POST /orders/{id}/payments", s.pay)
	handle("POST /orders/{id}/cancel", s.cancel)
	handle("GET /customers/{id}/orders", s.list)
	handle("GET /products", s.search)
	handle("POST /quotes", s.quote)
	mux.Handle("POST /customers", s.answer(s.register))
	mux.Handle("POST /sessions", s.answer(s.login))
	mux.Handle("DELETE /sessions/current", s.answer(s.logout))
	mux.Handle("GET /products/export", s.guard(http.HandlerFunc(s.export)))
	return mux
}

// id numbers things in one sequence: ord_1001, pay_1002, …
func (s *server) id(kind string) string { return fmt.Sprintf("%.3s_%d", kind, s.next.Add(1)) }

// guard asks for a credential and takes its time.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", s.id("req"))
		if strings.TrimSpace(r.Header.Get("Authorization")) == "" {
			write(w, http.StatusUnauthorized, failure(&shop.Error{Code: "unauthorized", Message: "an Authorization header is needed"}))
			return
		}
		time.Sleep(s.work())
		next.ServeHTTP(w, r)
	})
}

// answer turns a function that does the work, and may set header fields of the
// answer, into a handler.
func (s *server) answer(f func(http.Header, *http.Request) (int, any, error)) http.Handler {
	return s.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, body, err := f(w.Header(), r)
		if refusal := (*shop.Error)(nil); errors.As(err, &refusal) {
			status, body = refusal.Status, failure(refusal)
		} else if err != nil {
			status, body = http.StatusBadRequest, failure(&shop.Error{Code: "malformed", Message: "the body could not be read"})
		}
		write(w, status, body)
	}))
}

func write(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "the answer has no JSON form", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(text)
}

// decode reads a body and checks it.
func decode[T interface{ Validate() error }](r *http.Request) (T, error) {
	var v T
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return v, fmt.Errorf("read body: %w", err)
	}
	if err := shop.Decode(body, &v); err != nil {
		return v, err
	}
	return v, v.Validate()
}
