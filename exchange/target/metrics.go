package target

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	completed, callbacks   *prometheus.CounterVec
	polls, refused, resent prometheus.Counter
}

// What becomes of a callback.
const (
	callbackTaken     = "taken"
	callbackOrphan    = "orphan"
	callbackRejected  = "rejected"
	callbackHandshake = "handshake"
	callbackUnsigned  = "unsigned"
)

func newMetrics(reg prometheus.Registerer) (metrics, error) {
	opts := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "understudy", Subsystem: "candidate", Name: name, Help: help}
	}
	m := metrics{
		completed: prometheus.NewCounterVec(opts("completed_total", "Accepted requests by the channel of their completion; none = it never came."), []string{"channel"}),
		callbacks: prometheus.NewCounterVec(opts("callbacks_total", "Callbacks received: taken, orphan (no request waits for it), rejected (not readable, or too many), handshake (a sender asked whether it may call), unsigned (its signature is missing or wrong)."), []string{"result"}),
		polls:     prometheus.NewCounter(opts("polls_total", "Polls of status monitors.")),
		refused:   prometheus.NewCounter(opts("locations_refused_total", "Locations of the candidate that are not on its host.")),
		resent:    prometheus.NewCounter(opts("resent_total", "Requests sent over another connection because nothing of them could be written to an idle one; what was written is never sent again.")),
	}
	for _, c := range []prometheus.Collector{m.completed, m.callbacks, m.polls, m.refused, m.resent} {
		if err := reg.Register(c); err != nil {
			return m, fmt.Errorf("candidate metrics: %w", err)
		}
	}
	return m, nil
}
