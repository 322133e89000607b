package stream

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// sayEvery is how often an outage that goes on is logged.
const sayEvery = 30 * time.Second

// Outage knows which brokers a client cannot reach, and since when. It logs the
// first failure of each, then one line in 30 s, and when it answers again. Pass
// Option to the client. Safe for concurrent use.
type Outage struct {
	log *slog.Logger

	mu    sync.Mutex
	heard bool // a broker has answered once: before, Dial says what is wrong
	down  map[string]*failing
	acked time.Time
}

type failing struct {
	since, said time.Time
	err         error
}

// NewOutage returns one that logs to log.
func NewOutage(log *slog.Logger) *Outage {
	return &Outage{log: log, down: map[string]*failing{}, acked: time.Now()}
}

// Option makes a client tell.
func (o *Outage) Option() kgo.Opt { return kgo.WithHooks(o) }

// Compile-time proof that kgo calls these.
var (
	_ kgo.HookBrokerConnect       = (*Outage)(nil)
	_ kgo.HookBrokerRead          = (*Outage)(nil)
	_ kgo.HookProduceBatchWritten = (*Outage)(nil)
)

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (o *Outage) OnBrokerConnect(m kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, kgo.ErrClientClosed) {
		o.failed(address(m), err, time.Now())
	}
}

// OnBrokerRead implements kgo.HookBrokerRead. That a connection broke is no
// outage yet: the next attempt to connect shows.
func (o *Outage) OnBrokerRead(m kgo.BrokerMetadata, _ int16, _ int, _, _ time.Duration, err error) {
	timeout := net.Error(nil)
	switch {
	case err == nil:
		o.answered(address(m), time.Now())
	case errors.As(err, &timeout) && timeout.Timeout():
		o.failed(address(m), err, time.Now())
	}
}

// OnProduceBatchWritten implements kgo.HookProduceBatchWritten.
func (o *Outage) OnProduceBatchWritten(kgo.BrokerMetadata, string, int32, kgo.ProduceBatchMetrics) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.acked = time.Now()
}

func address(m kgo.BrokerMetadata) string {
	return net.JoinHostPort(m.Host, strconv.Itoa(int(m.Port)))
}

func (o *Outage) failed(broker string, err error, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.heard {
		return
	}
	f := o.down[broker]
	if f == nil {
		f = &failing{since: now}
		o.down[broker] = f
	}
	f.err = err
	if f.said.IsZero() || now.Sub(f.said) >= sayEvery {
		f.said = now
		o.log.Warn("kafka does not answer, trying again", "broker", broker, "since", f.since.UTC().Format(time.RFC3339), "error", err)
	}
}

func (o *Outage) answered(broker string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard = true
	if f := o.down[broker]; f != nil {
		delete(o.down, broker)
		o.log.Info("kafka answers again", "broker", broker, "after", now.Sub(f.since).Round(time.Millisecond))
	}
}

// Unacknowledged is how long ago Kafka last took a batch of this producer, or
// when it was made.
func (o *Outage) Unacknowledged() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Since(o.acked)
}

// String says for people which brokers do not answer: "127.0.0.1:9092 since
// 12:00:00 UTC (connection refused)"; empty if all do.
func (o *Outage) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var parts []string
	for broker, f := range o.down {
		parts = append(parts, broker+" since "+f.since.UTC().Format("15:04:05 UTC")+" ("+root(f.err).Error()+")")
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// root is the innermost cause.
func root(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
