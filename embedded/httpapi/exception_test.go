package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestStatusOfExceptions(t *testing.T) {
	f := func(sql string, status, code int, name string, pairs ...string) {
		t.Helper()
		r := ask(t, "POST", target(pairs...), strings.NewReader(sql))
		if r.status != status || r.header.Get("X-ClickHouse-Exception-Code") != fmt.Sprint(code) ||
			!strings.HasPrefix(r.body, fmt.Sprintf("Code: %d. DB::Exception: ", code)) || !strings.Contains(r.body, "("+name+")") {
			t.Errorf("%s: got %d, code %q, %.200q, want %d, %d %s",
				sql, r.status, r.header.Get("X-ClickHouse-Exception-Code"), r.body, status, code, name)
		}
	}
	f("SELECT FROM WHERE", 400, 62, "SYNTAX_ERROR")
	f("SELECT toUInt8('x')", 400, 6, "CANNOT_PARSE_TEXT")
	f("SELECT toDateTime(0, 'Nowhere/Land')", 400, 36, "BAD_ARGUMENTS")
	f("SELECT toUUID('x')", 400, 376, "CANNOT_PARSE_UUID")
	f("SELECT nothing", 404, 47, "UNKNOWN_IDENTIFIER")
	f("SELECT no_such_function()", 404, 46, "UNKNOWN_FUNCTION")
	f("SELECT 1 FROM nowhere", 404, 60, "UNKNOWN_TABLE")
	f("SELECT 1 FORMAT Nothing", 404, 73, "UNKNOWN_FORMAT")
	f("SELECT 1", 404, 81, "UNKNOWN_DATABASE", "database", "nowhere")
	f("SELECT 1", 404, 115, "UNKNOWN_SETTING", "nonsense", "1")
	f("SELECT sleepEachRow(0.5) FROM numbers(6) SETTINGS max_block_size = 1", 408, 159, "TIMEOUT_EXCEEDED", "max_execution_time", "1")
	f("SELECT groupArray(toString(number)) FROM numbers(10000000)", 500, 241, "MEMORY_LIMIT_EXCEEDED", "max_memory_usage", "10000000")
	f("SELECT throwIf(1, 'here')", 500, 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO")
}
