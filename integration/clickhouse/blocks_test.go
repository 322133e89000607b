package clickhouse

import (
	"fmt"
	"sync/atomic"
	"testing"

	chgo "github.com/ClickHouse/clickhouse-go/v2"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/comparator/report"
	"understudy.dev/stream"
)

// TestTheBalanceIsCheapAndExact: of tables that agree the balance reads no fact;
// of what was written again and is not merged, it counts each row once; and a
// fact that is missing is missed though another, that is there twice, makes up
// for it in number.
func TestTheBalanceIsCheapAndExact(t *testing.T) {
	const n = 40_000
	conn := database(t, "cheap")
	exec := func(query string) {
		t.Helper()
		if err := conn.Exec(t.Context(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	rollUp := func() {
		t.Helper()
		for p := range int32(partitions) {
			if err := clickhouse.RollUp(t.Context(), conn, "j", stream.Batch{TopicID: "topic", Partition: p, End: n / partitions}, []string{"bench"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	ask := func() (report.Balance, uint64) {
		t.Helper()
		var read atomic.Uint64
		ctx := chgo.Context(t.Context(), chgo.WithProgress(func(p *chgo.Progress) { read.Add(p.Rows) }))
		b, err := report.LoadBalance(ctx, conn, "bench")
		if err != nil {
			t.Fatal(err)
		}
		return b, read.Load()
	}
	merges := func(state string) {
		t.Helper()
		for _, table := range []string{"stored_comparisons", "stored_differences", "stored_comparisons_by_minute", "stored_differences_by_minute", "stored_exchanges"} {
			exec("SYSTEM " + state + " MERGES " + table)
		}
	}
	merges("STOP")
	exec(fmt.Sprintf(someComparisons, 0, n))
	exec(fmt.Sprintf(someDifferences, 0, n))
	exec(fmt.Sprintf(someExchanges, 0, n))
	exec(fmt.Sprintf("INSERT INTO runs (name, version, state, start_time, selected, replayed, written) VALUES ('bench', 1, 'completed', now(), %d, %d, %d)", n, n, n))
	exec(fmt.Sprintf("INSERT INTO stored_tallies (recorder, number, served, recorded, final) VALUES ('rec', 1, %d, %d, true)", n, n))
	exec("INSERT INTO judged_runs (run, judgement, chosen) VALUES ('bench', 'j', true)")
	rollUp()
	books, read := ask()
	if !books.Holds || books.Facts.Comparisons != n || len(books.Recorders) != 1 || !books.Recorders[0].Holds || books.Recorders[0].Records != n {
		t.Errorf("undisturbed: %+v", books)
	}
	// Sixteen blocks, each a row of totals for a route and a verdict, or a path.
	if read > n/4 {
		t.Errorf("%d rows are read for the balance of %d replays", read, n)
	}

	want := books.Facts
	exec("INSERT INTO stored_comparisons SELECT * FROM stored_comparisons WHERE kafka_partition = 3 AND kafka_offset < 1000")
	exec("INSERT INTO stored_differences SELECT * FROM stored_differences WHERE kafka_partition IN (3, 4) AND kafka_offset < 1000")
	exec("INSERT INTO stored_exchanges SELECT * FROM stored_exchanges WHERE kafka_partition = 3 AND kafka_offset < 1000")
	rollUp()
	if books, _ = ask(); !books.Holds || books.Facts != want || !books.Recorders[0].Holds {
		t.Errorf("written again: %+v, want %+v; the recorder %+v", books.Facts, want, books.Recorders[0])
	}

	merges("START")
	exec("ALTER TABLE stored_exchanges DELETE WHERE kafka_partition = 5 AND kafka_offset < 7 SETTINGS mutations_sync = 2")
	exec("ALTER TABLE stored_comparisons DELETE WHERE kafka_partition = 5 AND kafka_offset < 7 SETTINGS mutations_sync = 2")
	merges("STOP")
	exec("INSERT INTO stored_comparisons SELECT * FROM stored_comparisons WHERE kafka_partition = 5 AND kafka_offset >= 10 AND kafka_offset < 17")
	if books, _ = ask(); books.Holds || books.Facts.Comparisons != n-7 {
		t.Errorf("seven are missing and seven there twice: %+v", books.Facts)
	}
	if books.Recorders[0].Holds || books.Recorders[0].Stored != n-7 {
		t.Errorf("seven exchanges are missing: %+v", books.Recorders[0])
	}
}
