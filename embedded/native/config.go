package native

import (
	"errors"
	"fmt"
	"time"
)

// Config says what the server allows. The zero value is not valid; start from
// DefaultConfig.
type Config struct {
	// Database is what a connection uses that names none.
	Database string `yaml:"database"`
	// MaxConnections bounds the connections open at once; further ones get
	// exception 202 and are closed.
	MaxConnections int `yaml:"max_connections"`
	// HelloTimeout is how long a new connection may take to say hello.
	HelloTimeout time.Duration `yaml:"hello_timeout"`
	// IdleTimeout ends a connection that has sent no request for this long.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// TransferTimeout ends a connection whose client neither sends nor takes
	// a byte for so long in the middle of a packet.
	TransferTimeout time.Duration `yaml:"transfer_timeout"`
	// SpoolDirectory takes the rows of an INSERT until it is complete, as a
	// file that the engine reads. A directory is the server's own: what a
	// crash left there is removed. Empty: the system's temporary directory.
	SpoolDirectory string `yaml:"spool_directory"`
	// MaxInsertBytes bounds the rows of one INSERT, in bytes without
	// compression; a larger one is refused with exception 307.
	MaxInsertBytes int64 `yaml:"max_insert_bytes"`
}

// DefaultConfig returns a Config with the values of a ClickHouse server where
// it has them, and bounds that fit one machine where it has none.
func DefaultConfig() Config {
	return Config{
		Database:        "default",
		MaxConnections:  256,
		HelloTimeout:    10 * time.Second,
		IdleTimeout:     time.Hour,
		TransferTimeout: 5 * time.Minute,
		MaxInsertBytes:  16 << 30,
	}
}

// Validate returns all mistakes joined, or nil.
func (c Config) Validate() error {
	var errs []error
	if c.Database == "" {
		errs = append(errs, errors.New("database: is empty"))
	}
	if c.MaxConnections < 1 {
		errs = append(errs, fmt.Errorf("max_connections: %d is less than 1", c.MaxConnections))
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"hello_timeout", c.HelloTimeout}, {"idle_timeout", c.IdleTimeout}, {"transfer_timeout", c.TransferTimeout}} {
		if d.value <= 0 {
			errs = append(errs, fmt.Errorf("%s: %s is not positive", d.name, d.value))
		}
	}
	if c.MaxInsertBytes < 1 {
		errs = append(errs, fmt.Errorf("max_insert_bytes: %d is less than 1", c.MaxInsertBytes))
	}
	return errors.Join(errs...)
}
