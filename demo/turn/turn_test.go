package turn_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy.dev/demo/turn"
)

// TestUsersSeeWhatHappens: a lie, an answer that is none, and an effect that
// happens twice are all seen, and nothing else is.
func TestUsersSeeWhatHappens(t *testing.T) {
	shop, err := turn.NewShop()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { _ = shop.Run(ctx) })

	f := func(to string, lies bool, spoil func(http.ResponseWriter, *http.Request) bool, check func(turn.Counts) bool) {
		t.Helper()
		shop.Lie(lies)
		target, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		pass := httputil.NewSingleHostReverseProxy(target)
		door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if spoil == nil || !spoil(w, r) {
				pass.ServeHTTP(w, r)
			}
		}))
		defer door.Close()
		u := &turn.Users{URL: door.URL, N: 3, Pause: time.Millisecond}
		asking, enough := context.WithCancel(ctx)
		running.Go(func() {
			for u.Counts().Requests < 50 {
				time.Sleep(time.Millisecond)
			}
			enough()
		})
		u.Run(asking)
		if c := u.Counts(); c.Requests < 50 || !check(c) {
			t.Errorf("%+v", c)
		}
	}
	f(shop.Baseline, true, nil, func(c turn.Counts) bool { return c.Errors+c.Wrong+c.ByCandidate == 0 && c.Fault == "" })
	orders, doubled := shop.Effects()
	if n, _ := shop.Lies(); orders == 0 || doubled > 0 || n > 0 {
		t.Errorf("%d orders, %d doubled, %d lies", orders, doubled, n)
	}
	f(shop.Rehearsal, false, nil, func(c turn.Counts) bool { return c.ByCandidate == c.Requests && c.Errors+c.Wrong == 0 })
	if again, doubled := shop.Effects(); again != orders || doubled > 0 {
		t.Errorf("the rehearsal has effects: %d of %d, %d doubled", again, orders, doubled)
	}
	f(shop.Candidate, true, nil, func(c turn.Counts) bool { return c.Wrong == c.Requests && c.Errors == 0 })
	if _, doubled := shop.Effects(); doubled == 0 {
		t.Error("orders that were made twice are not seen")
	}
	if n, last := shop.Lies(); n < 50 || time.Since(last) > time.Minute {
		t.Errorf("%d lies, the last of %s", n, last)
	}
	f(shop.Baseline, false, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			http.Error(w, "no", http.StatusBadGateway)
		}
		return r.Method == http.MethodPost
	}, func(c turn.Counts) bool {
		return c.Errors > 0 && c.Errors < c.Requests && strings.Contains(c.Fault, `502 "no\n"`)
	})
}
