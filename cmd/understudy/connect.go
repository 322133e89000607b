package main

import (
	"context"
	"errors"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/schemas/topic"
	"understudy.dev/stream"
)

func (a *app) names() topic.Names { return topic.NamesFor(a.cfg.Kafka.Prefix) }

func (a *app) specs() []topic.Spec {
	return topic.Specs(a.names(), topic.Sizing{
		Partitions: a.cfg.Kafka.Partitions, Retention: a.cfg.Kafka.Retention, Replicas: a.cfg.Kafka.Replicas, MinInSync: a.cfg.Kafka.MinInSync,
	})
}

// kafkaFlags add where Kafka is.
func (a *app) kafkaFlags(c *cobra.Command) {
	c.Flags().StringSliceVar(&a.cfg.Kafka.Brokers, "kafka", a.cfg.Kafka.Brokers, "Kafka brokers, host:port")
	c.Flags().StringVar(&a.cfg.Kafka.Prefix, "prefix", a.cfg.Kafka.Prefix, "prefix of the topic names")
	f, k := c.Flags(), &a.cfg.Kafka
	f.BoolVar(&k.TLS.Enabled, "kafka-tls", k.TLS.Enabled, "encrypt connections to Kafka")
	f.StringVar(&k.TLS.CAFile, "kafka-ca", k.TLS.CAFile, "file of the certificates that the brokers' are checked against; empty is the system's")
	f.StringVar(&k.TLS.CertFile, "kafka-cert", k.TLS.CertFile, "file of this client's certificate (mTLS)")
	f.StringVar(&k.TLS.KeyFile, "kafka-key", k.TLS.KeyFile, "file of its key")
	f.StringVar(&k.SASL.Mechanism, "kafka-sasl", k.SASL.Mechanism, "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; the secret is in a file or in "+stream.PasswordVar+" or "+stream.TokenVar)
	f.StringVar(&k.SASL.User, "kafka-user", k.SASL.User, "user of PLAIN and SCRAM")
	f.StringVar(&k.SASL.PasswordFile, "kafka-password-file", k.SASL.PasswordFile, "file of the password")
	f.StringVar(&k.SASL.TokenFile, "kafka-token-file", k.SASL.TokenFile, "file of the token of OAUTHBEARER")
	enumerate(c, "kafka-sasl", stream.Mechanisms()[1:]...)
}

// clickhouseFlags add where ClickHouse is.
func (a *app) clickhouseFlags(c *cobra.Command) {
	c.Flags().StringVar(&a.cfg.ClickHouse.Address, "clickhouse", a.cfg.ClickHouse.Address,
		"ClickHouse: host:port, clickhouse://user:password@host:port/database or http://…")
}

// dialKafka connects; a failure to do so is a dependency error.
func (a *app) dialKafka(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error) {
	if err := a.need("kafka"); err != nil {
		return nil, err
	}
	client, err := stream.Dial(ctx, a.cfg.Kafka.Config, opts...)
	return client, dependency(err)
}

// recordedTopics are those that a recorder writes to, the only ones that it may
// need to see.
func (a *app) recordedTopics() []string { return []string{a.names().Exchanges, a.names().Tallies} }

// requireTopics fails early and says what to do when the topics are not there:
// those that are named, or all.
func (a *app) requireTopics(ctx context.Context, only ...string) error {
	client, err := a.dialKafka(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	specs := a.specs()
	if len(only) > 0 {
		specs = slices.DeleteFunc(specs, func(s topic.Spec) bool { return !slices.Contains(only, s.Name) })
	}
	return dependency(stream.Check(ctx, client, specs))
}

// newProducer connects a producer.
func (a *app) newProducer(ctx context.Context, pc stream.ProducerConfig, opts ...kgo.Opt) (*stream.Producer, error) {
	if err := a.need("kafka.producer"); err != nil {
		return nil, err
	}
	p, err := stream.NewProducer(ctx, a.cfg.Kafka.Config, pc, opts...)
	return p, dependency(err)
}

// deadLetters puts records that cannot be read aside, without waiting.
func deadLetters(p *stream.Producer, component string) func(*kgo.Record, error) {
	return func(r *kgo.Record, reason error) {
		if letter, err := stream.DeadLetter(component, r, reason.Error()); err == nil {
			p.Produce(context.Background(), letter, func(*kgo.Record, error) {})
		}
	}
}

// safeDeadLetters puts a record aside and waits until it is safe, before the
// batch that holds it counts as handled.
func safeDeadLetters(p *stream.Producer, component string) func(context.Context, *kgo.Record, error) error {
	return func(ctx context.Context, r *kgo.Record, reason error) error {
		letter, err := stream.DeadLetter(component, r, reason.Error())
		if err != nil {
			return err
		}
		return p.ProduceSync(ctx, letter)
	}
}

// connectClickHouse connects and checks that the tables are there.
func (a *app) connectClickHouse(ctx context.Context) (driver.Conn, error) {
	if err := a.need("clickhouse"); err != nil {
		return nil, err
	}
	conn, err := clickhouse.Connect(ctx, a.cfg.ClickHouse)
	if err != nil {
		return nil, dependency(err)
	}
	if err := clickhouse.Check(ctx, conn); err != nil {
		return nil, dependency(errors.Join(err, conn.Close()))
	}
	return conn, nil
}

// withTables connects to the tables for the time of f.
func (a *app) withTables(ctx context.Context, f func(driver.Conn) error) error {
	conn, err := a.connectClickHouse(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return f(conn)
}
