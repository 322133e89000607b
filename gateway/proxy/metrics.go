package proxy

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	failures map[string]prometheus.Counter
	upgrades prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	failed := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "understudy_gateway_failures_total",
		Help: "Requests that got no whole answer from the upstream, by kind.",
	}, []string{"kind"})
	m := &metrics{
		failures: make(map[string]prometheus.Counter, len(failures)),
		upgrades: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "understudy_gateway_upgraded_connections",
			Help: "Connections that are tunnelled after an upgrade.",
		}),
	}
	for kind := range failures {
		m.failures[kind] = failed.WithLabelValues(kind)
	}
	if err := errors.Join(reg.Register(failed), reg.Register(m.upgrades)); err != nil {
		return nil, fmt.Errorf("register gateway metrics: %w", err)
	}
	return m, nil
}
