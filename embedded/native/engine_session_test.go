package native

import (
	"errors"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
)

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
