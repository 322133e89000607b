// Package embeddedtest gives tests the platform of one process: a broker and
// the real ClickHouse engine.
package embeddedtest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"

	"understudy.dev/embedded"
	"understudy.dev/embedded/engine"
)

var shared struct {
	once sync.Once
	at   embedded.Addresses
	err  error
}

// Start returns the addresses of a platform that all tests of this process
// share (libchdb has one storage path a process); isolate tests by topic
// prefix and database. It ends with the process and leaves its data to the
// system's temporary folder. Without the engine the test is skipped, under
// CI=true it fails.
func Start(t testing.TB) embedded.Addresses {
	t.Helper()
	shared.once.Do(func() { shared.at, shared.err = start() })
	if shared.err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the embedded platform is required here: %v", shared.err)
		}
		t.Skipf("SKIP: no embedded platform: %v", shared.err)
	}
	return shared.at
}

// WithLibrary is for a TestMain that opens the engine itself: it calls run with
// the installed library and an empty folder, and returns the exit code. Without
// the engine nothing is run, and under CI=true that is a failure.
func WithLibrary(run func(library, dir string) int) int {
	library, err := engine.Install(context.Background(), engine.InstallConfig{})
	if err != nil {
		fmt.Println("no ClickHouse engine:", err)
		if os.Getenv("CI") == "true" {
			return 1
		}
		fmt.Println("SKIP: these tests need it")
		return 0
	}
	dir, err := os.MkdirTemp("", "understudy-engine-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	return run(library, dir)
}

func start() (embedded.Addresses, error) {
	if _, err := engine.Install(context.Background(), engine.InstallConfig{}); err != nil {
		return embedded.Addresses{}, err
	}
	dir, err := os.MkdirTemp("", "understudy-test-")
	if err != nil {
		return embedded.Addresses{}, err
	}
	cfg := embedded.DefaultConfig()
	cfg.DataDir, cfg.Kafka, cfg.HTTP, cfg.Native = dir, "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	platform, err := embedded.New(cfg, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), nil)
	if err != nil {
		return embedded.Addresses{}, err
	}
	failed := make(chan error, 1)
	go func() { failed <- platform.Run(context.Background()) }()
	select {
	case <-platform.Ready():
		fmt.Fprintf(os.Stderr, "platform: embedded, kafka %s, clickhouse %s and http://%s\n",
			platform.At().Kafka, platform.At().Native, platform.At().HTTP)
		return platform.At(), nil
	case err := <-failed:
		return embedded.Addresses{}, err
	}
}
