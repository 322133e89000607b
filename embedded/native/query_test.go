package native

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"understudy.dev/embedded/blocks"
	"understudy.dev/embedded/engine"
)

func TestSelect(t *testing.T) {
	const parts, rows = 20, 1000
	backend := &fakeEngine{answer: func(context.Context, engine.Request) (Result, error) {
		var all [][]byte
		for i := range parts {
			all = append(all, numberBlock(i*rows, rows))
		}
		r := resultOf(all...).(fakeResult)
		r.statistics = engine.Statistics{ReadRows: 7, ReadBytes: 8, Elapsed: 9}
		return r, nil
	}}
	address := start(t, backend, DefaultConfig())
	for name, method := range allMethods {
		conn := dial(t, address, method)
		var progress clickhouse.Progress
		var profile clickhouse.ProfileInfo
		ctx := clickhouse.Context(t.Context(),
			clickhouse.WithProgress(func(p *clickhouse.Progress) { progress = *p }),
			clickhouse.WithProfileInfo(func(p *clickhouse.ProfileInfo) { profile = *p }),
			clickhouse.WithSettings(clickhouse.Settings{"max_threads": 3, "output_format_native_encode_types_in_binary_format": 1}),
			clickhouse.WithParameters(clickhouse.Parameters{"x": "it's\t\\"}),
			clickhouse.WithQueryID("id-1"))
		var got []struct {
			N uint64 `ch:"n"`
		}
		if err := conn.Select(ctx, &got, "SELECT n FORMAT JSON"); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range got {
			if got[i].N != uint64(i) {
				t.Fatalf("%s: row %d is %d", name, i, got[i].N)
			}
		}
		if len(got) != parts*rows || progress.Rows != 7 || progress.Bytes != 8 || progress.Elapsed != 9 || profile.Rows != parts*rows || profile.Blocks != parts {
			t.Errorf("%s: %d rows, progress %+v, profile %+v", name, len(got), progress, profile)
		}
	}
	want := engine.Request{
		SQL: "SELECT n ", QueryID: "id-1", Database: "default",
		Settings: map[string]string{"max_threads": "3"},
		Params:   map[string]string{"x": "it's\t\\"},
	}
	if diff := cmp.Diff(want, backend.asked("SELECT n")[0]); diff != "" {
		t.Error(diff)
	}
}

// A result whose first block is larger than what is held back arrives whole.
func TestSelectLargeBlock(t *testing.T) {
	value := strings.Repeat("x", 3*holdSize/2)
	backend := &fakeEngine{answer: func(context.Context, engine.Request) (Result, error) {
		return resultOf(stringBlock("first", value), stringBlock("second", value)), nil
	}}
	address := start(t, backend, DefaultConfig())
	for name, method := range allMethods {
		rows, err := dial(t, address, method).Query(t.Context(), "SELECT large")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for rows.Next() {
			var key, text string
			if err := rows.Scan(&key, &text); err != nil || text != value {
				t.Fatalf("%s: %d bytes, error %v", name, len(text), err)
			}
			got = append(got, key)
		}
		if diff := cmp.Diff([]string{"first", "second"}, got); diff != "" || rows.Err() != nil {
			t.Errorf("%s: %v %s", name, rows.Err(), diff)
		}
	}
}

func TestExceptionLeavesConnection(t *testing.T) {
	backend := &fakeEngine{answer: func(_ context.Context, r engine.Request) (Result, error) {
		switch {
		case strings.Contains(r.SQL, "at once"):
			return nil, &engine.Exception{Code: 60, Name: "UNKNOWN_TABLE", Message: "Table t does not exist"}
		case strings.Contains(r.SQL, "later"):
			late := &engine.Exception{Code: 395, Name: "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", Message: "thrown"}
			return fakeResult{Reader: io.MultiReader(bytes.NewReader(numberBlock(0, 10)), &failingReader{late})}, nil
		case strings.Contains(r.SQL, "state"):
			return resultOf(blocks.AppendString(blocks.AppendString(blocks.AppendStart(nil, blocks.Shape{Columns: 1, Rows: 1}, blocks.Layout{}), "s"), "AggregateFunction(sum, UInt64)")), nil
		case strings.Contains(r.SQL, "torn"):
			return resultOf(numberBlock(0, 10)[:20]), nil
		}
		return resultOf(numberBlock(5, 1)), nil
	}}
	address := start(t, backend, DefaultConfig())
	conn := dial(t, address, clickhouse.CompressionLZ4, func(o *clickhouse.Options) { o.MaxOpenConns = 1 })
	f := func(sql string, code int32, message string) {
		t.Helper()
		var e *clickhouse.Exception
		rows, err := conn.Query(t.Context(), sql)
		if err == nil {
			for rows.Next() {
			}
			err = rows.Err()
		}
		if !errors.As(err, &e) || e.Code != code || e.Name != exceptionClass || !strings.Contains(e.Message, message) {
			t.Errorf("%s: got %v, want code %d with %q", sql, err, code, message)
		}
		var n uint64
		if err := conn.QueryRow(t.Context(), "SELECT n").Scan(&n); err != nil || n != 5 {
			t.Errorf("after %s: %d, %v", sql, n, err)
		}
	}
	f("SELECT at once", 60, "Table t does not exist")
	f("SELECT later", 395, "thrown")
	f("SELECT state", codeNotImplemented, "finalizeAggregation")
	f("SELECT torn", codeUnknownException, "unexpected EOF")
	if got := len(backend.asked("SELECT version()")); got != 1 {
		t.Errorf("the engine was asked %d times for its version, want once", got)
	}
}

type failingReader struct{ err error }

func (r *failingReader) Read([]byte) (int, error) { return 0, r.err }

// Like ClickHouse: an unknown setting fails a query only if it is important.
func TestUnknownSettings(t *testing.T) {
	backend := &fakeEngine{answer: func(_ context.Context, r engine.Request) (Result, error) {
		for name := range r.Settings {
			if name != "max_threads" {
				return nil, &engine.Exception{Code: codeUnknownSetting, Name: "UNKNOWN_SETTING", Message: "Unknown setting " + name}
			}
		}
		return resultOf(stringBlock("ok")), nil
	}}
	conn := dial(t, start(t, backend, DefaultConfig()), clickhouse.CompressionNone)
	f := func(settings clickhouse.Settings, want string) {
		t.Helper()
		var got string
		err := conn.QueryRow(clickhouse.Context(t.Context(), clickhouse.WithSettings(settings)), "SELECT s").Scan(&got)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%v: got %q, want %q", settings, got, want)
		}
	}
	f(clickhouse.Settings{"max_threads": 1}, "ok")
	f(clickhouse.Settings{"max_threads": 1, "bogus": 1}, "Unknown setting bogus") // clickhouse-go marks all settings
	f(clickhouse.Settings{"bogus": clickhouse.CustomSetting{Value: "1"}}, "ok")
	if got := backend.asked("SELECT s"); got[len(got)-1].Settings["max_threads"] != "" {
		t.Error("a setting leaked into the next query")
	}
}

func TestSession(t *testing.T) {
	backend := &fakeEngine{answer: func(context.Context, engine.Request) (Result, error) {
		return resultOf(stringBlock("ok")), nil
	}}
	conn := dial(t, start(t, backend, DefaultConfig()), clickhouse.CompressionNone, func(o *clickhouse.Options) { o.MaxOpenConns = 1 })
	for _, sql := range []string{"USE db2", "SET max_threads = 3, log_comment = 'it''s'", "SELECT s"} {
		if err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	want := engine.Request{
		SQL: "SELECT s", Database: "db2",
		Settings: map[string]string{"max_threads": "3", "log_comment": "it's"},
		Params:   map[string]string{},
	}
	if diff := cmp.Diff(want, backend.asked("SELECT s")[0]); diff != "" {
		t.Error(diff)
	}
	if err := conn.Exec(t.Context(), "USE nosuch"); err == nil {
		t.Error("USE of a database that is not there succeeded")
	}
}

// A cancelled query ends in the engine.
func TestCancel(t *testing.T) {
	ended := make(chan error, 1)
	running := make(chan struct{})
	backend := &fakeEngine{answer: func(ctx context.Context, r engine.Request) (Result, error) {
		close(running)
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return nil, ctx.Err()
	}}
	conn := dial(t, start(t, backend, DefaultConfig()), clickhouse.CompressionNone)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-running; cancel() }()
	if err := conn.Exec(ctx, "SELECT sleep(3)"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	if err := <-ended; !errors.Is(err, errCancelled) {
		t.Errorf("the engine's context ended with %v", err)
	}
}

// A client that stays connected after Cancel gets the end of the stream and
// may go on.
func TestCancelGoesOn(t *testing.T) {
	running := make(chan struct{}, 1)
	backend := &fakeEngine{answer: func(ctx context.Context, _ engine.Request) (Result, error) {
		running <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	conn := dialRaw(t, start(t, backend, DefaultConfig()))
	send(t, conn, append(hello(serverRevision), 0))
	skipHello(t, conn)
	for range 3 {
		send(t, conn, queryPacket("SELECT sleep(3)"))
		<-running
		send(t, conn, []byte{clientCancel})
		if got := receive(t, conn, 1); got[0] != serverEndOfStream {
			t.Fatalf("got packet %d, want the end of the stream", got[0])
		}
		send(t, conn, []byte{clientPing})
		if got := receive(t, conn, 1); got[0] != serverPong {
			t.Fatalf("got packet %d, want a pong", got[0])
		}
	}
}

// TestQueryOfACluster: a query that another server has signed is refused, and
// the connection goes on.
func TestQueryOfACluster(t *testing.T) {
	conn := dialRaw(t, start(t, &fakeEngine{}, DefaultConfig()))
	send(t, conn, append(hello(serverRevision), 0))
	skipHello(t, conn)
	send(t, conn, signedPacket("SELECT 1", "secret"))
	want := appendException(nil, exception(codeNotImplemented, "the embedded platform does not take part in clusters"))
	if diff := cmp.Diff(want, receive(t, conn, len(want))); diff != "" {
		t.Fatal(diff)
	}
	send(t, conn, []byte{clientPing})
	if got := receive(t, conn, 1); got[0] != serverPong {
		t.Errorf("got packet %d, want a pong", got[0])
	}
}

func queryPacket(sql string) []byte { return signedPacket(sql, "") }

func signedPacket(sql, secret string) []byte {
	b := []byte{clientQuery}
	b = blocks.AppendString(b, "")
	b = append(b, 0)               // no client info
	b = blocks.AppendString(b, "") // settings
	b = blocks.AppendString(b, secret)
	b = append(b, stageComplete, 0)
	b = blocks.AppendString(b, sql)
	b = blocks.AppendString(b, "") // parameters
	b = append(b, clientData)
	b = blocks.AppendString(b, "")
	return blocks.AppendHeader(b, nil, blocks.LayoutOf(serverRevision))
}

func send(t *testing.T, conn net.Conn, b []byte) {
	t.Helper()
	if _, err := conn.Write(b); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, conn net.Conn, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(conn, b); err != nil {
		t.Fatal(err)
	}
	return b
}

func skipHello(t *testing.T, conn net.Conn) {
	t.Helper()
	want := appendServerHello(nil, serverIdentity{26, 7, 2, "Europe/Berlin", "host"}, serverRevision)
	if diff := cmp.Diff(want, receive(t, conn, len(want))); diff != "" {
		t.Fatal(diff)
	}
}
