package spool

import (
	"time"

	"understudy.dev/setting"
)

// Policies say what gives way when the spool is at its bound.
const (
	Oldest = "oldest"
	Newest = "newest"
)

// Config bounds a spool.
type Config struct {
	// Dir is the folder in which each recorder makes its own; empty is off. What
	// one that died has left there is taken over by the next that starts.
	Dir string `yaml:"dir"`
	// MaxBytes bounds what one recorder keeps on disk; 1 MiB or more, default
	// 1 GiB.
	MaxBytes int64 `yaml:"max_bytes"`
	// MaxAge is how long an exchange is kept; 1m or more, default 72h. It
	// should be below the retention of the topics.
	MaxAge time.Duration `yaml:"max_age"`
	// Policy says what is dropped at MaxBytes: oldest (default), by whole
	// segments, or newest.
	Policy string `yaml:"policy"`
	// DrainRate is how many bytes are written to Kafka in a second once it is
	// back, at most; 64 KiB or more, default 32 MiB. Live traffic goes through
	// the spool until that is empty, so it must be above what is recorded.
	DrainRate int64 `yaml:"drain_rate"`
	// SyncInterval is how often what was appended is written and synced; 1ms or
	// more, default 200ms. A loss of power costs what came since.
	SyncInterval time.Duration `yaml:"sync_interval"`
}

// DefaultConfig holds the documented defaults.
func DefaultConfig() Config {
	return Config{MaxBytes: 1 << 30, MaxAge: 72 * time.Hour, Policy: Oldest, DrainRate: 32 << 20, SyncInterval: 200 * time.Millisecond}
}

// Validate reports every mistake in the configuration.
func (cfg Config) Validate() error {
	var ps setting.Problems
	ps.Require(cfg.MaxBytes >= 1<<20, "max_bytes", cfg.MaxBytes, "is less than 1048576 (1 MiB)")
	ps.Require(cfg.MaxAge >= time.Minute, "max_age", cfg.MaxAge, "is less than 1m")
	ps.OneOf("policy", cfg.Policy, Oldest, Newest)
	ps.Require(cfg.DrainRate >= 64<<10, "drain_rate", cfg.DrainRate, "is less than 65536 (64 KiB)")
	ps.Require(cfg.SyncInterval >= time.Millisecond, "sync_interval", cfg.SyncInterval, "is less than 1ms")
	return ps.Err()
}
