package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestProfilesAreForThisMachine: a web page whose owner points its name here does
// not get them; metrics are asked for by any name.
func TestProfilesAreForThisMachine(t *testing.T) {
	h := newAdmin().handler()
	for _, x := range []struct {
		host, path string
		want       int
	}{
		{"evil.example:9090", "/debug/pprof/cmdline", http.StatusForbidden},
		{"evil.example", "/debug/pprof/", http.StatusForbidden},
		{"evil.example", "/debug/pprof/goroutine", http.StatusForbidden},
		{"localhost.evil.example", "/debug/pprof/symbol", http.StatusForbidden},
		{"localhost:9090", "/debug/pprof/cmdline", http.StatusOK},
		{"127.0.0.1:9090", "/debug/pprof/", http.StatusOK},
		{"[::1]:9090", "/debug/pprof/cmdline", http.StatusOK},
		{"recorder.shop.svc:9090", "/metrics", http.StatusOK},
		{"recorder.shop.svc:9090", "/livez", http.StatusOK},
	} {
		r := httptest.NewRequest(http.MethodGet, x.path, http.NoBody)
		r.Host = x.host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != x.want {
			t.Errorf("%s of %s: %d %s", x.path, x.host, w.Code, strings.TrimSpace(w.Body.String()))
		}
	}
}
