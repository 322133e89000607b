package stream

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
)

type consumerMetrics struct {
	records, batches, commits, errors prometheus.Counter
}

func newConsumerMetrics(reg prometheus.Registerer) (consumerMetrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "understudy", Subsystem: "consumer", Name: name, Help: help})
	}
	m := consumerMetrics{
		records: counter("records_total", "Records handled and committed."),
		batches: counter("batches_total", "Batches handled and committed."),
		commits: counter("commits_total", "Offset commits that Kafka accepted, plans included."),
		errors:  counter("errors_total", "Fetch errors and failed tries to handle a batch."),
	}
	for _, c := range []prometheus.Collector{m.records, m.batches, m.commits, m.errors} {
		if err := reg.Register(c); err != nil {
			return m, fmt.Errorf("consumer metrics: %w", err)
		}
	}
	return m, nil
}

func errorForCode(code int16) error { return kerr.ErrorForCode(code) }
