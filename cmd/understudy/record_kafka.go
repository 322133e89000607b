package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/recorder"
	"understudy.dev/recorder/kafka"
	"understudy.dev/stream"
)

// Times between two looks at Kafka: the first one while it is away, doubled up
// to the second one, which also holds while it is there.
const (
	kafkaRetry = time.Second
	kafkaWatch = 30 * time.Second
)

// watchKafka tells, until ctx ends, whether Kafka takes what is recorded: in
// the log, at /readyz and as a metric. Traffic depends on none of it. spooling says
// whether exchanges go to disk meanwhile.
func (a *app) watchKafka(ctx context.Context, ad *admin, spooling func() bool) {
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
		err := a.requireTopics(ctx, a.recordedTopics()...)
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
				if a.cfg.Record.Spool.Dir != "" {
					a.log.Warn("not recording to Kafka: traffic passes, its exchanges go to disk until Kafka is ready", "error", err)
				} else {
					a.log.Error("not recording: traffic passes, its exchanges are dropped and counted until Kafka is ready", "error", err)
				}
			}
			ready.Set(0)
		}
		notice := a.unready(said, spooling)
		ad.notice.Store(&notice)
		pause.Reset(wait)
		wait = min(2*wait, kafkaWatch)
	}
}

// unready is what /readyz says while Kafka fails.
func (a *app) unready(failing string, spooling func() bool) func() string {
	return func() string {
		switch dir := a.cfg.Record.Spool.Dir; {
		case failing == "":
			return ""
		case spooling():
			return "but recording to disk, in " + dir + ", until Kafka is ready: " + failing
		case dir != "":
			return "but not recording, since there is no spool in " + dir + " either: " + failing
		}
		return "but not recording: " + failing
	}
}

// writing is how what is recorded gets to Kafka.
type writing struct {
	exchanges, tallies *stream.Producer
	sink               recorder.Sink
	spooled            *kafka.Spooled // nil without a spool

	stop context.CancelFunc // of what begin has started
	disk sync.WaitGroup     // the spool
	heir sync.WaitGroup
	open atomic.Bool // the spool is
}

// openWriting connects to nothing yet.
func (a *app) openWriting(cfg recordConfig) (*writing, error) {
	pc := a.cfg.Kafka.Producer
	pc.Compression = cfg.Compression
	var opts []kgo.Opt
	if cfg.Spool.Dir != "" {
		opts = append(opts, kafka.NoGivingUp())
	}
	w := &writing{stop: func() {}}
	var err error
	if w.exchanges, err = stream.OpenProducer(a.cfg.Kafka.Config, pc, opts...); err != nil {
		return nil, usagef("%w", err)
	}
	if w.tallies, err = stream.OpenProducer(a.cfg.Kafka.Config, tallyProducer()); err != nil {
		w.exchanges.Close()
		return nil, usagef("%w", err)
	}
	sink := kafka.NewSink(w.exchanges, w.tallies, a.names())
	if w.sink = sink; cfg.Spool.Dir != "" {
		w.spooled = kafka.NewSpooled(sink, cfg.Spool, a.log)
		w.sink = w.spooled
	}
	return w, nil
}

// tallyProducer holds few and small records.
func tallyProducer() stream.ProducerConfig {
	pc := stream.DefaultProducerConfig()
	pc.MaxRecords, pc.Linger, pc.Compression = 1000, 0, "none"
	return pc
}

// begin starts what runs beside the traffic. A spool that cannot be opened costs
// no traffic, nor does one whose disk hangs: it is said, and there is none.
func (w *writing) begin(a *app, rec *recorder.Recorder, ad *admin) {
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	cfg := a.cfg.Record.Spool
	if w.spooled != nil {
		ad.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "understudy_recorder_spool_open", Help: "1 while exchanges that Kafka does not take go to disk, 0 when the spool could not be opened.",
		}, func() float64 {
			if w.open.Load() {
				return 1
			}
			return 0
		}), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "understudy_recorder_spool_bytes", Help: "Room that the spool takes on disk.",
		}, func() float64 { return float64(w.spooled.Bytes()) }))
		w.disk.Go(func() {
			if err := w.spooled.Open(rec.Books()); err != nil {
				a.log.Error("there is no spool: what Kafka does not take is dropped and counted", "error", err)
				return
			}
			w.open.Store(true)
			w.spooled.Run(ctx)
		})
	}
	heir := &kafka.Heir{
		Kafka: a.cfg.Kafka.Config, Names: a.names(), Exchanges: w.exchanges, Tallies: w.tallies, Spool: cfg,
		Self: rec.Books().Life(), Log: a.log,
	}
	w.heir.Go(func() { heir.Run(ctx) })
}

// patience is how long the end waits for a disk that hangs, or an heir to whom
// Kafka does not answer. An heir may be left alone at any moment.
const patience = 2 * time.Second

// waited waits for a group, unless it takes too long.
func waited(group *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() { defer close(done); group.Wait() }()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-done:
		return true
	case <-late.C:
		return false
	}
}

// end stops what begin has started. The result says whether what Kafka did not
// take, the final tally included, is safe on disk.
func (w *writing) end(a *app, err error) (onDisk bool) {
	w.stop()
	if !waited(&w.disk) || !w.open.Load() {
		return false
	}
	left := w.spooled.Left()
	if closed := w.spooled.Close(!errors.Is(err, recorder.ErrFinalTally)); closed != nil {
		a.log.Error("close the spool", "error", closed)
		return false
	}
	if left > 0 || errors.Is(err, recorder.ErrFinalTally) {
		a.log.Warn("exchanges and counts that Kafka did not take are on disk; the next recorder that starts on this folder writes them", "exchanges", left, "folder", a.cfg.Record.Spool.Dir)
	}
	return true
}

func (w *writing) close() {
	w.stop()
	w.exchanges.Close() // what an heir waits for ends with these
	w.tallies.Close()
	waited(&w.heir)
}

// unrecorded says at the end, in one message, what Kafka did not take.
func (a *app) unrecorded(rec *recorder.Recorder, onDisk bool, err error) error {
	switch {
	case !errors.Is(err, recorder.ErrFinalTally):
		return err
	case onDisk:
		return nil
	}
	t := rec.Tally()
	return dependency(fmt.Errorf("kafka at %s did not take the end of the recording: %d of %d exchanges are recorded, the others are lost%s, "+
		"and the final tally of recorder %s, which would say so, is missing; the baseline's users are not affected; "+
		"see that Kafka is there and start the recorder again, and keep these numbers: nothing else explains the hole",
		strings.Join(a.cfg.Kafka.Brokers, ","), t.Recorded, t.Served, reasons(t.Dropped), rec.Instance()))
}
