package main

import (
	"crypto/rand"
	"net/http"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/message"
	"understudy.dev/gateway/proxy"
)

// hop knows requests that come back to the recorder which has sent them: its
// baseline is itself, or leads to it. Without it one such request would go round
// until something breaks.
type hop struct {
	mark  string
	loops prometheus.Counter
}

func newHop(reg prometheus.Registerer) *hop {
	h := &hop{mark: rand.Text(), loops: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "understudy_recorder_loops_total", Help: "Requests refused with 508 because this recorder had sent them itself.",
	})}
	reg.MustRegister(h.loops)
	return h
}

// proxyMark is the same for a proxy that needs no handler.
func (h *hop) proxyMark() proxy.Mark {
	return proxy.Mark{Name: message.HopMark, Value: h.mark, Met: h.loops.Inc}
}

// refuse answers what has come back. It goes around the recorder: the request
// was counted when it came first.
func (h *hop) refuse(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(r.Header[message.HopMark], h.mark) {
			h.loops.Inc()
			http.Error(w, "the recorder's baseline is the recorder itself", http.StatusLoopDetected)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// send marks what goes to the baseline. It goes behind the recorder, which has
// taken the head by then.
func (h *hop) send(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header[message.HopMark] = append(r.Header[message.HopMark], h.mark)
		next.ServeHTTP(w, r)
	})
}
