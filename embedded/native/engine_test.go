package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"understudy.dev/embedded/engine"
)

// realServer serves the real engine, whose data begin empty.
func realServer(t *testing.T) (address string) {
	t.Helper()
	cfg := DefaultConfig()
	cfg.SpoolDirectory = t.TempDir()
	return start(t, realEngine(t, cfg.SpoolDirectory), cfg)
}

// realEngine is the real engine, installed if it is not. Without it the tests
// are skipped, but not in CI.
func realEngine(t *testing.T, folders ...string) Engine {
	t.Helper()
	path, err := engine.Install(t.Context(), engine.InstallConfig{})
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no ClickHouse engine:", err)
	}
	clickhouse, err := engine.Open(path, engine.Config{DataDir: t.TempDir(), Folders: folders})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := clickhouse.Close(); err != nil {
			t.Error(err)
		}
	})
	return Over(clickhouse)
}

func execute(t testing.TB, conn driver.Conn, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

func TestRealEngine(t *testing.T) {
	address := realServer(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, string)
	}{
		{"types", testTypes}, {"insert all types", testInsertTypes}, {"deduplication", testDeduplication},
		{"exceptions", testExceptions}, {"parameters and settings", testParameters},
		{"million rows", testMillionRows}, {"cancel", testCancelReal}, {"concurrent", testConcurrent},
		{"empty results", testEmpty}, {"json", testJSON}, {"database/sql", testStandard}, {"session", testSessionReal},
		{"clickhouse-driver", testPython},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, address) })
	}
}

// A batch that is sent again with its token adds nothing, to the table and to
// what a materialized view makes of it.
func testDeduplication(t *testing.T, address string) {
	conn := dial(t, address, clickhouse.CompressionLZ4)
	execute(t, conn,
		"CREATE TABLE events (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100",
		"CREATE TABLE sums (k UInt8, total UInt64) ENGINE = SummingMergeTree ORDER BY k SETTINGS non_replicated_deduplication_window = 100",
		"CREATE MATERIALIZED VIEW to_sums TO sums AS SELECT 1 AS k, n AS total FROM events")
	f := func(token string, wantRows, wantSum uint64) {
		t.Helper()
		ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{
			"insert_deduplication_token": token, "deduplicate_blocks_in_dependent_materialized_views": 1,
		}))
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO events")
		if err != nil {
			t.Fatal(err)
		}
		for n := range uint64(10) {
			if err := batch.Append(n); err != nil {
				t.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
		var rows, sum uint64
		if err := conn.QueryRow(t.Context(), "SELECT count(), (SELECT sum(total) FROM sums) FROM events").Scan(&rows, &sum); err != nil {
			t.Fatal(err)
		}
		if rows != wantRows || sum != wantSum {
			t.Errorf("after token %s: %d rows and sum %d, want %d and %d", token, rows, sum, wantRows, wantSum)
		}
	}
	f("a", 10, 45)
	f("a", 10, 45)
	f("b", 20, 90)
	f("a", 20, 90)
}

func testExceptions(t *testing.T, address string) {
	conn := dial(t, address, clickhouse.CompressionLZ4, func(o *clickhouse.Options) { o.MaxOpenConns = 1 })
	execute(t, conn, "CREATE TABLE strict (n UInt64, CONSTRAINT small CHECK n < 5) ENGINE = MergeTree ORDER BY n")
	f := func(code int32, message string, run func() error) {
		t.Helper()
		var e *clickhouse.Exception
		if err := run(); !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, message) {
			t.Errorf("got %v, want code %d with %q", err, code, message)
		}
		var one uint8
		if err := conn.QueryRow(t.Context(), "SELECT 1").Scan(&one); err != nil || one != 1 {
			t.Errorf("the connection is of no more use: %d, %v", one, err)
		}
	}
	sql := func(text string) func() error {
		return func() error {
			rows, err := conn.Query(t.Context(), text)
			if err != nil {
				return err
			}
			for rows.Next() {
			}
			return errors.Join(rows.Err(), rows.Close())
		}
	}
	insert := func(text string, n uint64) func() error {
		return func() error {
			batch, err := conn.PrepareBatch(t.Context(), text)
			if err != nil {
				return err
			}
			if err := batch.Append(n); err != nil {
				return err
			}
			return batch.Send()
		}
	}
	f(60, "nosuch", sql("SELECT * FROM nosuch"))
	f(497, "file(…)", sql("SELECT * FROM file('/etc/passwd', 'LineAsString')"))
	f(497, "INTO OUTFILE", sql("SELECT 1 INTO OUTFILE '/tmp/never'"))
	f(497, "FROM INFILE", sql("INSERT INTO strict FROM INFILE '/etc/passwd' FORMAT CSV"))
	for _, two := range []string{"SELECT 1; SELECT 2", "SELECT 1; SELECT 2 FORMAT CSV", "SET max_threads = 1; SELECT 2", "USE default; SELECT 2", "CREATE TABLE two (a Int8); DROP TABLE two"} {
		f(62, "Multi-statements", sql(two))
	}
	f(62, "failed at position 10 (1)", sql("SELECT 1 1")) // the place is that in the client's text
	f(47, "nosuch", sql("SELECT nosuch"))
	f(395, "late", sql("SELECT throwIf(number = 900000, 'late') FROM numbers(1000000)"))
	f(60, "nosuch", insert("INSERT INTO nosuch", 1))
	f(16, "nosuch", insert("INSERT INTO strict (nosuch)", 1))
	f(469, "small", insert("INSERT INTO strict", 7))
	f(48, "finalizeAggregation", sql("SELECT sumState(number) FROM numbers(3)"))
	f(115, "nosuch", func() error {
		ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"nosuch": 1}))
		return conn.Exec(ctx, "SELECT 1")
	})
}

func testParameters(t *testing.T, address string) {
	conn := dial(t, address, clickhouse.CompressionNone)
	ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"max_block_size": 7, "log_comment": "it's"}))
	var x, block uint64
	var s, comment string
	var a []string
	err := conn.QueryRow(ctx, "SELECT {x:UInt64}, {s:String}, {a:Array(String)}, toUInt64(getSetting('max_block_size')), getSetting('log_comment')",
		clickhouse.Named("x", "18446744073709551615"), clickhouse.Named("s", "it's a \\ and a\ttab"), clickhouse.Named("a", []string{"p", "q"})).Scan(&x, &s, &a, &block, &comment)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{x, s, a, block, comment}
	want := []any{uint64(18446744073709551615), "it's a \\ and a\ttab", []string{"p", "q"}, uint64(7), "it's"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func testMillionRows(t *testing.T, address string) {
	for name, method := range allMethods {
		rows, err := dial(t, address, method).Query(t.Context(), "SELECT number, toString(number) FROM numbers(1000000)")
		if err != nil {
			t.Fatal(err)
		}
		var want uint64
		for rows.Next() {
			var n uint64
			var s string
			if err := rows.Scan(&n, &s); err != nil || n != want {
				t.Fatalf("%s: row %d is %d %q, %v", name, want, n, s, err)
			}
			want++
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || want != 1_000_000 {
			t.Errorf("%s: %d rows, %v", name, want, err)
		}
	}
}

func testCancelReal(t *testing.T, address string) {
	conn := dial(t, address, clickhouse.CompressionLZ4)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rows, err := conn.Query(ctx, "SELECT number, repeat('x', 1000) FROM numbers(1000000000)")
	if err != nil {
		t.Fatal(err)
	}
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	cancel()
	for rows.Next() {
	}
	if rows.Err() == nil {
		t.Error("a result of 1 TB came to its end")
	}
	// A statement that gives nothing for hours ends as well, or the test would
	// not: the server waits for it.
	short, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	if err := conn.Exec(short, "SELECT count() FROM numbers(100000000000000) WHERE cityHash64(number) = 1"); err == nil {
		t.Error("an endless count came to its end")
	}
	var one uint8
	if err := conn.QueryRow(t.Context(), "SELECT 1").Scan(&one); err != nil || one != 1 {
		t.Errorf("after the cancel: %d, %v", one, err)
	}
}

func testConcurrent(t *testing.T, address string) {
	conn := dial(t, address, clickhouse.CompressionLZ4, func(o *clickhouse.Options) { o.MaxOpenConns = 8 })
	execute(t, conn, "CREATE TABLE many (worker UInt8, n UInt64) ENGINE = MergeTree ORDER BY n")
	var workers sync.WaitGroup
	for worker := range uint8(8) {
		workers.Go(func() {
			for round := range uint64(5) {
				batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO many")
				if err != nil {
					t.Error(err)
					return
				}
				for n := range uint64(100) {
					if err := batch.Append(worker, round*100+n); err != nil {
						t.Error(err)
					}
				}
				if err := batch.Send(); err != nil {
					t.Error(err)
				}
				var count uint64
				if err := conn.QueryRow(t.Context(), fmt.Sprintf("SELECT count() FROM many WHERE worker = %d", worker)).Scan(&count); err != nil || count != (round+1)*100 {
					t.Errorf("worker %d has %d rows after round %d: %v", worker, count, round, err)
				}
			}
		})
	}
	workers.Wait()
}
