package candidate

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	randv2 "math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"understudy.dev/demo/fault"
	"understudy.dev/demo/shop"
)

// maxBody bounds a request body, in bytes.
const maxBody = 1 << 20

// Config of the candidate.
type Config struct {
	// Authorization is the value of that header that requests must carry;
	// others are answered 401.
	Authorization string
	// Faults notes the faults that are planted; nil plants none.
	Faults *fault.Book
	// Callbacks sends callbacks; nil takes http.DefaultTransport.
	Callbacks http.RoundTripper
}

// Candidate is the asynchronous order service. It serves requests while Run
// runs.
type Candidate struct {
	cfg    Config
	shop   *shop.Shop
	mux    *http.ServeMux
	client *http.Client

	jobs    chan *job
	waiting atomic.Int64 // jobs accepted and not finished

	mu         sync.Mutex
	operations map[string]*operation
	ids        []string         // of operations, oldest first
	pairs      map[string]*pair // by base reference
	recent     [2]shop.Order    // the last orders of two customers, the newest first
}

// New makes an empty order service; nothing runs before Run.
func New(cfg Config) *Candidate {
	c := &Candidate{
		cfg:        cfg,
		shop:       shop.New(func(string) string { return newID() }),
		mux:        http.NewServeMux(),
		client:     &http.Client{Transport: cfg.Callbacks, Timeout: 2 * time.Second},
		jobs:       make(chan *job, 64),
		operations: map[string]*operation{},
		pairs:      map[string]*pair{},
	}
	c.routes()
	return c
}

// ServeHTTP answers one request.
func (c *Candidate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Request-Id", newID())
	c.mux.ServeHTTP(w, r)
}

func (c *Candidate) routes() {
	handle := func(pattern string, f func(*request) answer) {
		c.mux.Handle(pattern, c.guard(f))
	}
	handle("POST /orders", c.create)
	handle("GET /orders/{id}", c.read)
	handle("PATCH /orders/{id}", c.change)
	handle("DELETE /orders/{id}", c.remove)
	handle("POST /orders/{id}/payments", c.pay)
	handle("POST /orders/{id}/cancel", c.cancel)
	handle("GET /customers/{id}/orders", c.list)
	handle("GET /products", c.search)
	handle("POST /quotes", c.quote)
	handle("POST /customers", c.register)
	handle("POST /sessions", c.login)
	handle("DELETE /sessions/current", c.logout)
	handle("GET /products/export", c.export)
	c.mux.HandleFunc("GET /operations/{id}", c.operation)
}

// request is an HTTP request with what decides about faults.
type request struct {
	*http.Request
	reference string
	fault     fault.Name
}

// guard checks the credential, finds the fault that hits the request and
// writes the answer.
func (c *Candidate) guard(f func(*request) answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != c.cfg.Authorization {
			refuse(&shop.Error{Status: http.StatusUnauthorized, Code: "unauthorized",
				Message: "the Authorization header is not the candidate's"}).write(w)
			return
		}
		in := &request{Request: r, reference: r.Header.Get(fault.Header)}
		if c.cfg.Faults != nil {
			in.fault = fault.Decide(r.Pattern, in.reference)
		}
		pause(r.Context(), time.Millisecond+randv2.N(3*time.Millisecond))
		f(in).write(w)
	})
}

// hit says whether the fault hits this request, and notes it if it does.
func (c *Candidate) hit(in *request, name fault.Name) bool {
	return in.fault == name && c.cfg.Faults.Plant(name, in.reference)
}

// decode reads a body and checks it.
func decode[T interface{ Validate() error }](in *request) (T, error) {
	var v T
	body, err := io.ReadAll(http.MaxBytesReader(nil, in.Body, maxBody))
	if err != nil {
		return v, &shop.Error{Status: http.StatusBadRequest, Code: "malformed", Message: "the body could not be read"}
	}
	if err := shop.Decode(body, &v); err != nil {
		return v, err
	}
	return v, v.Validate()
}

// pause waits, at most until ctx ends; it is false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// newID is a random UUID, version 4.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
