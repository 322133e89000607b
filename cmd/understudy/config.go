package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"understudy.dev/comparator"
	"understudy.dev/comparator/clickhouse"
	"understudy.dev/embedded"
	"understudy.dev/gateway/proxy"
	"understudy.dev/recorder"
	"understudy.dev/replayer"
	"understudy.dev/schemas/topic"
	"understudy.dev/stream"
)

// config is the whole configuration file.
type config struct {
	Log        logConfig         `yaml:"log"`
	Admin      string            `yaml:"admin"`
	Kafka      kafkaConfig       `yaml:"kafka"`
	ClickHouse clickhouse.Config `yaml:"clickhouse"`
	Record     recordConfig      `yaml:"record"`
	Replay     replayer.Config   `yaml:"replay"`
	Compare    comparator.Config `yaml:"compare"`
	Dev        embedded.Config   `yaml:"dev"`
}

type logConfig struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

type kafkaConfig struct {
	stream.Config `yaml:",inline"`
	// Prefix begins the names of all topics.
	Prefix string `yaml:"prefix"`
	// Partitions of the topics that `topics apply` creates.
	Partitions int32                 `yaml:"partitions"`
	Producer   stream.ProducerConfig `yaml:"producer"`
}

type recordConfig struct {
	Listen   string       `yaml:"listen"`
	Upstream proxy.Config `yaml:"upstream"`
	// Compression of what is recorded. Beside live traffic CPU is dearer than
	// disk, so the default is snappy, not the zstd of other producers.
	Compression     string `yaml:"compression"`
	recorder.Config `yaml:",inline"`
}

func defaultConfig() config {
	return config{
		Log:        logConfig{Level: "info", Format: "text"},
		Kafka:      kafkaConfig{Config: stream.DefaultConfig(), Prefix: topic.DefaultPrefix, Partitions: 8, Producer: stream.DefaultProducerConfig()},
		ClickHouse: clickhouse.DefaultConfig(),
		Record:     recordConfig{Listen: "127.0.0.1:8080", Compression: "snappy", Upstream: proxy.DefaultConfig(), Config: recorder.DefaultConfig()},
		Replay:     replayer.DefaultConfig(),
		Compare:    comparator.DefaultConfig(),
		Dev:        embedded.DefaultConfig(),
	}
}

// load reads the file over what the configuration holds. Mistakes carry line
// and column.
func (c *config) load(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return usagef("--config: %w", err)
	}
	return c.decode(data, path)
}

// decode reads YAML; an unknown key is a mistake.
func (c *config) decode(data []byte, name string) error {
	// Null would not leave the defaults in place but wipe them out.
	var sections map[string]any
	if yaml.Unmarshal(data, &sections) == nil {
		if len(sections) == 0 {
			return nil
		}
		for section, value := range sections {
			if value == nil {
				return usagef("%s: section %s is empty; remove it", name, section)
			}
		}
	}
	err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(c)
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	// "[line:column] what is wrong", with the place pointed out below.
	return usagef("%s:\n%s", name, strings.TrimSpace(yaml.FormatError(err, false, true)))
}

func (a *app) names() topic.Names { return topic.NamesFor(a.cfg.Kafka.Prefix) }

func (a *app) specs() []topic.Spec {
	return topic.Specs(a.names(), topic.Sizing{Partitions: a.cfg.Kafka.Partitions})
}

// kafkaFlags add where Kafka is.
func (a *app) kafkaFlags(c *cobra.Command) {
	c.Flags().StringSliceVar(&a.cfg.Kafka.Brokers, "kafka", a.cfg.Kafka.Brokers, "Kafka brokers, host:port")
	c.Flags().StringVar(&a.cfg.Kafka.Prefix, "prefix", a.cfg.Kafka.Prefix, "prefix of the topic names")
}

// clickhouseFlags add where ClickHouse is.
func (a *app) clickhouseFlags(c *cobra.Command) {
	c.Flags().StringVar(&a.cfg.ClickHouse.Address, "clickhouse", a.cfg.ClickHouse.Address,
		"ClickHouse: host:port, clickhouse://user:password@host:port/database or http://…")
}

func (a *app) adminFlag(c *cobra.Command) {
	c.Flags().StringVar(&a.cfg.Admin, "admin", a.cfg.Admin, "address of /livez, /readyz, /metrics and /debug/pprof; empty is off")
}

func (a *app) configCommand() *cobra.Command {
	parent := &cobra.Command{Use: "config", Short: "Look at the configuration", Args: noCommand, RunE: help}
	parent.AddCommand(&cobra.Command{
		Use: "validate FILE", Short: "Check a configuration file, naming line and column of mistakes", Args: exactly("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c := defaultConfig()
			if err := c.load(args[0]); err != nil {
				return err
			}
			if err := c.validate(); err != nil {
				return usagef("%s:\n%w", args[0], err)
			}
			fmt.Fprintf(a.out, "%s: ok\n", args[0])
			return nil
		},
	})
	return parent
}

// validate reports every mistake that can be seen without the command line.
func (c config) validate() error {
	if c.Record.Upstream.URL == "" {
		c.Record.Upstream.URL = "http://127.0.0.1:1" // given by a flag
	}
	if c.Replay.Candidate == "" {
		c.Replay.Candidate = "http://127.0.0.1:1"
	}
	if c.Replay.Run == "" {
		c.Replay.Run = "run"
	}
	return errors.Join(c.Kafka.Validate(), c.Kafka.Producer.Validate(), c.ClickHouse.Validate(),
		c.Record.Upstream.Validate(), c.Record.Config.Validate(), c.Replay.Validate(), c.Compare.Validate(), c.Dev.Validate())
}

func help(c *cobra.Command, _ []string) error { return c.Help() }
