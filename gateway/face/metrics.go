package face

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	fallbacks                          *prometheus.CounterVec
	answered, passed, refused, orphans prometheus.Counter
}

func newMetrics(f *Face, reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "understudy_gateway_face_" + name, Help: help})
	}
	m := &metrics{
		fallbacks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "understudy_gateway_face_fallbacks_total", Help: "Requests of the face that the baseline served, by why the candidate did not.",
		}, []string{"decision"}),
		answered: counter("answered_total", "Requests that got the candidate's answer."),
		passed:   counter("passed_total", "Requests of clients that await the completion themselves (Prefer: respond-async)."),
		refused:  counter("refused_total", "Requests that got 502 or 503 of the gateway's own: the candidate may have acted, or there is no baseline any more."),
		orphans:  counter("orphans_total", "Completions that came when nobody waited for them."),
	}
	gauge := func(name, help string, value func() float64) error {
		return reg.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "understudy_gateway_face_" + name, Help: help}, value))
	}
	return m, errors.Join(reg.Register(m.fallbacks), reg.Register(m.answered), reg.Register(m.passed), reg.Register(m.refused), reg.Register(m.orphans),
		gauge("waiting", "Requests that the candidate has been given and not completed.", func() float64 { return float64(f.count.Load()) }),
		gauge("body_bytes", "Bytes of request bodies that are kept for them.", func() float64 { return float64(f.memory.Load()) }),
		gauge("breaker_open", "1 while the candidate is not asked because it has failed several times in a row.", func() float64 {
			if f.breaker.isOpen() {
				return 1
			}
			return 0
		}))
}
