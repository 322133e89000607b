package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/setting"
)

// DialTimeout bounds how long Dial waits for a broker to answer.
const DialTimeout = 5 * time.Second

// Config says where Kafka is.
type Config struct {
	// Brokers are host:port seeds; at least one.
	Brokers []string `yaml:"brokers"`
	// ClientID is the name of this client in the broker's logs and quotas;
	// default "understudy".
	ClientID string `yaml:"client_id"`
	// TLS encrypts connections to Kafka.
	TLS TLSConfig `yaml:"tls"`
	// SASL says who this client is.
	SASL SASLConfig `yaml:"sasl"`
}

// DefaultConfig names the broker that `understudy dev` starts.
func DefaultConfig() Config {
	return Config{Brokers: []string{"127.0.0.1:19092"}, ClientID: "understudy"}
}

// Validate reports every mistake in the configuration.
func (cfg Config) Validate() error {
	var ps setting.Problems
	ps.Require(len(cfg.Brokers) > 0, "brokers", nil, "at least one host:port is needed")
	for i, b := range cfg.Brokers {
		ps.Require(setting.IsHostPort(b), setting.Index("brokers", i), setting.Address(b), "is not host:port")
	}
	cfg.TLS.validate(&ps)
	cfg.SASL.validate(&ps)
	return ps.Err()
}

// options are the client options that every connection shares.
func (cfg Config) options() ([]kgo.Opt, error) {
	id := cfg.ClientID
	if id == "" {
		id = "understudy"
	}
	secure, err := cfg.security()
	return append([]kgo.Opt{kgo.SeedBrokers(cfg.Brokers...), kgo.ClientID(id)}, secure...), err
}

// open makes a client, which connects when it is first used.
func open(cfg Config, opts ...kgo.Opt) (*kgo.Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	own, err := cfg.options()
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(slices.Concat(own, opts)...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return client, nil
}

// Dial connects and waits until a broker answers, at most DialTimeout. The
// caller closes the client. The error names the brokers and what to do.
func Dial(ctx context.Context, cfg Config, opts ...kgo.Opt) (*kgo.Client, error) {
	client, err := open(cfg, opts...)
	if err != nil {
		return nil, err
	}
	if err := answers(ctx, cfg, client); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

func answers(ctx context.Context, cfg Config, client *kgo.Client) error {
	ctx, cancel := context.WithTimeout(ctx, DialTimeout)
	defer cancel()
	err := client.Ping(ctx)
	if errors.Is(err, kerr.SaslAuthenticationFailed) {
		return fmt.Errorf("kafka at %s does not know us: %w; see kafka.sasl", strings.Join(cfg.Brokers, ","), err)
	}
	if err != nil {
		return fmt.Errorf("kafka at %s does not answer: %w; start one (understudy dev) or name another (--kafka host:port)",
			strings.Join(cfg.Brokers, ","), err)
	}
	return nil
}

// soon is how long a process that ends waits for a client that says goodbye to Kafka,
// which may be silent. What the client does after that changes nothing.
const soon = time.Second

// closeSoon closes a client, and waits a second for that at most.
func closeSoon(client *kgo.Client) {
	closed := make(chan struct{})
	go func() { defer close(closed); client.Close() }()
	timer := time.NewTimer(soon)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
	}
}
