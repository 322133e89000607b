package flight

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	ended     [ways]prometheus.Counter
	unwritten prometheus.Counter
}

// labels are the ways as metrics name them.
var labels = [ways]string{"completed", "failed", "handed_back", "resolved", "passed"}

// New makes the ledger of a life that begins now. The gateway's name is that of
// its folder of state, whichever life it is.
func New(migration, gateway string, journal Journal, reg prometheus.Registerer) (*Ledger, error) {
	l := &Ledger{
		migration: migration, gateway: gateway, start: time.Now(), journal: journal, open: map[string]*Work{}, ended: map[string]bool{},
		metrics: &metrics{unwritten: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "understudy_gateway_inflight_write_errors_total", Help: "Writes of the ledger that Kafka has not taken at once; they are repeated.",
		})},
	}
	ends := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "understudy_gateway_inflight_ended_total", Help: "Requests that the candidate had accepted, by how they ended.",
	}, []string{"how"})
	for i := range ways {
		l.metrics.ended[i] = ends.WithLabelValues(labels[i])
	}
	gauge := func(name, help string, f func() uint64) error {
		return reg.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(f()) }))
	}
	return l, errors.Join(reg.Register(ends), reg.Register(l.metrics.unwritten),
		gauge("understudy_gateway_inflight_pending", "Requests that the candidate has accepted and whose completion is awaited.", func() uint64 { return l.Tally().Pending }),
		gauge("understudy_gateway_inflight_held", "Requests that the candidate has accepted and that wait for a person.", func() uint64 { return l.Tally().Held }))
}
