package proxy_test

import (
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// BenchmarkProxy is one request through a proxy in the same process: the engine
// of the run (both, one after the other) beside httputil.ReverseProxy over an
// equal Transport.
func BenchmarkProxy(b *testing.B) {
	answer := []byte(strings.Repeat("x", 1024))
	up := serve(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	run := func(b *testing.B, proxy string) {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
		defer client.CloseIdleConnections()
		b.ReportAllocs()
		for b.Loop() {
			r, err := client.Get("http://" + proxy + "/orders/42")
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
	}
	b.Run("gateway="+strings.ReplaceAll(engine, "/", "-"), func(b *testing.B) { run(b, proxyTo(b, up)) })
	b.Run("httputil", func(b *testing.B) {
		target, err := url.Parse("http://" + up)
		if err != nil {
			b.Fatal(err)
		}
		transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
		defer transport.CloseIdleConnections()
		run(b, serve(b, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport}))
	})
}
