package trace

import (
	"net/url"
	"os"
	"strings"

	"understudy.dev/setting"
)

// Config says where spans go; without an endpoint there are none.
type Config struct {
	// Endpoint is the address of a collector that takes OTLP over HTTP, as in
	// http://collector:4318; spans go to its /v1/traces. Empty is what
	// OTEL_EXPORTER_OTLP_ENDPOINT says, and without that tracing is off. Fields
	// that the collector needs, such as a token, are in
	// OTEL_EXPORTER_OTLP_HEADERS (name=value, separated by commas).
	Endpoint string `yaml:"endpoint"`
	// CAFile holds the certificates that the collector's is checked against, PEM;
	// empty is the system's.
	CAFile string `yaml:"ca_file"`
	// Share of the requests that get a trace where the client sends none, from 0 to
	// 1, default 1. A client's own traceparent decides for its request.
	Share float64 `yaml:"share"`
	// Queue is how many spans wait at most, default 4096; what has no room is
	// dropped and counted.
	Queue int `yaml:"queue"`
}

// DefaultConfig holds the documented defaults; tracing is off.
func DefaultConfig() Config { return Config{Share: 1, Queue: 4096} }

// FromEnvironment fills in what OpenTelemetry's variables say and the
// configuration does not.
func (cfg Config) FromEnvironment() Config {
	if cfg.Endpoint == "" && os.Getenv("OTEL_SDK_DISABLED") != "true" {
		cfg.Endpoint = os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	}
	return cfg
}

// On reports whether there is tracing.
func (cfg Config) On() bool { return cfg.Endpoint != "" }

// Validate reports every mistake in the section.
func (cfg Config) Validate() error {
	var ps setting.Problems
	if cfg.Endpoint != "" {
		u, err := url.Parse(cfg.Endpoint)
		ps.Require(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "",
			"endpoint", setting.Address(cfg.Endpoint), "does not look like http://host:4318")
	}
	ps.Require(cfg.Share >= 0 && cfg.Share <= 1, "share", cfg.Share, "is not between 0 and 1")
	ps.Require(cfg.Queue >= 1 && cfg.Queue <= 1<<20, "queue", cfg.Queue, "is not between 1 and 1048576")
	return ps.Err()
}

// environmentHeaders are the fields of OTEL_EXPORTER_OTLP_HEADERS.
func environmentHeaders() map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(os.Getenv("OTEL_EXPORTER_OTLP_HEADERS"), ",") {
		name, value, ok := strings.Cut(part, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			continue
		}
		if plain, err := url.PathUnescape(strings.TrimSpace(value)); err == nil {
			out[name] = plain
		}
	}
	return out
}
