package stream

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type consumerMetrics struct {
	records, batches, commits, errors prometheus.Counter
}

// newConsumerMetrics registers the metrics; lag is called at each scrape.
func newConsumerMetrics(reg prometheus.Registerer, lag func() float64) (consumerMetrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "understudy", Subsystem: "consumer", Name: name, Help: help})
	}
	m := consumerMetrics{
		records: counter("records_total", "Records handled and committed."),
		batches: counter("batches_total", "Batches handled and committed."),
		commits: counter("commits_total", "Offset commits that Kafka accepted."),
		errors:  counter("errors_total", "Fetch errors and failed tries to handle or commit a batch."),
	}
	behind := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "understudy", Subsystem: "consumer", Name: "lag_records",
		Help: "Offsets of the assigned partitions, as last fetched, that are not handled and committed yet.",
	}, lag)
	for _, c := range []prometheus.Collector{m.records, m.batches, m.commits, m.errors, behind} {
		if err := reg.Register(c); err != nil {
			return m, fmt.Errorf("consumer metrics: %w", err)
		}
	}
	return m, nil
}
