package native

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
	"go.uber.org/goleak"

	"understudy.dev/embedded/blocks"
	"understudy.dev/embedded/engine"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// A fakeEngine answers the protocol's own questions, and leaves the others to
// a function.
type fakeEngine struct {
	answer func(ctx context.Context, r engine.Request) (Result, error)

	mu       sync.Mutex
	requests []engine.Request
}

func (e *fakeEngine) Query(ctx context.Context, r engine.Request) (Result, error) {
	e.mu.Lock()
	e.requests = append(e.requests, r)
	e.mu.Unlock()
	switch {
	case strings.HasPrefix(r.SQL, "SELECT version()"):
		return resultOf(stringBlock("26.7.2.1", "Europe/Berlin", "host")), nil
	case r.SQL == "SELECT name FROM system.settings":
		return resultOf(stringBlock("max_threads")), nil
	case strings.HasPrefix(r.SQL, "SHOW CREATE DATABASE"):
		if strings.Contains(r.SQL, "nosuch") {
			return nil, &engine.Exception{Code: 81, Name: "UNKNOWN_DATABASE", Message: "Database nosuch does not exist"}
		}
		return resultOf(stringBlock("CREATE DATABASE")), nil
	}
	return e.answer(ctx, r)
}

// asked returns the requests so far whose statement contains text.
func (e *fakeEngine) asked(text string) []engine.Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []engine.Request
	for _, r := range e.requests {
		if strings.Contains(r.SQL, text) {
			found = append(found, r)
		}
	}
	return found
}

// fakeResult is a Result from bytes.
type fakeResult struct {
	io.Reader
	statistics engine.Statistics
}

func (fakeResult) Close() error                    { return nil }
func (r fakeResult) Statistics() engine.Statistics { return r.statistics }

func resultOf(all ...[]byte) Result {
	return fakeResult{Reader: bytes.NewReader(bytes.Join(all, nil))}
}

// stringBlock is a row of strings as the engine gives it.
func stringBlock(values ...string) []byte {
	b := blocks.AppendStart(nil, blocks.Shape{Columns: uint64(len(values)), Rows: 1}, blocks.Layout{})
	for i, value := range values {
		b = blocks.AppendString(b, fmt.Sprintf("c%d", i))
		b = blocks.AppendString(b, "String")
		b = blocks.AppendString(b, value)
	}
	return b
}

// numberBlock is a column n of UInt64 from first on.
func numberBlock(first, rows int) []byte {
	block := proto.NewBlock()
	if err := block.AddColumn("n", "UInt64"); err != nil {
		panic(err)
	}
	for i := range rows {
		if err := block.Append(uint64(first + i)); err != nil {
			panic(err)
		}
	}
	var buf chproto.Buffer
	if err := block.Encode(&buf, 0); err != nil {
		panic(err)
	}
	return buf.Buf
}

// quiet is a logger for tests.
var quiet = slog.New(slog.DiscardHandler)

// start serves the engine on loopback until the test ends.
func start(t testing.TB, backend Engine, cfg Config) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- New(backend, cfg, quiet).Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return listener.Addr().String()
}

// dial connects clickhouse-go as its users do.
func dial(t testing.TB, address string, method clickhouse.CompressionMethod, change ...func(*clickhouse.Options)) driver.Conn {
	t.Helper()
	options := &clickhouse.Options{
		Addr:        []string{address},
		Compression: &clickhouse.Compression{Method: method},
	}
	for _, f := range change {
		f(options)
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return conn
}

// dialRaw connects without a client.
func dialRaw(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

var allMethods = map[string]clickhouse.CompressionMethod{
	"none": clickhouse.CompressionNone,
	"lz4":  clickhouse.CompressionLZ4,
	"zstd": clickhouse.CompressionZSTD,
}
