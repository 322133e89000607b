package listener

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// lookEvery is how often, at most, a handshake looks whether the files have
// changed.
const lookEvery = time.Second

// certificate is the pair in two files. What was read last holds until the files
// make another valid pair: they are not replaced in one moment.
type certificate struct {
	cfg    TLSConfig
	log    *slog.Logger
	errors prometheus.Counter
	until  prometheus.Gauge

	mu     sync.Mutex
	pair   *tls.Certificate
	seen   [2]version // of the files, when they were last read, valid or not
	looked time.Time
}

// version tells a file from what stands in its place later.
type version struct{ size, modified int64 }

func newCertificate(cfg TLSConfig, log *slog.Logger, reg prometheus.Registerer) (*certificate, error) {
	c := &certificate{
		cfg: cfg, log: log,
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "understudy_gateway_certificate_errors_total", Help: "Times that changed files of the certificate could not be used; the former one stays.",
		}),
		until: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "understudy_gateway_certificate_not_after_seconds", Help: "When the certificate in use expires, in seconds since the Unix epoch.",
		}),
	}
	if err := c.read(); err != nil {
		return nil, err
	}
	if err := errors.Join(reg.Register(c.errors), reg.Register(c.until)); err != nil {
		return nil, fmt.Errorf("register the listener's metrics: %w", err)
	}
	return c, nil
}

// get is tls.Config.GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < lookEvery {
		return c.pair, nil
	}
	if c.changed() {
		if err := c.read(); err != nil {
			c.errors.Inc()
			c.log.Error("the listener's changed certificate cannot be used, the former one stays", "error", err, "expires", c.pair.Leaf.NotAfter)
		} else {
			c.log.Info("the listener's certificate has changed", "expires", c.pair.Leaf.NotAfter)
		}
	}
	return c.pair, nil
}

func (c *certificate) changed() bool {
	c.looked = time.Now()
	return c.versions() != c.seen
}

func (c *certificate) versions() (v [2]version) {
	for i, path := range []string{c.cfg.CertFile, c.cfg.KeyFile} {
		if info, err := os.Stat(path); err == nil {
			v[i] = version{info.Size(), info.ModTime().UnixNano()}
		}
	}
	return v
}

func (c *certificate) read() error {
	c.seen, c.looked = c.versions(), time.Now() // before the files: what changes meanwhile is read again
	pair, err := tls.LoadX509KeyPair(c.cfg.CertFile, c.cfg.KeyFile)
	if err != nil {
		return err
	}
	c.pair = &pair
	c.until.Set(float64(pair.Leaf.NotAfter.Unix()))
	return nil
}
