package recorder

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/seal"
	"understudy.dev/exchange/session"
	"understudy.dev/exchange/token"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting"
)

// Config describes what is kept and how much may wait.
type Config struct {
	// Instance names this recorder; it must be unique for each process start.
	// Empty means host, process id and start time.
	Instance string `yaml:"instance"`
	// CaptureLimit is how many bytes of a body are kept, at most 1 MiB; default
	// 512 KiB.
	CaptureLimit int64 `yaml:"capture_limit"`
	// CaptureLimits are limits by route, "POST /uploads/{id}"; 0 keeps no
	// body, and 1 MiB is the most.
	CaptureLimits map[string]int64 `yaml:"capture_limits"`
	// QueueSize bounds exchanges that wait for the sink; 1 or more, default
	// 20,000.
	QueueSize int `yaml:"queue_size"`
	// MemoryLimit bounds the bytes of captured heads and bodies from their
	// arrival until the sink is done with them; 1 MiB or more, default
	// 256 MiB. Beyond it bodies are cut, and an exchange whose head does not
	// fit is dropped.
	MemoryLimit int64 `yaml:"memory_limit"`
	// TallyInterval is the time between two tallies; above 0, default 10 s.
	TallyInterval time.Duration `yaml:"tally_interval"`
	// DrainTimeout bounds how long the recorder goes on writing after traffic
	// has ended, the final tally included; above 0, default 8 s.
	DrainTimeout time.Duration `yaml:"drain_timeout"`
	// Session are the rules that find the session of a request, in order:
	// header:NAME, cookie:NAME, query:NAME or ip. The first that finds a value
	// decides.
	Session []string `yaml:"session"`
	// Routes are templates that take precedence over the automatic ones: a path
	// such as "/users/{name}", with or without a method before it; a last
	// segment "{name...}" matches the rest of the path.
	Routes []string `yaml:"routes"`
	// OpenAPI is a file that describes the API (OpenAPI 3 or Swagger 2.0, YAML or
	// JSON, 16 MiB at most): its paths, under the base paths of its servers, are
	// templates that go behind Routes and before the automatic ones.
	OpenAPI string `yaml:"openapi"`
	// Redact says what is secret.
	Redact redact.Config `yaml:"redact"`
	// Key makes session and redaction tokens: 16 bytes or more; instances with
	// the same key give equal values equal tokens. Empty is a random key, so
	// that tokens are equal within this process only; the commands take one that
	// those of one user share.
	Key string `yaml:"key"`
	// KeyFile is a file of keys in the place of Key, one a line: the first makes
	// tokens, the others are former ones, with which a replay compares what was
	// recorded under them.
	KeyFile string `yaml:"key_file"`
	// IndexHeaders are names of request headers, at most 16, whose values are in
	// the column headers of the table exchanges, as they are recorded: secrets as
	// tokens.
	IndexHeaders []string `yaml:"index_headers"`
	// Sample says which requests are recorded; all by default. The others are
	// served, counted and dropped as sampled.
	Sample SampleConfig `yaml:"sample"`
	// Marks says which requests are a replay's.
	Marks `yaml:",inline"`
	// ServedBy says whose answers are recorded: SIDE_BASELINE by default.
	ServedBy understudyv1.Side `yaml:"-"`
}

// DefaultConfig holds the documented defaults.
func DefaultConfig() Config {
	return Config{
		CaptureLimit: message.DefaultCaptureLimit, QueueSize: 20_000, MemoryLimit: 256 << 20,
		TallyInterval: 10 * time.Second, DrainTimeout: 8 * time.Second,
		Session: session.DefaultRules(), Sample: SampleConfig{Rate: 1, By: "session"}, Marks: defaultMarks(), ServedBy: understudyv1.Side_SIDE_BASELINE,
	}
}

// MaxCaptureLimit keeps a replay of such bodies within a Kafka message.
const MaxCaptureLimit = 1 << 20

// Validate reports every mistake in the configuration.
func (cfg Config) Validate() error {
	var ps setting.Problems
	limit := func(path string, v int64) {
		ps.Require(v >= 0 && v <= MaxCaptureLimit, path, v, fmt.Sprintf("is not between 0 and %d (1 MiB)", MaxCaptureLimit))
	}
	limit("capture_limit", cfg.CaptureLimit)
	for _, name := range slices.Sorted(maps.Keys(cfg.CaptureLimits)) {
		limit(setting.Member("capture_limits", name), cfg.CaptureLimits[name])
	}
	ps.Require(cfg.QueueSize >= 1, "queue_size", cfg.QueueSize, "is less than 1")
	ps.Require(cfg.MemoryLimit >= 1<<20, "memory_limit", cfg.MemoryLimit, "is less than 1048576 (1 MiB)")
	ps.Require(cfg.TallyInterval > 0, "tally_interval", cfg.TallyInterval, "is not positive")
	ps.Require(cfg.DrainTimeout > 0, "drain_timeout", cfg.DrainTimeout, "is not positive")
	keys, err := cfg.Keys()
	if cfg.KeyFile != "" {
		ps.Under("key_file", err)
	} else {
		ps.Under("key", err)
	}
	if err != nil {
		keys, _ = token.Parse("") // the rules below are looked at all the same
	}
	ps.Require(cfg.Key == "" || cfg.KeyFile == "", "key_file", cfg.KeyFile, "stands beside key; only one of them can hold")
	for _, p := range cfg.Redact.Problems() {
		ps.Require(false, setting.Join(setting.Index("redact.rules", p.Rule), p.Key), p.Value, p.Fault)
	}
	ps.Require(len(cfg.IndexHeaders) <= seal.MaxIndexed, "index_headers", len(cfg.IndexHeaders), fmt.Sprintf("names are more than %d", seal.MaxIndexed))
	for i, name := range cfg.IndexHeaders {
		ps.Require(message.IsToken(name), setting.Index("index_headers", i), name, "is not the name of a header")
	}
	cfg.Sample.validate(&ps)
	ps.Under("", cfg.Marks.problems())
	for i, rule := range cfg.Session {
		_, err := session.New([]string{rule}, keys.Current())
		ps.Under(setting.Index("session", i), err)
	}
	for i, template := range cfg.Routes {
		_, err := route.New([]string{template})
		ps.Under(setting.Index("routes", i), err)
	}
	if cfg.OpenAPI != "" {
		_, err := route.ReadOpenAPI(cfg.OpenAPI)
		ps.Under("openapi", err)
	}
	return ps.Err()
}

// Templates give requests their routes, by Routes and OpenAPI.
func (cfg Config) Templates() (*route.Templater, error) {
	t, err := route.New(cfg.Routes)
	if err != nil || cfg.OpenAPI == "" {
		return t, err
	}
	described, err := route.ReadOpenAPI(cfg.OpenAPI)
	if err != nil {
		return nil, err
	}
	t.Describe(described)
	return t, nil
}

// Keys are those of Key or KeyFile, the current one first.
func (cfg Config) Keys() (token.Keys, error) {
	if cfg.KeyFile != "" {
		return token.Read(cfg.KeyFile)
	}
	return token.Parse(cfg.Key)
}

func (cfg Config) instance(now time.Time) string {
	if cfg.Instance != "" {
		return cfg.Instance
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "recorder"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), now.UTC().Format("20060102T150405.000Z"))
}
