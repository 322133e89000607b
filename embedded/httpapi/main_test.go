package httpapi_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/embedded/engine"
	"understudy.dev/embedded/httpapi"
)

// server is one for all tests: libchdb has one storage path a process.
var (
	shared *engine.Engine
	server *httptest.Server
)

func TestMain(m *testing.M) {
	os.Exit(embeddedtest.WithLibrary(func(library, dir string) int { return run(m, library, dir) }))
}

func run(m *testing.M, library, dir string) (code int) {
	var err error
	if shared, err = engine.Open(library, engine.Config{DataDir: dir}); err != nil {
		fmt.Println(err)
		return 1
	}
	server = httptest.NewServer(httpapi.New(shared, "", slog.New(slog.DiscardHandler)).AllowHosts("Platform.example"))
	code = m.Run()
	server.Close()
	if err := shared.Close(); err != nil {
		fmt.Println(err)
		return 1
	}
	return code
}

// address is where the server listens.
func address() string { return strings.TrimPrefix(server.URL, "http://") }
