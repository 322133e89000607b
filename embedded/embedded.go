// Package embedded is Understudy's platform in one process: a broker that
// speaks Kafka's protocol (franz-go's kfake, on disk) and the real ClickHouse
// engine (libchdb) behind ClickHouse's own HTTP and native protocols, so that
// the same clients and the same code paths serve the laptop and the cluster.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
	"golang.org/x/sync/errgroup"

	"understudy.dev/embedded/broker"
	"understudy.dev/embedded/engine"
	"understudy.dev/embedded/folder"
	"understudy.dev/embedded/httpapi"
	"understudy.dev/embedded/native"
	"understudy.dev/setting"
)

// Config of a platform.
type Config struct {
	// DataDir holds all data; one process at a time.
	DataDir string `yaml:"data_dir"`
	// Kafka, HTTP and Native are the addresses to listen on. Port 0 takes any
	// free one.
	Kafka  string `yaml:"kafka"`
	HTTP   string `yaml:"http"`
	Native string `yaml:"native"`
	// AllowHosts are names under which ClickHouse's HTTP interface may be asked,
	// beside localhost and addresses: a web page whose owner points its name
	// here must not get an answer.
	AllowHosts []string `yaml:"allow_hosts"`
	// MaxMemory bounds the memory of the ClickHouse engine; 256 MiB or more.
	MaxMemory int64 `yaml:"max_memory"`
	// CacheDir keeps the installed engine; empty is the user's cache folder.
	CacheDir string `yaml:"cache_dir"`
}

// DefaultConfig listens where the commands look by default, on other ports than
// those of a Kafka (9092) or a ClickHouse (8123, 9000) that may be running.
func DefaultConfig() Config {
	return Config{
		DataDir: defaultDataDir(), Kafka: "127.0.0.1:19092", HTTP: "127.0.0.1:18123", Native: "127.0.0.1:19000",
		MaxMemory: 2 << 30,
	}
}

func defaultDataDir() string {
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "understudy", "dev")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "understudy-data"
	}
	return filepath.Join(home, ".local", "share", "understudy", "dev")
}

// Validate reports every mistake in the configuration.
func (c Config) Validate() error {
	var ps setting.Problems
	ps.Require(c.DataDir != "", "data_dir", nil, "is empty")
	for _, a := range []struct{ path, address string }{{"kafka", c.Kafka}, {"http", c.HTTP}, {"native", c.Native}} {
		_, _, err := net.SplitHostPort(a.address)
		ps.Require(err == nil, a.path, a.address, "is not host:port")
	}
	ps.Require(c.MaxMemory >= 256<<20, "max_memory", c.MaxMemory, "is less than the engine needs, 268435456 (256 MiB)")
	return ps.Err()
}

// Addresses are where a running platform listens.
type Addresses struct{ Kafka, HTTP, Native string }

// Platform is the broker and the database of one process.
type Platform struct {
	cfg      Config
	log      *slog.Logger
	progress func(done, total int64)
	ready    chan struct{}
	at       Addresses
}

// New makes a platform; nothing starts before Run. progress, if not nil, is
// called with the progress of the engine's download, if there is one.
func New(cfg Config, log *slog.Logger, progress func(done, total int64)) (*Platform, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Platform{cfg: cfg, log: log, progress: progress, ready: make(chan struct{})}, nil
}

// Ready is closed when all listeners answer; then At may be called.
func (p *Platform) Ready() <-chan struct{} { return p.ready }

// At is where the platform listens, once it is ready.
func (p *Platform) At() Addresses { return p.at }

// Run serves until ctx ends; then it shuts everything down and returns nil.
func (p *Platform) Run(ctx context.Context) error {
	// The broker and the engine choose the modes of their files themselves.
	// Their content was recorded in production and must be private.
	folder.Private()
	unlock, err := lockDir(p.cfg.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := requireSpace(p.cfg.DataDir); err != nil {
		return err
	}
	library, err := engine.Install(ctx, engine.InstallConfig{CacheDir: p.cfg.CacheDir, Progress: p.progress})
	if err != nil {
		return err
	}
	httpListener, err := listen(ctx, "ClickHouse HTTP", p.cfg.HTTP)
	if err != nil {
		return err
	}
	defer httpListener.Close()
	nativeListener, err := listen(ctx, "ClickHouse native", p.cfg.Native)
	if err != nil {
		return err
	}
	defer nativeListener.Close()
	kafka, err := p.startBroker(ctx)
	if err != nil {
		return err
	}
	defer kafka.Close()
	spool := filepath.Join(p.cfg.DataDir, "tmp")
	if err := os.MkdirAll(spool, 0o700); err != nil {
		return fmt.Errorf("folder for rows on their way: %w", err)
	}
	clickhouse, err := engine.Open(library, engine.Config{
		DataDir: filepath.Join(p.cfg.DataDir, "clickhouse"), Folders: []string{spool}, MaxMemory: p.cfg.MaxMemory,
	})
	if err != nil {
		return err
	}
	defer clickhouse.Close()
	if !clickhouse.Confined() {
		p.log.Warn("this kernel has no Landlock: only its own rights and a look at each statement keep the ClickHouse engine from other files; INSERT … VALUES takes literals only")
	}
	nativeConfig := native.DefaultConfig()
	nativeConfig.SpoolDirectory = spool
	p.at = Addresses{Kafka: kafka.ListenAddrs()[0], HTTP: httpListener.Addr().String(), Native: nativeListener.Addr().String()}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return httpapi.New(clickhouse, spool, p.log).AllowHosts(p.cfg.AllowHosts...).Serve(ctx, httpListener)
	})
	group.Go(func() error {
		return native.New(native.Over(clickhouse), nativeConfig, p.log).Serve(ctx, nativeListener)
	})
	group.Go(func() error { watchDisk(ctx, p.cfg.DataDir, folder.Free, p.log); return nil })
	close(p.ready)
	return group.Wait()
}

// startBroker tries the port first, which with port 0 also chooses it: the
// broker's own error suggests no remedy.
func (p *Platform) startBroker(ctx context.Context) (*kfake.Cluster, error) {
	probe, err := listen(ctx, "Kafka", p.cfg.Kafka)
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(probe.Addr().String())
	probe.Close()
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(p.cfg.Kafka)
	if err != nil {
		return nil, err
	}
	return broker.Start(ctx, net.JoinHostPort(host, port), filepath.Join(p.cfg.DataDir, "kafka"))
}

// lockDir makes sure that one process at a time uses a data folder.
func lockDir(dir string) (unlock func(), err error) {
	// A folder of an earlier version may be open to others.
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, 0o700)); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	unlock, err = folder.Lock(filepath.Join(dir, "lock"), 0o600)
	switch {
	case errors.Is(err, folder.ErrLocked):
		return nil, fmt.Errorf("data folder %s is in use by another process; stop it, or choose another folder (--data-dir)", dir)
	case err != nil:
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return unlock, nil
}

func listen(ctx context.Context, what, address string) (net.Listener, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s: %s is in use; is another `understudy dev` running? Otherwise choose another address", what, address)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return ln, nil
}
