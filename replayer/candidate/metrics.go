package candidate

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	completed               *prometheus.CounterVec
	polls, refused, orphans prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "understudy", Subsystem: "candidate", Name: name, Help: help})
	}
	m := metrics{
		completed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "understudy", Subsystem: "candidate", Name: "completed_total", Help: "Accepted requests by the channel of their completion; none = it never came.",
		}, []string{"channel"}),
		polls:   counter("polls_total", "Polls of status monitors."),
		refused: counter("locations_refused_total", "Locations of the candidate that are not on its host."),
		orphans: counter("orphans_total", "Callbacks that belong to no request."),
	}
	for _, c := range []prometheus.Collector{m.completed, m.polls, m.refused, m.orphans} {
		if err := reg.Register(c); err != nil {
			return m, fmt.Errorf("candidate metrics: %w", err)
		}
	}
	return m, nil
}
