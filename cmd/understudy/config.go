package main

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"understudy.dev/comparator"
	"understudy.dev/comparator/clickhouse"
	"understudy.dev/embedded"
	"understudy.dev/exchange/access"
	"understudy.dev/exchange/trace"
	"understudy.dev/gateway"
	"understudy.dev/gateway/listener"
	"understudy.dev/gateway/proxy"
	"understudy.dev/recorder"
	"understudy.dev/recorder/spool"
	"understudy.dev/replayer"
	"understudy.dev/schemas/topic"
	"understudy.dev/setting"
	"understudy.dev/setting/source"
	"understudy.dev/stream"
)

// config is the whole configuration file.
type config struct {
	Log logConfig `yaml:"log"`
	// Admin is the address of /livez, /readyz, /metrics and /debug/pprof; empty
	// is off.
	Admin string `yaml:"admin"`
	// AdminAccess says who may do what there.
	AdminAccess access.Config `yaml:"admin_access"`
	// Tracing says where the spans of requests go.
	Tracing    trace.Config      `yaml:"tracing"`
	Kafka      kafkaConfig       `yaml:"kafka"`
	ClickHouse clickhouse.Config `yaml:"clickhouse"`
	Record     recordConfig      `yaml:"record"`
	Gateway    gateway.Config    `yaml:"gateway"`
	Replay     replayer.Config   `yaml:"replay"`
	Compare    comparator.Config `yaml:"compare"`
	Dev        embedded.Config   `yaml:"dev"`
}

type logConfig struct {
	// Level is the lowest level that is logged: debug, info, warn or error.
	Level string `yaml:"level"`
	// Format is text or json.
	Format string `yaml:"format"`
}

type kafkaConfig struct {
	stream.Config `yaml:",inline"`
	// Prefix begins the names of all topics.
	Prefix string `yaml:"prefix"`
	// Partitions of the topics that `topics apply` creates.
	Partitions int32 `yaml:"partitions"`
	// Retention is how long exchanges, replays, tallies and dead letters are
	// kept; 1h or more, default 168h. It is set when a topic is made and never
	// shortened without --force.
	Retention time.Duration `yaml:"retention"`
	// Replicas of each partition of the topics that are made; 0, the default,
	// is three, or as many as there are brokers.
	Replicas int16 `yaml:"replicas"`
	// MinInSync replicas must have a record before it is acknowledged; 0, the
	// default, is one fewer than there are, at least one. With 1, a record
	// that is acknowledged may be on one broker only.
	MinInSync int16                 `yaml:"min_insync"`
	Producer  stream.ProducerConfig `yaml:"producer"`
}

type recordConfig struct {
	// Listen is the address to take traffic on.
	Listen   string          `yaml:"listen"`
	Listener listener.Config `yaml:",inline"`
	Upstream proxy.Config    `yaml:"upstream"`
	// Compression of what is recorded: zstd, lz4, snappy or none. Next to live
	// traffic CPU costs more than disk, so the default is snappy, not the zstd
	// of other producers.
	Compression string `yaml:"compression"`
	// RequireKafka refuses to start while Kafka or its topics are not there.
	// Otherwise traffic passes at once and is recorded as soon as they are.
	RequireKafka bool `yaml:"require_kafka"`
	// ShutdownTimeout bounds the whole end, from the signal to the final tally;
	// default 25 s, below the 30 s that Kubernetes gives. It is more than
	// drain_delay and drain_timeout together; the rest is for requests and
	// tunnels under way.
	ShutdownTimeout time.Duration `yaml:"shutdown_timeout"`
	// DrainDelay is how long new requests are taken after /readyz has said that
	// it ends, so that load balancers see it; 0 or more, default 3 s. Without
	// an admin listener nobody sees it, and there is none.
	DrainDelay time.Duration `yaml:"drain_delay"`
	// Spool puts exchanges on disk while Kafka does not take them.
	Spool           spool.Config `yaml:"spool"`
	recorder.Config `yaml:",inline"`
}

func defaultConfig() config {
	return config{
		Log:        logConfig{Level: "info", Format: "text"},
		Kafka:      kafkaConfig{Config: stream.DefaultConfig(), Prefix: topic.DefaultPrefix, Partitions: 8, Retention: topic.DefaultRetention, Producer: stream.DefaultProducerConfig()},
		ClickHouse: clickhouse.DefaultConfig(),
		Record:     recordConfig{Listen: "127.0.0.1:8080", Compression: "snappy", ShutdownTimeout: 25 * time.Second, DrainDelay: 3 * time.Second, Spool: spool.DefaultConfig(), Upstream: proxy.DefaultConfig(), Config: recorder.DefaultConfig()},
		Tracing:    trace.DefaultConfig(),
		Gateway:    gateway.DefaultConfig(),
		Replay:     replayer.DefaultConfig(),
		Compare:    comparator.DefaultConfig(),
		Dev:        embedded.DefaultConfig(),
	}
}

// load reads a file over what the configuration holds.
func (c *config) load(path string, origins source.Origins) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return usage(err)
	}
	return source.Read(data, path, c, origins)
}

// problems are those of the sections that are named, or of all.
func (c config) problems(now time.Time, sections ...string) error {
	var ps setting.Problems
	check := func(section string, validate func() error) {
		if len(sections) == 0 || slices.Contains(sections, section) {
			ps.Under(section, validate())
		}
	}
	check("log", c.Log.Validate)
	check("admin_access", c.AdminAccess.Validate)
	check("tracing", c.Tracing.Validate)
	check("kafka", c.Kafka.validate)
	check("kafka.producer", c.Kafka.Producer.Validate)
	check("clickhouse", c.ClickHouse.Validate)
	check("record.upstream", c.Record.Upstream.Validate)
	check("record", c.Record.Validate)
	check("gateway.candidate", c.Gateway.Candidate.Validate)
	check("gateway", c.Gateway.Validate)
	check("replay", c.Replay.Validate)
	check("compare", c.Compare.Validate)
	check("compare", func() error { return c.Compare.Expired(now) })
	check("dev", c.Dev.Validate)
	return ps.Err()
}

// alone fills in what only the command line can give, so that the rest can be
// validated without one.
func (c config) alone() config {
	if c.Record.Upstream.URL == "" {
		c.Record.Upstream.URL = "http://127.0.0.1:1"
	}
	if c.Replay.Candidate == "" {
		c.Replay.Candidate = "http://127.0.0.1:1"
	}
	if c.Gateway.Candidate.URL == "" {
		c.Gateway.Candidate.URL = "http://127.0.0.1:1"
	}
	if c.Gateway.Migration == "" {
		c.Gateway.Migration = "migration"
	}
	if c.Gateway.StateDir == "" {
		c.Gateway.StateDir = "state"
	}
	if c.Replay.Run == "" {
		c.Replay.Run = "run"
	}
	return c
}

// Validate reports every mistake in the section.
func (c logConfig) Validate() error {
	var ps setting.Problems
	var level slog.Level
	ps.Require(level.UnmarshalText([]byte(c.Level)) == nil, "level", c.Level, "is not one of debug, info, warn, error")
	ps.OneOf("format", c.Format, "text", "json")
	return ps.Err()
}

// validate reports every mistake in the section, its producer aside.
func (c kafkaConfig) validate() error {
	var ps setting.Problems
	ps.Under("", c.Config.Validate())
	ps.Require(c.Partitions >= 1, "partitions", c.Partitions, "is less than 1")
	ps.Require(c.Retention >= time.Hour, "retention", c.Retention, "is less than 1h")
	ps.Require(c.Replicas >= 0, "replicas", c.Replicas, "is negative")
	ps.Require(c.MinInSync >= 0 && (c.Replicas == 0 || c.MinInSync <= c.Replicas), "min_insync", c.MinInSync, "is negative or more than replicas")
	return ps.Err()
}

// Validate reports every mistake in the section, its upstream aside.
func (c recordConfig) Validate() error {
	var ps setting.Problems
	ps.OneOf("compression", c.Compression, stream.Compressions()...)
	ps.Require(c.DrainDelay >= 0, "drain_delay", c.DrainDelay, "is negative")
	ps.Require(c.ShutdownTimeout > c.DrainDelay+c.DrainTimeout, "shutdown_timeout", c.ShutdownTimeout,
		fmt.Sprintf("is not more than drain_delay %s and drain_timeout %s together", c.DrainDelay, c.DrainTimeout))
	ps.Under("", c.Listener.Validate())
	ps.Under("spool", c.Spool.Validate())
	ps.Under("", c.Config.Validate())
	return ps.Err()
}

// need checks the sections that a command works with.
func (a *app) need(sections ...string) error {
	return usage(source.Mistakes{}.With(a.origins, a.cfg.problems(time.Now(), sections...)).Err())
}

func (a *app) configCommand() *cobra.Command {
	parent := &cobra.Command{Use: "config", Short: "Look at the configuration", Args: noCommand, RunE: help}
	parent.AddCommand(a.configValidateCommand(), a.configShowCommand(), a.configReferenceCommand())
	return parent
}

func help(c *cobra.Command, _ []string) error { return c.Help() }
