package recorder

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/redact"
	"understudy.dev/recorder/books"
)

// metrics shows the books as they are when Prometheus asks, so that a request
// pays for no counter of its own.
type metrics struct {
	r           *Recorder
	tallyErrors prometheus.Counter
	violations  prometheus.Counter
	cuts        map[string]prometheus.Counter
	withheld    map[string]prometheus.Counter
}

var (
	descServed   = prometheus.NewDesc("understudy_recorder_served_total", "Requests that consumed a sequence number.", nil, nil)
	descRecorded = prometheus.NewDesc("understudy_recorder_recorded_total", "Exchanges that the sink acknowledged.", nil, nil)
	descDropped  = prometheus.NewDesc("understudy_recorder_dropped_total", "Requests served and not recorded, by reason.", []string{"reason"}, nil)
	descPending  = prometheus.NewDesc("understudy_recorder_pending", "Requests and exchanges that are not settled, by where they are: under_way, queued, sink.", []string{"place"}, nil)
	descSpooled  = prometheus.NewDesc("understudy_recorder_spooled", "Exchanges on disk that Kafka does not have yet.", nil, nil)
	descExcess   = prometheus.NewDesc("understudy_recorder_excess", "Recorded, dropped, spooled and pending together, less served; anything but 0 is a fault of the recorder.", nil, nil)
	descBytes    = prometheus.NewDesc("understudy_recorder_captured_bytes", "Bytes of captured heads and bodies held now.", nil, nil)
	descQueue    = prometheus.NewDesc("understudy_recorder_queue_length", "Exchanges that wait for the sink.", nil, nil)
)

// Why a body was cut, as the metric's label says it.
const (
	cutByLimit    = "limit"
	cutByMemory   = "memory"
	cutByTransfer = "transfer"
)

func newMetrics(r *Recorder, reg prometheus.Registerer) (*metrics, error) {
	cuts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "understudy_recorder_bodies_cut_total",
		Help: "Bodies recorded as truncated: beyond the capture limit, beyond the memory limit, or cut off in transfer.",
	}, []string{"reason"})
	withheld := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "understudy_recorder_bodies_withheld_total",
		Help: "Bodies that redaction kept in part or not at all, because nothing could tell what is secret in them, by reason.",
	}, []string{"reason"})
	m := &metrics{
		r: r,
		tallyErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "understudy_recorder_tally_errors_total", Help: "Tallies that the sink did not take.",
		}),
		violations: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "understudy_recorder_balance_violations_total", Help: "Times that the books were found not to balance.",
		}),
		cuts: map[string]prometheus.Counter{}, withheld: map[string]prometheus.Counter{},
	}
	for _, reason := range redact.Withheld() {
		m.withheld[reason] = withheld.WithLabelValues(reason)
	}
	for _, reason := range []string{cutByLimit, cutByMemory, cutByTransfer} {
		m.cuts[reason] = cuts.WithLabelValues(reason)
	}
	if err := errors.Join(reg.Register(m), reg.Register(m.tallyErrors), reg.Register(m.violations), reg.Register(cuts), reg.Register(withheld)); err != nil {
		return nil, fmt.Errorf("register recorder metrics: %w", err)
	}
	return m, nil
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descServed, descRecorded, descDropped, descPending, descSpooled, descExcess, descBytes, descQueue} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	c := m.r.books.Tally()
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	send(descServed, prometheus.CounterValue, float64(c.Served))
	send(descRecorded, prometheus.CounterValue, float64(c.Recorded))
	for _, reason := range books.Reasons() {
		send(descDropped, prometheus.CounterValue, float64(c.Dropped[reason]), reason)
	}
	send(descPending, prometheus.GaugeValue, float64(c.UnderWay), "under_way")
	send(descPending, prometheus.GaugeValue, float64(c.Queued), "queued")
	send(descPending, prometheus.GaugeValue, float64(c.InSink), "sink")
	send(descSpooled, prometheus.GaugeValue, float64(c.Spooled))
	send(descExcess, prometheus.GaugeValue, float64(c.Excess()))
	send(descBytes, prometheus.GaugeValue, float64(c.Bytes))
	send(descQueue, prometheus.GaugeValue, float64(len(m.r.pending)))
}

func (m *metrics) countCuts(t *tapWriter) {
	for _, b := range []*capture{&t.request, &t.response} {
		switch {
		case b.starved:
			m.cuts[cutByMemory].Inc()
		case b.message.Cut():
			m.cuts[cutByLimit].Inc()
		case !b.ended && (b == &t.request || t.status != 0):
			m.cuts[cutByTransfer].Inc()
		}
	}
}
