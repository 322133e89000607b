package httpapi_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
)

func dial(t *testing.T, method clickhouse.CompressionMethod) driver.Conn {
	t.Helper()
	level := 3
	if method == clickhouse.CompressionNone {
		level = 0
	}
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol: clickhouse.HTTP, Addr: []string{address()}, Compression: &clickhouse.Compression{Method: method, Level: level},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

var methods = map[string]clickhouse.CompressionMethod{
	"none": clickhouse.CompressionNone, "lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD,
	"gzip": clickhouse.CompressionGZIP, "deflate": clickhouse.CompressionDeflate, "br": clickhouse.CompressionBrotli,
}

func TestClickHouseGo(t *testing.T) {
	for name, method := range methods {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, method)
			testRows(t, conn, "rows_"+name)
			testExceptions(t, conn)
			testQueries(t, conn)
			testOtherInserts(t, conn, "others_"+name)
		})
	}
}

type row struct {
	N     uint64            `ch:"n"`
	Short string            `ch:"short"`
	At    time.Time         `ch:"at"`
	Fine  time.Time         `ch:"fine"`
	Maybe *string           `ch:"maybe"`
	Tags  []string          `ch:"tags"`
	Pairs map[string]uint64 `ch:"pairs"`
	Deep  [][]*int32        `ch:"deep"`
}

func testRows(t *testing.T, conn driver.Conn, table string) {
	t.Helper()
	err := conn.Exec(t.Context(), "CREATE OR REPLACE TABLE "+table+` (n UInt64, short LowCardinality(String), at DateTime('Asia/Tokyo'), fine DateTime64(9, 'Europe/Berlin'),
		maybe Nullable(String), tags Array(LowCardinality(String)), pairs Map(String, UInt64), deep Array(Array(Nullable(Int32))))
		ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100`)
	if err != nil {
		t.Fatal(err)
	}
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	var want []row
	for i := range uint64(1000) {
		at, minus, text := time.Date(2026, 1, 2, 3, 4, int(i%60), 0, tokyo), int32(-i), fmt.Sprint("text ", i)
		r := row{N: 1<<53 + i, Short: fmt.Sprint(i % 3), At: at, Fine: at.Add(time.Duration(i)).In(berlin), Tags: []string{"a", fmt.Sprint(i % 7)},
			Pairs: map[string]uint64{"k": i}, Deep: [][]*int32{{&minus, nil}, {}}}
		if i%2 == 0 {
			r.Maybe = &text
		}
		want = append(want, r)
	}
	for range 2 { // the second one is a repetition
		ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": "once"}))
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range want {
			if err := batch.AppendStruct(&r); err != nil {
				t.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
	}
	var got []row
	if err := conn.Select(t.Context(), &got, "SELECT * FROM "+table+" ORDER BY n"); err != nil {
		t.Fatal(err)
	}
	same := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a.Location().String() == b.Location().String() })
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("rows (-want +got):\n%.2000s", diff)
	}
}

func testExceptions(t *testing.T, conn driver.Conn) {
	t.Helper()
	f := func(sql string, code int32, message string) {
		t.Helper()
		rows, err := conn.Query(t.Context(), sql)
		if err == nil {
			for rows.Next() {
			}
			err = errors.Join(rows.Err(), rows.Close())
		}
		var e *clickhouse.Exception
		if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, message) {
			t.Errorf("%s: got %v, want code %d with %q", sql, err, code, message)
		}
	}
	f("SELECT * FROM nowhere", 60, "nowhere")
	f("SELECT FROM WHERE", 62, "Syntax error")
	f("SELECT 1 SETTINGS nonsense = 1", 115, "nonsense")
	f("SELECT sumState(number) FROM numbers(3)", 48, "AggregateFunction")
	f("SELECT throwIf(number = 3, 'stop here') FROM numbers(5)", 395, "stop here")
	f("SELECT number, throwIf(number = 3000000, 'in the middle') FROM numbers(4000000) SETTINGS max_threads = 1", 395, "in the middle")
	if err := conn.Exec(t.Context(), "INSERT INTO nowhere SELECT 1"); !strings.Contains(fmt.Sprint(err), "code: 60") {
		t.Errorf("got %v, want code 60", err)
	}
}

func testQueries(t *testing.T, conn driver.Conn) {
	t.Helper()
	var sum uint64
	var threads string
	ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"max_threads": 3}),
		clickhouse.WithParameters(clickhouse.Parameters{"n": "7"}))
	if err := conn.QueryRow(ctx, "SELECT sum(number) + {n:UInt64}, toString(getSetting('max_threads')) FROM numbers(1000000)").Scan(&sum, &threads); err != nil ||
		sum != 499999500007 || threads != "3" {
		t.Errorf("got %d, %s, %v", sum, threads, err)
	}
	var name string
	if err := conn.QueryRow(t.Context(), "SELECT concat(?, @b)", "it's").Scan(&name); err == nil {
		t.Errorf("mixed arguments gave %q", name)
	}
	rows, err := conn.Query(t.Context(), "SELECT number, toDateTime(number, 'Asia/Tokyo') AS at, now() FROM numbers(300000)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var n, next uint64
	var at, now time.Time
	for ; rows.Next(); next++ {
		if err := rows.Scan(&n, &at, &now); err != nil || n != next || at.Unix() != int64(n) || at.Location().String() != "Asia/Tokyo" {
			t.Fatalf("row %d: got %d, %s, %v", next, n, at, err)
		}
	}
	if rows.Err() != nil || next != 300000 {
		t.Errorf("%d rows, %v", next, rows.Err())
	}
}

func testOtherInserts(t *testing.T, conn driver.Conn, table string) {
	t.Helper()
	if err := conn.Exec(t.Context(), "CREATE OR REPLACE TABLE "+table+" (n UInt64, s String) ENGINE = MergeTree ORDER BY n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Exec(t.Context(), "INSERT INTO "+table+" VALUES (?, ?)", 1, "it's"); err != nil {
		t.Error(err)
	}
	ctx := clickhouse.Context(t.Context(), clickhouse.WithAsync(true))
	if err := conn.Exec(ctx, "INSERT INTO "+table+" VALUES (2, 'async')"); err != nil {
		t.Error(err)
	}
	ctx = clickhouse.Context(t.Context(), clickhouse.WithParameters(clickhouse.Parameters{"s": "x"}))
	if err := conn.Exec(ctx, "INSERT INTO "+table+" VALUES (3, {s:String})"); err != nil {
		t.Error(err)
	}
	var got string
	if err := conn.QueryRow(t.Context(), "SELECT arrayStringConcat(groupArray(s), ',') FROM (SELECT s FROM "+table+" ORDER BY n)").Scan(&got); err != nil || got != "it's,async,x" {
		t.Errorf("got %q, %v", got, err)
	}
	var none []row
	if err := conn.Select(t.Context(), &none, "SELECT n FROM "+table+" WHERE n > 9"); err != nil || len(none) > 0 {
		t.Errorf("got %v, %v, want no rows", none, err)
	}
}
