package candidate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
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
}

// maxCalls bounds the callbacks of one request that wait to be looked at;
// further ones are answered 429.
const maxCalls = 64

const callbackRoot = "/understudy/callback/"

func newReceiver(c *Client) *receiver { return &receiver{c: c, waiting: map[string]*waiter{}} }

func (r *receiver) start(ctx context.Context) (stop func(), err error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", r.c.cfg.CallbackListen)
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

func (r *receiver) forget(w *waiter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, w.path)
}

func (r *receiver) url(w *waiter) string { return r.root + w.path }

// ServeHTTP takes one callback: for a request that waits, or an orphan.
func (r *receiver) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	at := time.Now()
	body, err := r.c.capture(http.MaxBytesReader(rw, req.Body, 64<<20), req.ContentLength)
	if err != nil {
		status := http.StatusBadRequest
		var tooLong *http.MaxBytesError
		if errors.As(err, &tooLong) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(rw, "callback not understood", status)
		return
	}
	r.mu.Lock()
	w := r.waiting[req.URL.Path]
	r.mu.Unlock()
	if w == nil {
		r.c.metrics.orphans.Inc()
		r.c.orphan(&understudyv1.Orphan{
			Channel: understudyv1.Channel_CHANNEL_CALLBACK, TimeUnixNano: at.UnixNano(),
			Received: &understudyv1.Request{
				Method: req.Method, Target: []byte(cut(req.RequestURI)), Authority: req.Host, Scheme: "http", Protocol: req.Proto,
				Headers: headers(req.Header), Body: body,
			},
		})
		http.Error(rw, "no request waits for this callback", http.StatusGone)
		return
	}
	answer := &understudyv1.Response{Status: http.StatusOK, Protocol: req.Proto, Headers: headers(req.Header), Body: body}
	select {
	case w.calls <- call{answer, at}:
		rw.WriteHeader(http.StatusNoContent)
	default:
		http.Error(rw, "too many callbacks", http.StatusTooManyRequests)
	}
}
