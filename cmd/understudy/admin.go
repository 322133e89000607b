package main

import (
	"context"
	"crypto/tls"
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

	"understudy.dev/exchange/access"
	"understudy.dev/setting"
)

// admin is the listener apart from the traffic: /livez and /readyz for everybody,
// and for those that admin_access lets through /metrics, pprof and what a command
// adds. It is off unless --admin gives an address.
type admin struct {
	access   access.Config
	registry *prometheus.Registry
	ready    atomic.Int32                  // starting, serving or draining
	notice   atomic.Pointer[func() string] // what /readyz adds, if it is something; traffic is served all the same
	also     map[string]guarded
}

// guarded is a handler that says by itself which role it takes.
type guarded func(*access.Guard) http.Handler

func newAdmin(cfg access.Config, own ...prometheus.Collector) *admin {
	r := prometheus.NewRegistry()
	r.MustRegister(own...)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return &admin{access: cfg, registry: r, also: map[string]guarded{}}
}

// start serves until stop is called. An empty address serves nothing.
func (a *admin) start(address string, log *slog.Logger) (stop func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	guard, err := a.guard(log)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("admin listener: %w; choose another address with --admin", err)
	}
	sayIfOpen(ln.Addr(), a.access, log)
	if t := guard.TLS(); t != nil {
		ln = tls.NewListener(ln, t)
	}
	server := &http.Server{Handler: a.handler(guard), ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(newLibraryLog(log), slog.LevelWarn)}
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

func (a *admin) guard(log *slog.Logger) (*access.Guard, error) {
	guard, err := access.New(a.access, log, a.registry)
	if err != nil {
		var ps setting.Problems
		ps.Under("admin_access", err)
		return nil, usagef("%w", ps.Err())
	}
	return guard, nil
}

// sayIfOpen says what an address that others reach gives them.
func sayIfOpen(at net.Addr, cfg access.Config, log *slog.Logger) {
	if tcp, ok := at.(*net.TCPAddr); !ok || tcp.IP.IsLoopback() {
		return
	}
	switch {
	case !cfg.Given():
		log.Warn("the admin listener can be reached from other machines and asks nobody who they are: these get /livez, /readyz and /metrics, and nothing else; admin_access.operate_token_file lets them do more, a loopback address keeps them out",
			"admin", at.String())
	case cfg.CertFile == "":
		log.Warn("tokens of the admin listener cross the network in clear: admin_access.cert_file makes it speak TLS", "admin", at.String())
	}
}

// What /readyz tells of a process.
const (
	starting int32 = iota
	serving
	draining
)

// serve says that requests are welcome, unless it ends already; drain, that no more
// are.
func (a *admin) serve() { a.ready.CompareAndSwap(starting, serving) }
func (a *admin) drain() { a.ready.Store(draining) }

func (a *admin) handler(guard *access.Guard) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if a.ready.Load() != serving {
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
	mux.Handle("/metrics", guard.RequireAnyHost(access.View, promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{})))
	for pattern, h := range a.also {
		mux.Handle(pattern, h(guard))
	}
	for path, h := range map[string]http.HandlerFunc{
		"": pprof.Index, "cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace,
	} {
		// Profiles show the command line and cost time.
		mux.Handle("/debug/pprof/"+path, guard.Require(access.Operate, h))
	}
	return mux
}

func (a *app) adminFlag(c *cobra.Command) {
	c.Flags().StringVar(&a.cfg.Admin, "admin", a.cfg.Admin, "address of /livez, /readyz, /metrics and /debug/pprof; empty is off")
	c.Flags().StringVar(&a.cfg.AdminAccess.ViewTokenFile, "admin-view-token-file", a.cfg.AdminAccess.ViewTokenFile, "file of the bearer tokens that may look at the admin listener")
	c.Flags().StringVar(&a.cfg.AdminAccess.OperateTokenFile, "admin-operate-token-file", a.cfg.AdminAccess.OperateTokenFile, "file of the bearer tokens that may also turn the kill switch and take profiles")
}
