package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/recorder"
)

// Times between two looks at Kafka: the first one while it is away, doubled up
// to the second one, which also holds while it is there.
const (
	kafkaRetry = time.Second
	kafkaWatch = 30 * time.Second
)

// watchKafka tells, until ctx ends, whether Kafka takes what is recorded: in
// the log, at /readyz and as a metric. Traffic depends on none of it.
func (a *app) watchKafka(ctx context.Context, ad *admin) {
	ready := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "understudy_recorder_kafka_ready",
		Help: "1 while Kafka answers and has the topics, 0 while exchanges are dropped for lack of it.",
	})
	ad.registry.MustRegister(ready)
	pause := time.NewTimer(0)
	defer pause.Stop()
	wait, said := kafkaRetry, ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		err := a.requireTopics(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			if said != "" {
				a.log.Info("Kafka is ready: exchanges are recorded")
			}
			wait, said = kafkaWatch, ""
			ready.Set(1)
		default:
			if wait == kafkaWatch && said == "" {
				wait = kafkaRetry
			}
			if err.Error() != said {
				said = err.Error()
				a.log.Error("not recording: traffic passes, its exchanges are dropped and counted until Kafka is ready", "error", err)
			}
			ready.Set(0)
		}
		ad.notice.Store(&said)
		pause.Reset(wait)
		wait = min(2*wait, kafkaWatch)
	}
}

// unrecorded says at the end, in one message, what Kafka did not take.
func (a *app) unrecorded(rec *recorder.Recorder, err error) error {
	if !errors.Is(err, recorder.ErrFinalTally) {
		return err
	}
	t := rec.Tally()
	return dependency(fmt.Errorf("kafka at %s did not take the end of the recording: %d of %d exchanges are recorded, the others are lost%s, "+
		"and the final tally of recorder %s, which would say so, is missing; the baseline's users are not affected; "+
		"see that Kafka is there and start the recorder again, and keep these numbers: nothing else explains the hole",
		strings.Join(a.cfg.Kafka.Brokers, ","), t.Recorded, t.Served, reasons(t.Dropped), rec.Instance()))
}
