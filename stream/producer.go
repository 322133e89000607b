package stream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	"understudy.dev/setting"
)

// ErrFull is what TryProduce reports when the buffer is full.
var ErrFull = kgo.ErrMaxBuffered

// ProducerConfig bounds what waits for Kafka.
type ProducerConfig struct {
	// MaxRecords and MaxBytes bound the buffer; defaults 20,000 and 128 MiB.
	MaxRecords int   `yaml:"max_records"`
	MaxBytes   int64 `yaml:"max_bytes"`
	// DeliveryTimeout is about how long a record may wait for its
	// acknowledgement before the producer gives it up; default 30 s. Kafka may
	// have that record all the same, if only the acknowledgement was lost.
	DeliveryTimeout time.Duration `yaml:"delivery_timeout"`
	// Linger is how long a batch waits to grow; default 20 ms.
	Linger time.Duration `yaml:"linger"`
	// Compression is zstd (default, at its fastest level), lz4, snappy or none.
	Compression string `yaml:"compression"`
}

// DefaultProducerConfig holds the documented defaults.
func DefaultProducerConfig() ProducerConfig {
	return ProducerConfig{
		MaxRecords: 20_000, MaxBytes: 128 << 20, DeliveryTimeout: 30 * time.Second,
		Linger: 20 * time.Millisecond, Compression: "zstd",
	}
}

// Validate reports every mistake in the configuration.
func (cfg ProducerConfig) Validate() error {
	var ps setting.Problems
	ps.Require(cfg.MaxRecords >= 1, "max_records", cfg.MaxRecords, "is less than 1")
	ps.Require(cfg.MaxBytes >= topic.MaxMessageBytes, "max_bytes", cfg.MaxBytes, fmt.Sprintf("is less than one message, %d", topic.MaxMessageBytes))
	ps.Require(cfg.DeliveryTimeout >= time.Second, "delivery_timeout", cfg.DeliveryTimeout, "is less than 1s")
	ps.Require(cfg.Linger >= 0, "linger", cfg.Linger, "is negative")
	ps.OneOf("compression", cfg.Compression, Compressions()...)
	return ps.Err()
}

// Compressions are the values of ProducerConfig.Compression.
func Compressions() []string { return []string{"zstd", "lz4", "snappy", "none"} }

func (cfg ProducerConfig) codec() (kgo.CompressionCodec, error) {
	switch cfg.Compression {
	case "zstd":
		return kgo.ZstdCompression().WithLevel(1), nil
	case "lz4":
		return kgo.Lz4Compression(), nil
	case "snappy":
		return kgo.SnappyCompression(), nil
	case "none":
		return kgo.NoCompression(), nil
	}
	return kgo.CompressionCodec{}, fmt.Errorf("producer: compression %q is not one of %s", cfg.Compression, strings.Join(Compressions(), ", "))
}

// Producer writes records in the background: idempotent, acknowledged by all
// in-sync replicas, bounded in records, bytes and time.
type Producer struct {
	client *kgo.Client
	cfg    ProducerConfig
	gone   atomic.Bool // GiveUp was called
	anew   sync.Map    // names of topics that lookAnew is at

	closing sync.Once
}

// ErrGivenUp is the error of the records that GiveUp drops.
var ErrGivenUp = errors.New("given up: kafka did not take it in time")

// NewProducer connects a client of its own, which Close disconnects.
func NewProducer(ctx context.Context, kafka Config, cfg ProducerConfig, opts ...kgo.Opt) (*Producer, error) {
	p, err := OpenProducer(kafka, cfg, opts...)
	if err != nil {
		return nil, err
	}
	if err := answers(ctx, kafka, p.client); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// OpenProducer is NewProducer for those who do not wait for Kafka: it connects
// when there is something to write. Until Kafka answers, records wait in the
// buffer as long as ProducerConfig allows.
func OpenProducer(kafka Config, cfg ProducerConfig, opts ...kgo.Opt) (*Producer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	codec, err := cfg.codec()
	if err != nil {
		return nil, err
	}
	client, err := open(kafka, append([]kgo.Opt{
		kgo.MaxBufferedRecords(cfg.MaxRecords),
		kgo.MaxBufferedBytes(int(cfg.MaxBytes)),
		kgo.RecordDeliveryTimeout(cfg.DeliveryTimeout),
		// Without it a record that was sent once would wait forever for a broker
		// that does not come back.
		kgo.AllowIdempotentProduceCancellation(),
		kgo.ProducerLinger(cfg.Linger),
		kgo.ProducerBatchCompression(codec),
		kgo.ProducerBatchMaxBytes(topic.MaxMessageBytes),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), // murmur2, as the Java client
		kgo.UnknownTopicRetries(2),
		kgo.MetadataMinAge(time.Second), // errors wait for the next metadata, 5 s otherwise
	}, opts...)...)
	if err != nil {
		return nil, err
	}
	return &Producer{client: client, cfg: cfg}, nil
}

// Client is the connection underneath, for administration.
func (p *Producer) Client() *kgo.Client { return p.client }

// TryProduce hands a record over and returns at once. done is called exactly
// once, from another goroutine: with nil when Kafka has the record, with
// ErrFull if the buffer was full, else with the reason why the record was given
// up.
func (p *Producer) TryProduce(ctx context.Context, r *kgo.Record, done func(*kgo.Record, error)) {
	if p.gone.Load() {
		go done(r, ErrGivenUp)
		return
	}
	p.client.TryProduce(ctx, r, p.named(done))
}

// Produce hands a record over and waits while the buffer is full. done is
// called exactly once.
func (p *Producer) Produce(ctx context.Context, r *kgo.Record, done func(*kgo.Record, error)) {
	if p.gone.Load() {
		go done(r, ErrGivenUp)
		return
	}
	p.client.Produce(ctx, r, p.named(done))
}

// ProduceSync writes records and waits for their acknowledgement.
func (p *Producer) ProduceSync(ctx context.Context, rs ...*kgo.Record) error {
	if p.gone.Load() {
		return fmt.Errorf("produce to %s: %w", rs[0].Topic, ErrGivenUp)
	}
	if err := p.client.ProduceSync(ctx, rs...).FirstErr(); err != nil {
		p.lookAnew(rs[0].Topic, err)
		if errors.Is(err, kerr.UnknownServerError) || errors.Is(err, kerr.KafkaStorageError) {
			// Kafka's protocol does not give the cause.
			return fmt.Errorf("produce to %s: the broker cannot write; its disk may be full, its log says why: %w", rs[0].Topic, err)
		}
		return fmt.Errorf("produce to %s: %w", rs[0].Topic, err)
	}
	return nil
}

// Buffered is the number of records and bytes that wait.
func (p *Producer) Buffered() (records, bytes int64) {
	return p.client.BufferedProduceRecords(), p.client.BufferedProduceBytes()
}

// Full says whether TryProduce would find the buffer full now.
func (p *Producer) Full() bool {
	records, bytes := p.Buffered()
	return p.gone.Load() || records >= int64(p.cfg.MaxRecords) || bytes >= p.cfg.MaxBytes
}

// Flush waits until nothing is buffered or ctx ends.
func (p *Producer) Flush(ctx context.Context) error {
	if err := p.client.Flush(ctx); err != nil {
		return fmt.Errorf("flush to kafka: %w", err)
	}
	return nil
}

// named calls done with ErrGivenUp for what GiveUp drops.
func (p *Producer) named(done func(*kgo.Record, error)) func(*kgo.Record, error) {
	return func(r *kgo.Record, err error) {
		p.lookAnew(r.Topic, err)
		if err != nil && p.gone.Load() {
			err = fmt.Errorf("%w: %w", ErrGivenUp, err)
		}
		done(r, err)
	}
}

// lookAnew is for a topic that was deleted and made again: the client keeps to the
// one that it knew, and would refuse all records as long as it lives. Records that
// wait are given up.
func (p *Producer) lookAnew(topic string, err error) {
	if !errors.Is(err, kerr.UnknownTopicID) {
		return
	}
	if _, busy := p.anew.LoadOrStore(topic, true); !busy {
		go func() { // who calls back must not wait for the client
			defer p.anew.Delete(topic)
			p.client.PurgeTopicsFromProducing(topic)
		}()
	}
}

// GiveUp drops the records that wait, calling their done, and refuses all
// further ones; who waits for room or for an acknowledgement is released.
func (p *Producer) GiveUp() {
	p.gone.Store(true)
	_ = p.client.AbortBufferedRecords(context.Background())
}

// Unreachable says whether a record was given up because Kafka did not take it
// in time, and not for what it is.
func Unreachable(err error) bool {
	return errors.Is(err, kgo.ErrRecordTimeout) || errors.Is(err, kgo.ErrAborting) || errors.Is(err, ErrGivenUp)
}

// Abandon is GiveUp and Close in one, which does not wait for answers that are
// under way either: it takes a second at most, though Kafka is silent. Kafka
// may have records of which done says that they were given up.
func (p *Producer) Abandon() {
	p.gone.Store(true)
	p.Close()
}

// Close disconnects and drops the records that are still buffered, calling
// their done. Call Flush first.
func (p *Producer) Close() { p.closing.Do(p.client.Close) }
