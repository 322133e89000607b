package replayer

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	sent    prometheus.Counter
	skipped *prometheus.CounterVec
	lag     prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, b *books) (metrics, error) {
	m := metrics{
		sent: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "understudy", Subsystem: "replayer", Name: "sent_total", Help: "Requests sent to the candidate."}),
		skipped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "understudy", Subsystem: "replayer", Name: "skipped_total", Help: "Exchanges selected and not sent, by reason.",
		}, []string{"reason"}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "understudy", Subsystem: "replayer", Name: "lag_seconds", Help: "Actual minus intended send time.",
			Buckets: []float64{.00005, .0001, .0002, .0005, .001, .002, .005, .01, .1, 1, 10},
		}),
	}
	inFlight := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "understudy", Subsystem: "replayer", Name: "in_flight", Help: "Requests sent, or waiting for their session, and not finished.",
	}, func() float64 { return float64(b.progress().InFlight) })
	for _, c := range []prometheus.Collector{m.sent, m.skipped, m.lag, inFlight} {
		if err := reg.Register(c); err != nil {
			return m, fmt.Errorf("replayer metrics: %w", err)
		}
	}
	return m, nil
}
