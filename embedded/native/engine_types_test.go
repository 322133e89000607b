package native

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

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
