package target

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// receiver is the server that candidates call back. Each request gets a path
// of its own that cannot be guessed, which is the correlation.
type receiver struct {
	c    *Client
	root string

	mu      sync.Mutex
	waiting map[string]*waiter
}

// waiter is a request that waits for its callback.
type waiter struct {
	path  string
	calls chan call
}

type call struct {
	answer *understudyv1.Response
	at     time.Time
	orphan *understudyv1.Orphan // what it is if nobody looks at it
}

// maxCalls bounds the callbacks of one request that wait to be looked at;
// further ones are answered 429.
const maxCalls = 64

const callbackRoot = "/understudy/callback/"

func newReceiver(c *Client) *receiver { return &receiver{c: c, waiting: map[string]*waiter{}} }

func (r *receiver) start(ctx context.Context) (stop func(), err error) {
	ln, err := r.c.cfg.network().Listen(ctx, "tcp", r.c.cfg.CallbackListen)
	if err != nil {
		return nil, fmt.Errorf("listen for callbacks: %w; choose another address (--callback-listen)", err)
	}
	r.root = strings.TrimSuffix(r.c.cfg.CallbackURL, "/")
	if r.root == "" {
		r.root = "http://" + ln.Addr().String()
	}
	server := &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(ln) }()
	return func() { _ = server.Close(); <-done }, nil
}

func (r *receiver) expect() *waiter {
	w := &waiter{path: callbackRoot + rand.Text(), calls: make(chan call, maxCalls)}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting[w.path] = w
	return w
}

// forget ends the wait; callbacks that came and were not looked at belong to no
// request any more.
func (r *receiver) forget(w *waiter) {
	r.mu.Lock()
	delete(r.waiting, w.path)
	r.mu.Unlock()
	for {
		select {
		case left := <-w.calls:
			r.orphaned(left)
		default:
			return
		}
	}
}

func (r *receiver) orphaned(c call) {
	r.c.metrics.callbacks.WithLabelValues(callbackOrphan).Inc()
	r.c.orphan(c.orphan)
}

// deliver hands a callback to the request that waits for it.
func (r *receiver) deliver(path string, c call) (known, taken bool) {
	r.mu.Lock() // or it could be forgotten meanwhile
	defer r.mu.Unlock()
	w := r.waiting[path]
	if w == nil {
		return false, false
	}
	select {
	case w.calls <- c:
		return true, true
	default:
		return true, false
	}
}

func (r *receiver) url(w *waiter) string { return r.root + w.path }

// ServeHTTP takes one callback: for a request that waits, or an orphan. An
// address may be validated before it is called.
func (r *receiver) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	at := time.Now()
	if handshake(rw, req) {
		r.c.metrics.callbacks.WithLabelValues(callbackHandshake).Inc()
		return
	}
	body, err := r.c.direct.capture(http.MaxBytesReader(rw, req.Body, 64<<20), req.ContentLength)
	if err != nil {
		status := http.StatusBadRequest
		var tooLong *http.MaxBytesError
		if errors.As(err, &tooLong) {
			status = http.StatusRequestEntityTooLarge
		}
		r.reject(rw, "callback not understood", status)
		return
	}
	c := call{
		at:     at,
		answer: &understudyv1.Response{Status: http.StatusOK, Protocol: req.Proto, Headers: headers(req.Header), Body: body},
		orphan: &understudyv1.Orphan{
			Channel: understudyv1.Channel_CHANNEL_CALLBACK, TimeUnixNano: at.UnixNano(),
			Received: &understudyv1.Request{
				Method: req.Method, Target: []byte(cut(req.RequestURI)), Authority: req.Host, Scheme: "http", Protocol: req.Proto,
				Headers: headers(req.Header), Body: body,
			},
		},
	}
	switch known, taken := r.deliver(req.URL.Path, c); {
	case taken:
		r.c.metrics.callbacks.WithLabelValues(callbackTaken).Inc()
		rw.WriteHeader(http.StatusNoContent)
	case known:
		r.reject(rw, "too many callbacks", http.StatusTooManyRequests)
	default:
		r.orphaned(c)
		http.Error(rw, "no request waits for this callback", http.StatusGone)
	}
}

func (r *receiver) reject(rw http.ResponseWriter, why string, status int) {
	r.c.metrics.callbacks.WithLabelValues(callbackRejected).Inc()
	http.Error(rw, why, status)
}
