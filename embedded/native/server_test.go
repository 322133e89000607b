package native

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"understudy.dev/embedded/blocks"
	"understudy.dev/embedded/engine"
)

// errNoAnswer fails a test whose engine is asked for what it should not be.
var errNoAnswer = errors.New("the engine was not to be asked")

func noAnswer(context.Context, engine.Request) (Result, error) { return nil, errNoAnswer }

func TestHandshake(t *testing.T) {
	address := start(t, &fakeEngine{answer: noAnswer}, DefaultConfig())
	conn := dial(t, address, clickhouse.CompressionNone)
	if err := conn.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := conn.ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	got := []any{v.Name, v.DisplayName, v.Version.Major, v.Version.Minor, v.Version.Patch, v.Revision, v.Timezone.String()}
	want := []any{"ClickHouse", "host", uint64(26), uint64(7), uint64(2), uint64(serverRevision), "Europe/Berlin"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHandshakeRefuses(t *testing.T) {
	address := start(t, &fakeEngine{answer: noAnswer}, DefaultConfig())
	f := func(auth clickhouse.Auth, want int32) {
		t.Helper()
		conn := dial(t, address, clickhouse.CompressionNone, func(o *clickhouse.Options) { o.Auth = auth })
		var e *clickhouse.Exception
		if err := conn.Ping(t.Context()); !errors.As(err, &e) || e.Code != want {
			t.Errorf("%+v: got %v, want code %d", auth, err, want)
		}
	}
	f(clickhouse.Auth{Username: "bob"}, codeAuthentication)
	f(clickhouse.Auth{Database: "nosuch"}, 81)
	f(clickhouse.Auth{Username: interserverMarker}, codeNotImplemented)
}

// What is no client of this protocol is told so in words.
func TestStrangers(t *testing.T) {
	address := start(t, &fakeEngine{answer: noAnswer}, DefaultConfig())
	f := func(send, want string) {
		t.Helper()
		conn := dialRaw(t, address)
		if _, err := io.WriteString(conn, send); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		if err != nil || !strings.Contains(string(got), want) {
			t.Errorf("after %.20q: got %.300q and error %v, want %q", send, got, err, want)
		}
	}
	f("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.0 400 Bad engine.Request")
	f("POST /?query=SELECT HTTP/1.1\r\n\r\n", "use the HTTP port")
	f("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", "has no TLS")
	f("\x01", "must be Hello")
	f("\x00\xff\xff\xff\xff\x0f", "longer than the limit")
	f("\x00\x01a\x00\x00\x00\x00\x00\x00", "at least 54429")
	f(string(hello(serverRevision))+"\x00"+"\x7f", "packet number 127")
	f(string(hello(serverRevision))+"\x00"+"\x02", "without a query")
	f(string(hello(serverRevision))+"\x00"+"\x01\x00\x01\x00\x00\x00"+strings.Repeat("\x00", 8)+"\x02", "interface 2")
}

// hello is a client's Hello packet.
func hello(revision uint64) []byte {
	b := blocks.AppendString([]byte{clientHello}, "test")
	b = append(b, 1, 1)
	b = binary.AppendUvarint(b, revision)
	for range 3 { // database, user, password
		b = blocks.AppendString(b, "")
	}
	return b
}

func TestHelloTimeout(t *testing.T) {
	cfg := DefaultConfig()
	cfg.HelloTimeout = time.Millisecond
	address := start(t, &fakeEngine{answer: noAnswer}, cfg)
	got, err := io.ReadAll(dialRaw(t, address))
	if err != nil || !strings.Contains(string(got), "waiting for the client's hello") {
		t.Errorf("got %q and error %v", got, err)
	}
}

func TestIdleTimeout(t *testing.T) {
	cfg := DefaultConfig()
	cfg.IdleTimeout = time.Millisecond
	address := start(t, &fakeEngine{answer: noAnswer}, cfg)
	conn := dialRaw(t, address)
	if _, err := conn.Write(append(hello(serverRevision), 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("the connection did not end: %v", err)
	}
}

func TestTooManyConnections(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxConnections = 1
	address := start(t, &fakeEngine{answer: noAnswer}, cfg)
	first := dial(t, address, clickhouse.CompressionNone)
	if err := first.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := dial(t, address, clickhouse.CompressionNone)
	var e *clickhouse.Exception
	if err := second.Ping(t.Context()); !errors.As(err, &e) || e.Code != codeTooManyRequests {
		t.Errorf("got %v, want code %d", err, codeTooManyRequests)
	}
}

// Serve ends with its context though a query runs and a client is idle.
func TestServeEnds(t *testing.T) {
	running := make(chan struct{})
	backend := &fakeEngine{answer: func(ctx context.Context, _ engine.Request) (Result, error) {
		close(running)
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- New(backend, DefaultConfig(), quiet).Serve(ctx, listener) }()
	idle := dial(t, listener.Addr().String(), clickhouse.CompressionNone)
	if err := idle.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	busy := dial(t, listener.Addr().String(), clickhouse.CompressionNone)
	answer := make(chan error, 1)
	go func() { answer <- busy.Exec(t.Context(), "SELECT sleep(3)") }()
	<-running
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if err := <-answer; err == nil {
		t.Error("the query that was cut off succeeded")
	}
}

func TestConfigValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	err := Config{}.Validate()
	for _, name := range []string{"database", "max_connections", "hello_timeout", "idle_timeout", "transfer_timeout", "max_insert_bytes"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is missing from %v", name, err)
		}
	}
}
