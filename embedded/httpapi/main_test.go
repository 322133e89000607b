package httpapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"understudy.dev/embedded/engine"
	"understudy.dev/embedded/httpapi"
)

// server is one for all tests: libchdb has one storage path a process.
var (
	shared *engine.Engine
	server *httptest.Server
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	path, err := engine.Install(context.Background(), engine.InstallConfig{})
	if err != nil {
		fmt.Println("no ClickHouse engine:", err)
		if os.Getenv("CI") == "true" {
			return 1
		}
		fmt.Println("SKIP: the tests of the interface need it")
		return 0
	}
	dir, err := os.MkdirTemp("", "httpapi-test-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	if shared, err = engine.Open(path, engine.Config{DataDir: dir}); err != nil {
		fmt.Println(err)
		return 1
	}
	server = httptest.NewServer(httpapi.New(shared, "", slog.New(slog.DiscardHandler)).AllowHosts("Platform.example"))
	code := m.Run()
	server.Close()
	if err := shared.Close(); err != nil {
		fmt.Println(err)
		return 1
	}
	return code
}

// address is where the server listens.
func address() string { return strings.TrimPrefix(server.URL, "http://") }
