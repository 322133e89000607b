package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"understudy.dev/setting"
)

// admin is the listener apart from the traffic: /livez, /readyz, /metrics and
// pprof. It is off unless --admin gives an address.
type admin struct {
	registry *prometheus.Registry
	ready    atomic.Bool
	notice   atomic.Pointer[func() string] // what /readyz adds, if it is something; traffic is served all the same
	also     map[string]http.Handler
}

func newAdmin(own ...prometheus.Collector) *admin {
	r := prometheus.NewRegistry()
	r.MustRegister(own...)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return &admin{registry: r, also: map[string]http.Handler{}}
}

// start serves until stop is called. An empty address serves nothing.
func (a *admin) start(address string, log *slog.Logger) (stop func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("admin listener: %w; choose another address with --admin", err)
	}
	server := &http.Server{Handler: a.handler(), ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(newLibraryLog(log), slog.LevelWarn)}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(ln) }()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
			_ = server.Close()
		}
		<-done
	}, nil
}

func (a *admin) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !a.ready.Load() {
			http.Error(w, "starting or draining", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
		if notice := a.notice.Load(); notice != nil {
			if text := (*notice)(); text != "" {
				fmt.Fprintln(w, text)
			}
		}
	})
	mux.Handle("/metrics", promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{}))
	for pattern, h := range a.also {
		mux.Handle(pattern, h)
	}
	for path, h := range map[string]http.HandlerFunc{
		"": pprof.Index, "cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace,
	} {
		mux.HandleFunc("/debug/pprof/"+path, ownName(h))
	}
	return mux
}

// ownName refuses requests under a name that may be that of a web page whose
// owner has pointed it here: profiles show the command line and more. Metrics are
// asked for by the names of services, and hold no values.
func ownName(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !setting.IsOwnName(r.Host) {
			http.Error(w, "profiles are shown under localhost or an address only", http.StatusForbidden)
			return
		}
		h(w, r)
	}
}

func (a *app) adminFlag(c *cobra.Command) {
	c.Flags().StringVar(&a.cfg.Admin, "admin", a.cfg.Admin, "address of /livez, /readyz, /metrics and /debug/pprof; empty is off")
}
