package stream

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Batch is a series of records of one partition. Offsets may have gaps.
type Batch struct {
	Topic     string
	Partition int32
	// First and End are the offsets [First, End) that the batch covers.
	First, End int64
	Records    []*kgo.Record
	// TopicID is Kafka's id of the topic: one that is deleted and created again
	// has another, and its offsets are those of other records.
	TopicID string
}

// Handler handles one batch. The batches of a partition come one after the
// other, in order, those of different partitions concurrently. After a crash the
// records that were not committed come again, in whatever batches; after an
// error the same batch does.
type Handler func(context.Context, Batch) error

// ConsumerConfig says what to consume and in batches of which size.
type ConsumerConfig struct {
	Group  string
	Topics []string
	// Instance makes this a static member of the group (KIP-345): a restart
	// under the same name gets its partitions back at once instead of after
	// the session timeout of the one that died. Two live members must not
	// share a name.
	Instance string
	// A batch ends at MaxRecords records, MaxBytes bytes or MaxWait after its
	// first record, whichever comes first; defaults 2,000, 16 MiB and 1 s.
	MaxRecords int
	MaxBytes   int64
	MaxWait    time.Duration
	// MaxHeld bounds the bytes of the records that wait or are handled, of all
	// partitions together; default 64 MiB. When it is reached nothing more is
	// read, and what waits is handled in batches that are smaller. What one fetch
	// brings may be beyond it.
	MaxHeld int64
	// Handlers is how many batches are handled at a time; default two for each
	// processor, at most 8.
	Handlers int
	// Retries is how often a failing batch is tried again before Run gives
	// up; default 8, with a pause that doubles from 100 ms to 5 s.
	Retries int
}

// DefaultConsumerConfig holds the documented defaults.
func DefaultConsumerConfig() ConsumerConfig {
	return ConsumerConfig{MaxRecords: 2000, MaxBytes: 16 << 20, MaxWait: time.Second, MaxHeld: 64 << 20, Handlers: min(8, 2*runtime.GOMAXPROCS(0)), Retries: 8}
}

// Consumer reads topics as a member of a group, at least once.
type Consumer struct {
	cfg     ConsumerConfig
	kafka   Config
	handle  Handler
	log     *slog.Logger
	metrics consumerMetrics

	client *kgo.Client
	admin  *kadm.Client
	cancel context.CancelCauseFunc

	said map[partition]time.Time // of poll: when an error was logged

	held  atomic.Int64  // bytes of records that wait or are handled
	freed chan struct{} // signals that held has fallen
	slots chan struct{} // one for each batch that is handled

	mu      sync.Mutex
	workers map[partition]*worker
}

type partition struct {
	topic  string
	number int32
}

// NewConsumer prepares a consumer; Run connects it.
func NewConsumer(kafka Config, cfg ConsumerConfig, handle Handler, log *slog.Logger, reg prometheus.Registerer) (*Consumer, error) {
	if cfg.Group == "" || len(cfg.Topics) == 0 || cfg.MaxRecords < 1 || cfg.MaxBytes < 1 || cfg.MaxWait <= 0 || cfg.MaxHeld < 1 || cfg.Handlers < 1 {
		return nil, errors.New("consumer: group, topics, max records, max bytes, max wait, max held and handlers must be set")
	}
	c := &Consumer{
		cfg: cfg, kafka: kafka, handle: handle, log: log,
		workers: map[partition]*worker{}, said: map[partition]time.Time{},
		freed: make(chan struct{}, 1), slots: make(chan struct{}, cfg.Handlers),
	}
	var err error
	if c.metrics, err = newConsumerMetrics(reg, c.lag); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Consumer) lag() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum int64
	for _, w := range c.workers {
		sum += w.lag()
	}
	return float64(sum)
}

// sessionTimeout is how long after a member was killed its partitions go to
// another one.
const sessionTimeout = 12 * time.Second

// Run consumes until ctx ends (then nil) or a batch cannot be handled (then
// the reason). When it returns, no handler is running.
func (c *Consumer) Run(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	c.cancel = cancel
	connected := make(chan struct{})
	opts := []kgo.Opt{
		kgo.ConsumerGroup(c.cfg.Group),
		kgo.ConsumeTopics(c.cfg.Topics...),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.HeartbeatInterval(time.Second), // a rebalance is noticed by a heartbeat
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, m map[string][]int32) { <-connected; c.assigned(ctx, m) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, m map[string][]int32) { c.stop(m) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, m map[string][]int32) { c.stop(m) }),
		kgo.SessionTimeout(sessionTimeout),
		NewOutage(c.log).Option(),
	}
	var fetch sizer
	opts = append(opts, fetch.options()...)
	if c.cfg.Instance != "" {
		opts = append(opts, kgo.InstanceID(c.cfg.Instance))
	}
	client, err := Dial(ctx, c.kafka, opts...)
	if err != nil {
		return err
	}
	c.client, c.admin = client, kadm.NewClient(client)
	close(connected)
	for c.waitForRoom(ctx) && c.poll(ctx) {
		client.AllowRebalance()
		fetch.adjust(client)
	}
	client.AllowRebalance()
	c.stopAll()
	client.CloseAllowingRebalance()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Cause(parent)) {
		return cause
	}
	return nil
}

func (c *Consumer) full() bool { return c.held.Load() >= c.cfg.MaxHeld }

// release says that records of so many bytes are held no more.
func (c *Consumer) release(bytes int64) {
	c.held.Add(-bytes)
	select {
	case c.freed <- struct{}{}:
	default:
	}
}

// waitForRoom waits, outside of a poll, so that partitions can go to another
// member, until what is held is less than MaxHeld. All workers are told: none
// gets more to fill a batch with.
func (c *Consumer) waitForRoom(ctx context.Context) bool {
	for c.full() {
		c.mu.Lock()
		for _, w := range c.workers {
			w.wake()
		}
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return false
		case <-c.freed:
		}
	}
	return true
}

// poll hands what was fetched to the partitions' workers; it never waits for a
// handler, so it cannot exceed the rebalance timeout.
func (c *Consumer) poll(ctx context.Context) bool {
	fetches := c.client.PollRecords(ctx, c.cfg.MaxRecords)
	if ctx.Err() != nil || fetches.IsClientClosed() {
		return false
	}
	fetches.EachError(func(topic string, number int32, err error) {
		c.metrics.errors.Inc()
		// Without a topic it is the connection, of which Outage tells.
		if topic != "" && c.sayFetch(topic, number, time.Now()) {
			c.log.Warn("fetch", "topic", topic, "partition", number, "error", err)
		}
	})
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		key := partition{p.Topic, p.Partition}
		c.mu.Lock()
		w := c.workers[key]
		c.mu.Unlock()
		if w != nil {
			w.add(p.Records, p.HighWatermark)
		}
	})
	return true
}

// sayFetch says whether an error of a partition is to be logged: one in 30 s.
func (c *Consumer) sayFetch(topic string, number int32, now time.Time) bool {
	key := partition{topic, number}
	if last, ok := c.said[key]; ok && now.Sub(last) < sayEvery {
		return false
	}
	c.said[key] = now
	return true
}

// stop ends the workers of partitions that go to another member. A batch that
// is being handled is abandoned: its plan is committed, so the new owner
// repeats it.
func (c *Consumer) stop(m map[string][]int32) {
	var gone []*worker
	c.mu.Lock()
	for topic, numbers := range m {
		for _, number := range numbers {
			key := partition{topic, number}
			if w := c.workers[key]; w != nil {
				gone = append(gone, w)
				delete(c.workers, key)
			}
		}
	}
	c.mu.Unlock()
	for _, w := range gone {
		w.quit()
	}
	for _, w := range gone {
		<-w.done
	}
}

func (c *Consumer) stopAll() {
	all := map[string][]int32{}
	c.mu.Lock()
	for key := range c.workers {
		all[key.topic] = append(all[key.topic], key.number)
	}
	c.mu.Unlock()
	c.stop(all)
}
