package httpapi_test

import (
	"strings"
	"testing"
)

// A batch sent again with its token adds nothing, neither to the table nor to
// what a materialized view makes of it, whatever the batch holds.
func TestInsertDeduplicationToken(t *testing.T) {
	for _, sql := range []string{
		"CREATE TABLE facts (route String, n UInt64) ENGINE = MergeTree ORDER BY route SETTINGS non_replicated_deduplication_window = 1000",
		"CREATE TABLE sums (route String, n UInt64, c UInt64) ENGINE = SummingMergeTree ORDER BY route SETTINGS non_replicated_deduplication_window = 1000",
		"CREATE MATERIALIZED VIEW to_sums TO sums AS SELECT route, sum(n) AS n, count() AS c FROM facts GROUP BY route",
	} {
		post(t, sql, "")
	}
	insert := func(token, rows string) {
		t.Helper()
		r := ask(t, "POST", target("query", "INSERT INTO facts FORMAT CSV", "async_insert", "0", "insert_deduplication_token", token,
			"deduplicate_blocks_in_dependent_materialized_views", "1"), strings.NewReader(rows))
		if r.status != 200 {
			t.Errorf("got %d %s", r.status, r.body)
		}
	}
	want := func(facts, sums string) {
		t.Helper()
		post(t, "SELECT route, sum(n), count() FROM facts GROUP BY route ORDER BY route", facts)
		post(t, "SELECT route, sum(n), sum(c) FROM sums GROUP BY route ORDER BY route", sums)
	}
	insert("a", "/x,1\n/y,2\n")
	insert("a", "/x,1\n/y,2\n")
	want("/x\t1\t1\n/y\t2\t1\n", "/x\t1\t1\n/y\t2\t1\n")
	insert("b", "/x,1\n/y,2\n") // the same rows of another batch count
	insert("a", "/x,1\n/y,2\n")
	insert("b", "/x,1\n/y,2\n")
	want("/x\t2\t2\n/y\t4\t2\n", "/x\t2\t2\n/y\t4\t2\n")
}
