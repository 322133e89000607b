package gateway

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	decisions *prometheus.CounterVec
	odd       *prometheus.CounterVec
	retreats  prometheus.Counter
	refused   prometheus.Counter
	unsaved   prometheus.Counter
}

func newMetrics(g *Gateway, reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "understudy_gateway_decisions_total", Help: "Requests by the stage of their route, the side that was chosen, and why.",
		}, []string{"stage", "side", "decision"}),
		odd: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "understudy_gateway_odd_steps_total", Help: "Steps of the migration that do not count because another came first (stale), or that are not understood and count as the baseline (unknown).",
		}, []string{"reason"}),
		retreats: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "understudy_gateway_fallbacks_total", Help: "Requests that went to the baseline because the candidate could not be reached and nothing had been sent to it.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "understudy_gateway_fallbacks_refused_total", Help: "Requests that got 502 because the candidate could not be reached and the stage is complete.",
		}),
		unsaved: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "understudy_gateway_state_write_errors_total", Help: "Steps that could not be written to the folder of the state.",
		}),
	}
	err := errors.Join(reg.Register(m.decisions), reg.Register(m.odd), reg.Register(m.retreats), reg.Register(m.refused), reg.Register(m.unsaved))
	gauge := func(name, help string, f func() float64) {
		err = errors.Join(err, reg.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f)))
	}
	gauge("understudy_gateway_kill_switch", "1 while the kill switch sends everybody to the baseline.", func() float64 { return number(g.kill.On()) })
	gauge("understudy_gateway_stages_version", "Number of the last step of the migration that is known, 0 if none is.", func() float64 { return float64(g.state.Load().Version()) })
	gauge("understudy_gateway_stages_age_seconds", "Time since the steps were last known to be all that Kafka has; +Inf if they never were.", func() float64 {
		if at := g.current.Load(); at != 0 {
			return time.Since(time.Unix(0, at)).Seconds()
		}
		return math.Inf(1)
	})
	if g.file != nil {
		gauge("understudy_gateway_flag_file_good", "1 while the file of flags is used, 0 while what was good last is.", func() float64 { return number(g.file.Good()) })
	}
	if err != nil {
		return nil, fmt.Errorf("register gateway metrics: %w", err)
	}
	return m, nil
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
