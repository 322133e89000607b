package main

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// refusals counts the HTTP/1 connections that ended with a request which
// reached no handler, and so has no sequence number: net/http has refused its
// head (400, 417, 431, 505), or it broke off. net/http reports no such request,
// but a connection is in StateActive from the first byte of a head until its
// handler has ended. What it does not show is a head of less than 15 bytes, a bad
// head in the same packets as the good request before it, and single streams of
// HTTP/2.
type refusals struct {
	count prometheus.Counter
	conns sync.Map // net.Conn → *connMark
}

// connMark is what a connection is about.
type connMark struct {
	active  atomic.Bool
	handled atomic.Bool // since it became active
}

type connMarkKey struct{}

func newRefusals(reg prometheus.Registerer) *refusals {
	r := &refusals{count: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "understudy_recorder_refused_before_handler_total",
		Help: "Connections that ended with a request whose head was refused (400, 417, 431, 505) or broke off; it is not among the served.",
	})}
	reg.MustRegister(r.count)
	return r
}

// watch makes the server tell of its connections and handlers.
func (r *refusals) watch(s *http.Server) {
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		m := new(connMark)
		r.conns.Store(c, m)
		return context.WithValue(ctx, connMarkKey{}, m)
	}
	s.ConnState = r.state
	next := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		if m, ok := in.Context().Value(connMarkKey{}).(*connMark); ok {
			m.handled.Store(true)
		}
		next.ServeHTTP(w, in)
	})
}

func (r *refusals) state(c net.Conn, s http.ConnState) {
	v, ok := r.conns.Load(c)
	if !ok {
		return
	}
	m := v.(*connMark)
	switch s {
	case http.StateActive:
		m.active.Store(true)
		m.handled.Store(false)
	case http.StateIdle:
		m.active.Store(false)
	case http.StateClosed, http.StateHijacked:
		if m.active.Load() && !m.handled.Load() {
			r.count.Inc()
		}
		r.conns.Delete(c)
	}
}
