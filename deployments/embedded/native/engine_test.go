package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"understudy.dev/deployments/embedded/chdb"
)

// realServer serves the real engine, whose data begin empty.
func realServer(t *testing.T) (address string) {
	t.Helper()
	config := DefaultConfig()
	config.SpoolDirectory = t.TempDir()
	return start(t, realEngine(t), config)
}

// realEngine is the real engine, installed if it is not. Without it the tests
// are skipped, but not in CI.
func realEngine(t *testing.T) Engine {
	t.Helper()
	path, err := chdb.Install(t.Context(), chdb.InstallConfig{})
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no ClickHouse engine:", err)
	}
	engine, err := chdb.Open(path, chdb.Config{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return Over(engine)
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

// expressions give one value each, with what clickhouse-go makes of it.
var expressions = []struct{ sql, want string }{
	{"toInt8(-1)", "-1"}, {"toUInt64(18446744073709551615)", "18446744073709551615"},
	{"toInt256('-57896044618658097711785492504343953926634992332820282019728792003956564819968')", "-57896044618658097711785492504343953926634992332820282019728792003956564819968"},
	{"toUInt128('340282366920938463463374607431768211455')", "340282366920938463463374607431768211455"},
	{"toFloat32(1.5)", "1.5"}, {"nan", "NaN"}, {"toBFloat16(1.5)", "1.5"}, {"true", "true"},
	{"toDecimal32('1.23', 2)", "1.23"}, {"toDecimal64('-1.23', 4)", "-1.23"}, {"toDecimal128('1.5', 20)", "1.5"}, {"toDecimal256('1.5', 50)", "1.5"},
	{"'text'", "text"}, {"toFixedString('abc', 3)", "abc"}, {"toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')", "61f0c404-5cb3-11e7-907b-a6006ad3dba0"},
	{"toDate('2024-05-06')", "2024-05-06 00:00:00 +0000 UTC"}, {"toDate32('1900-01-02')", "1900-01-02 00:00:00 +0000 UTC"},
	{"toDateTime('2024-05-06 07:08:09', 'Asia/Tokyo')", "2024-05-06 07:08:09 +0900 JST"},
	{"toDateTime64('2024-05-06 07:08:09.123456789', 9, 'UTC')", "2024-05-06 07:08:09.123456789 +0000 UTC"},
	{"CAST('b', 'Enum8(\\'a\\' = 1, \\'b\\' = 2)')", "b"}, {"CAST('b', 'Enum16(\\'a, (\\' = 1, \\'b\\' = 2000)')", "b"},
	{"toIPv4('1.2.3.4')", "1.2.3.4"}, {"toIPv6('2001:db8::1')", "2001:db8::1"}, {"INTERVAL 3 DAY", "3 Days"},
	{"CAST(NULL, 'Nullable(UInt8)')", "<nil>"}, {"CAST(5, 'Nullable(UInt8)')", "5"}, {"NULL", "<nil>"},
	{"[1, 2]::Array(UInt8)", "[1 2]"}, {"[[1], []]::Array(Array(UInt16))", "[[1] []]"}, {"[NULL, 'x']::Array(Nullable(String))", "[<nil> x]"}, {"[]::Array(String)", "[]"},
	{"map('a', [1, 2]::Array(UInt32))", "map[a:[1 2]]"}, {"tuple(1, 'a')", "[1 a]"}, {"CAST((1, 'a'), 'Tuple(n Int64, s String)')", "map[n:1 s:a]"},
	{"CAST([('a', 1)], 'Nested(x String, y UInt8)')", "[map[x:a y:1]]"},
	{"toLowCardinality('a')", "a"}, {"CAST(NULL, 'LowCardinality(Nullable(String))')", "<nil>"}, {"CAST('v', 'LowCardinality(Nullable(String))')", "v"},
	{"[toLowCardinality('a'), toLowCardinality('b')]", "[a b]"}, {"map('x', map('y', [toLowCardinality('z')]))", "map[x:map[y:[z]]]"},
	{"1::Variant(String, UInt8)", "1"}, {"'x'::Dynamic", "x"}, {"CAST((1.5, 2.5), 'Point')", "[1.5 2.5]"}, {"CAST([(1.5, 2.5)], 'Ring')", "[[1.5 2.5]]"},
	{"CAST(5, 'SimpleAggregateFunction(sum, UInt64)')", "5"},
}

func testTypes(t *testing.T, address string) {
	for name, method := range allMethods {
		conn := dial(t, address, method)
		for _, e := range expressions {
			rows, err := conn.Query(t.Context(), "SELECT materialize("+e.sql+") AS x, 'end' AS e FROM numbers(3)")
			if err != nil {
				t.Errorf("%s: %s: %v", name, e.sql, err)
				continue
			}
			count := 0
			for rows.Next() {
				value := reflect.New(rows.ColumnTypes()[0].ScanType())
				var end string
				if err := rows.Scan(value.Interface(), &end); err != nil || end != "end" {
					t.Errorf("%s: %s: %q, %v", name, e.sql, end, err)
					break
				}
				if got := printed(value.Elem()); got != e.want {
					t.Errorf("%s: %s: got %s, want %s", name, e.sql, got, e.want)
				}
				count++
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil || count != 3 {
				t.Errorf("%s: %s: %d rows, %v", name, e.sql, count, err)
			}
		}
	}
}

// printed prints what a scanned value holds.
func printed(v reflect.Value) string {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return "<nil>"
		}
		if s, ok := v.Interface().(fmt.Stringer); ok {
			return s.String()
		}
		v = v.Elem()
	}
	if s, ok := v.Interface().(fmt.Stringer); ok {
		return s.String()
	}
	if s, ok := v.Interface().(interface{ Any() any }); ok {
		return fmt.Sprint(s.Any())
	}
	if v.Kind() == reflect.Slice {
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = printed(v.Index(i))
		}
		return "[" + strings.Join(parts, " ") + "]"
	}
	return fmt.Sprint(v.Interface())
}

// A row has a column of each type that clickhouse-go can insert.
type row struct {
	ID  uint64              `ch:"id"`
	I8  int8                `ch:"i8"`
	F   float64             `ch:"f"`
	B   bool                `ch:"b"`
	S   string              `ch:"s"`
	FS  string              `ch:"fs"`
	LC  string              `ch:"lc"`
	LN  *string             `ch:"ln"`
	N   *int32              `ch:"n"`
	A   []string            `ch:"a"`
	AA  [][]uint16          `ch:"aa"`
	M   map[string]string   `ch:"m"`
	MA  map[string][]uint64 `ch:"ma"`
	D   time.Time           `ch:"d"`
	DT  time.Time           `ch:"dt"`
	T64 time.Time           `ch:"t64"`
	U   string              `ch:"u"`
	E   string              `ch:"e"`
	NX  []string            `ch:"nest.x"`
	NY  []int64             `ch:"nest.y"`
}

const allTypes = `(id UInt64, i8 Int8, f Float64, b Bool, s String, fs FixedString(3), lc LowCardinality(String),
	ln LowCardinality(Nullable(String)), n Nullable(Int32), a Array(String), aa Array(Array(UInt16)),
	m Map(String, String), ma Map(String, Array(UInt64)), d Date, dt DateTime('UTC'), t64 DateTime64(6, 'UTC'),
	u UUID, e Enum8('x' = 1, 'y' = 2), nest Nested(x String, y Int64), made UInt8 MATERIALIZED 7, j JSON DEFAULT '{}')
	ENGINE = MergeTree ORDER BY id`

func makeRow(i int) row {
	text, number := fmt.Sprint("v", i%7), int32(-i)
	r := row{
		ID: uint64(i), I8: int8(i), F: float64(i) / 3, B: i%2 == 0, S: strings.Repeat("x", i%100), FS: "abc", LC: text,
		A: []string{text, ""}, AA: [][]uint16{{1, 2}, {}}, M: map[string]string{"k": text}, MA: map[string][]uint64{text: {1, uint64(i)}},
		D: time.Date(2024, 1, 1+i%28, 0, 0, 0, 0, time.UTC), DT: time.Date(2024, 1, 1, 0, 0, i%60, 0, time.UTC),
		T64: time.Date(2024, 1, 1, 0, 0, 0, i*1000, time.UTC), U: fmt.Sprintf("00000000-0000-0000-0000-%012d", i), E: "y",
		NX: []string{"a", text}, NY: []int64{1, int64(i)},
	}
	if i%3 == 0 {
		r.LN, r.N = &text, &number
	}
	return r
}

func testInsertTypes(t *testing.T, address string) {
	const count = 5000
	for name, method := range allMethods {
		conn := dial(t, address, method)
		execute(t, conn, "DROP TABLE IF EXISTS all_types", "CREATE TABLE all_types "+allTypes)
		columns := "id, i8, f, b, s, fs, lc, ln, n, a, aa, m, ma, d, dt, t64, u, e, nest.x, nest.y"
		batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO all_types ("+columns+")")
		if err != nil {
			t.Fatal(err)
		}
		var want []row
		for i := range count {
			r := makeRow(i)
			want = append(want, r)
			if err := batch.AppendStruct(&r); err != nil {
				t.Fatal(err)
			}
			if i%1000 == 999 {
				if err := batch.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []row
		if err := conn.Select(t.Context(), &got, "SELECT "+columns+" FROM all_types ORDER BY id"); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
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

func testEmpty(t *testing.T, address string) {
	conn := dial(t, address, clickhouse.CompressionNone)
	rows, err := conn.Query(t.Context(), "SELECT 1 AS a, 'x'::LowCardinality(String) AS b WHERE 0 -- nothing")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, name := range rows.Columns() {
		got = append(got, name+" "+rows.ColumnTypes()[i].DatabaseTypeName())
	}
	if diff := cmp.Diff([]string{"a UInt8", "b LowCardinality(String)"}, got); diff != "" || rows.Next() || rows.Err() != nil {
		t.Errorf("%v %s", rows.Err(), diff)
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
}

func testJSON(t *testing.T, address string) {
	conn := dial(t, address, clickhouse.CompressionLZ4)
	execute(t, conn, "CREATE TABLE docs (id UInt64, j JSON(typed UInt32), d Dynamic, v Variant(Int64, String)) ENGINE = MergeTree ORDER BY id")
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO docs")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		batch.Append(uint64(1), `{"a":1,"b":{"c":"x"},"typed":5}`, int64(1), int64(2)),
		batch.Append(uint64(2), `{"e":[{"f":1.5}]}`, "text", "text"),
		batch.Append(uint64(3), `{}`, nil, nil),
		batch.Send()); err != nil {
		t.Fatal(err)
	}
	const query = "SELECT id, j, d, v FROM docs ORDER BY id"
	for _, settings := range []clickhouse.Settings{
		{"output_format_native_write_json_as_string": 1},
		{"output_format_native_use_flattened_dynamic_and_json_serialization": 1},
		{},
	} {
		rows, err := conn.Query(clickhouse.Context(t.Context(), clickhouse.WithSettings(settings)), query)
		if err != nil {
			t.Errorf("%v: %v", settings, err)
			continue
		}
		count := 0
		for rows.Next() {
			count++
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || count != 3 {
			t.Errorf("%v: %d rows, %v", settings, count, err)
		}
	}
	var got string
	ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"output_format_native_write_json_as_string": 1}))
	if err := conn.QueryRow(ctx, "SELECT j FROM docs WHERE id = 1").Scan(&got); err != nil || got != `{"a":1,"b":{"c":"x"},"typed":5}` {
		t.Errorf("got %s, %v", got, err)
	}
}

func testStandard(t *testing.T, address string) {
	db := clickhouse.OpenDB(&clickhouse.Options{Addr: []string{address}})
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	var n int
	var s string
	if err := db.QueryRowContext(t.Context(), "SELECT toInt64(count()), any(toString(number)) FROM numbers(?)", 10).Scan(&n, &s); err != nil || n != 10 || s != "0" {
		t.Errorf("%d %s %v", n, s, err)
	}
}

func testSessionReal(t *testing.T, address string) {
	conn := dial(t, address, clickhouse.CompressionNone, func(o *clickhouse.Options) { o.MaxOpenConns = 1 })
	other := dial(t, address, clickhouse.CompressionNone)
	execute(t, conn, "CREATE DATABASE second", "USE second", "SET max_block_size = 9")
	f := func(conn driver.Conn, wantDatabase string, wantSize uint64) {
		t.Helper()
		var database string
		var size uint64
		if err := conn.QueryRow(t.Context(), "SELECT currentDatabase(), toUInt64(getSetting('max_block_size'))").Scan(&database, &size); err != nil {
			t.Fatal(err)
		}
		if database != wantDatabase || size != wantSize {
			t.Errorf("database %s and size %d, want %s and %d", database, size, wantDatabase, wantSize)
		}
	}
	f(conn, "second", 9)
	f(other, "default", 65409)
	for sql, code := range map[string]int32{"USE nosuch": 81, "SET nosuch = 1": 115} {
		var e *clickhouse.Exception
		if err := conn.Exec(t.Context(), sql); !errors.As(err, &e) || e.Code != code {
			t.Errorf("%s: got %v, want code %d", sql, err, code)
		}
	}
}
