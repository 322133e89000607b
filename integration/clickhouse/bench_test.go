package clickhouse

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	chgo "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/comparator/report"
	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/stream"
)

// chunk is how many replays are generated at a time: whole segments of the
// partitions.
const (
	partitions = 8
	chunk      = partitions * 16 * 8192
)

// benchReplays is how many replays the run has: UNDERSTUDY_TABLES, or one chunk.
func benchReplays(b *testing.B) int64 {
	text := os.Getenv("UNDERSTUDY_TABLES")
	if text == "" {
		return chunk
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		b.Fatalf("UNDERSTUDY_TABLES: %q is no number of replays", text)
	}
	return (n + chunk - 1) / chunk * chunk
}

// generated facts: 1,000 replays a second, 20 routes, 3 % mismatches with one
// discrepancy each, and a harmless place in every third replay.
const (
	someComparisons = `INSERT INTO stored_comparisons (run, judgement, topic_id, kafka_partition, kafka_offset, exchange_id, ordinal, attempt, session, route, method, verdict, findings,
 baseline_status, ack_status, candidate_status, channel, closed_time, baseline_latency_ns, ack_latency_ns, completion_latency_ns, differences, noise, recorder, sequence)
SELECT 'bench', 'j', 'topic', n %% 8, intDiv(n, 8), concat('0198c-', hex(cityHash64(n))), n + 1, 1, hex(cityHash64(n %% 99991)), concat('GET /r', toString(cityHash64(n) %% 20), '/{id}'), 'GET',
 multiIf(cityHash64(n, 1) %% 100 < 3, 'mismatch', cityHash64(n, 1) %% 1000 = 500, 'lost', 'match') AS verdict, [verdict], 200, 200, 200, 'immediate',
 toDateTime64('2026-11-01 00:00:00', 9, 'UTC') + n / 1000, 1000000 + cityHash64(n, 2) %% 9000000, 1000000 + cityHash64(n, 3) %% 9000000, 1000000 + cityHash64(n, 4) %% 9000000,
 verdict = 'mismatch', n %% 3 = 0, 'rec', n + 1
FROM (SELECT toInt64(number) AS n FROM numbers(%d, %d))`

	someDifferences = `INSERT INTO stored_differences (run, judgement, topic_id, kafka_partition, kafka_offset, number, exchange_id, route, place, path, location, kind, baseline, candidate, noise_class, verdict, closed_time)
SELECT 'bench', 'j', 'topic', n %% 8, intDiv(n, 8), arrayJoin(arrayConcat(if(cityHash64(n, 1) %% 100 < 3, [0], []), if(n %% 3 = 0, [1], []))) AS number, concat('0198c-', hex(cityHash64(n))),
 concat('GET /r', toString(cityHash64(n) %% 20), '/{id}'), 'body', concat('$.items[].f', toString(cityHash64(n, number) %% 10)) AS p, p, 'value', hex(cityHash64(n, 7)), hex(cityHash64(n, 8)),
 ['', 'timestamp'][number + 1], 'mismatch', toDateTime64('2026-11-01 00:00:00', 9, 'UTC') + n / 1000
FROM (SELECT toInt64(number) AS n FROM numbers(%d, %d))`

	someExchanges = `INSERT INTO stored_exchanges (id, recorder, sequence, session, route, method, start_time, stored_time, topic_id, kafka_partition, kafka_offset)
SELECT concat('0198c-', hex(cityHash64(n))), 'rec', n + 1, hex(cityHash64(n %% 99991)), concat('GET /r', toString(cityHash64(n) %% 20), '/{id}'), 'GET',
 toDateTime64('2026-11-01 00:00:00', 9, 'UTC') + n / 1000 AS start, start, 'exchanges', n %% 8, intDiv(n, 8)
FROM (SELECT toInt64(number) AS n FROM numbers(%d, %d))`
)

// generate writes a run of n replays, judged under "j".
func generate(b *testing.B, conn driver.Conn, n int64) {
	b.Helper()
	exec := func(query string) {
		b.Helper()
		if err := conn.Exec(b.Context(), query); err != nil {
			b.Fatalf("%.100s: %v", query, err)
		}
	}
	for first := int64(0); first < n; first += chunk {
		exec(fmt.Sprintf(someComparisons, first, int64(chunk)))
		exec(fmt.Sprintf(someDifferences, first, int64(chunk)))
		exec(fmt.Sprintf(someExchanges, first, int64(chunk)))
		for p := range int32(partitions) {
			written := stream.Batch{TopicID: "topic", Partition: p, First: first / partitions, End: (first + chunk) / partitions}
			if err := clickhouse.RollUp(b.Context(), conn, "j", written, []string{"bench"}); err != nil {
				b.Fatal(err)
			}
		}
	}
	exec("INSERT INTO judged_runs (run, judgement, chosen) VALUES ('bench', 'j', true)")
	exec(fmt.Sprintf("INSERT INTO runs (name, version, state, selected, replayed, written) VALUES ('bench', 1, 'completed', %d, %d, %d)", n, n, n))
	exec(fmt.Sprintf("INSERT INTO stored_tallies (recorder, number, served, recorded, final) VALUES ('rec', 1, %d, %d, true)", n, n))
}

// count asks a question whose answer is true, and says n then.
func count(conn driver.Conn, n int64, query string) func(context.Context) (uint64, error) {
	return func(ctx context.Context) (uint64, error) {
		var yes uint8
		err := conn.QueryRow(ctx, query).Scan(&yes)
		return uint64(yes) * uint64(n), err
	}
}

// BenchmarkTables asks what a report asks of a large run: seconds, and bytes
// read. UNDERSTUDY_TABLES=50000000 is the run of docs/tables.md.
func BenchmarkTables(b *testing.B) {
	cfg := clickhouse.Config{Address: embeddedtest.Start(b).Native + "/bench"}
	if _, err := clickhouse.Migrate(b.Context(), cfg); err != nil {
		b.Fatal(err)
	}
	conn, err := clickhouse.Connect(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	n := benchReplays(b)
	began := time.Now()
	generate(b, conn, n)
	b.Logf("%d replays generated in %s", n, time.Since(began).Round(time.Second))
	for _, question := range []struct {
		name string
		ask  func(context.Context) (uint64, error)
	}{
		{"Scorecard", func(ctx context.Context) (uint64, error) {
			s, err := report.Scorecard(ctx, conn, "bench")
			return report.Total(s).Replays, err
		}},
		{"TopDiscrepancies", func(ctx context.Context) (uint64, error) {
			d, _, err := report.TopDiscrepancies(ctx, conn, "bench", 10)
			if err == nil && (len(d) != 10 || d[0].Baseline == "") {
				err = fmt.Errorf("got %+v", d)
			}
			return uint64(n), err
		}},
		{"Balance", func(ctx context.Context) (uint64, error) {
			l, err := report.LoadBalance(ctx, conn, "bench")
			return l.Judged, err
		}},
		{"Noise", func(ctx context.Context) (uint64, error) {
			c, err := report.Noise(ctx, conn, "bench")
			if err == nil && (len(c) != 1 || c[0].Replays != uint64((n+2)/3)) {
				err = fmt.Errorf("got %+v", c)
			}
			return uint64(n), err
		}},
		// What show and explain ask, and questions to the facts.
		{"ShowOrdinal", func(ctx context.Context) (uint64, error) {
			rows, err := report.FindReplay(ctx, conn, "bench", report.Place{Ordinal: uint64(n / 2)})
			if err == nil && (len(rows) != 1 || rows[0].Ordinal != uint64(n/2)) {
				err = fmt.Errorf("got %+v", rows)
			}
			return uint64(n), err
		}},
		{"ShowExchange", func(ctx context.Context) (uint64, error) {
			var id string
			if err := conn.QueryRow(b.Context(), "SELECT concat('0198c-', hex(cityHash64(toInt64(?))))", n/2).Scan(&id); err != nil {
				return 0, err
			}
			rows, err := report.ReplaysOf(ctx, conn, id)
			if err == nil && len(rows) != 1 {
				err = fmt.Errorf("got %+v", rows)
			}
			return uint64(n), err
		}},
		{"FactsOfASession", count(conn, n, "SELECT count() > 0 FROM comparisons WHERE run = 'bench' AND session = hex(cityHash64(toInt64(17)))")},
		{"FactsByVerdict", count(conn, n, "SELECT sum(c) > 0 FROM (SELECT verdict, count() AS c FROM comparisons WHERE run = 'bench' GROUP BY verdict)")},
		{"FactsByPath", count(conn, n, "SELECT sum(c) > 0 FROM (SELECT route, path, kind, count() AS c FROM discrepancies WHERE run = 'bench' GROUP BY ALL)")},
		{"FactsOfAPath", count(conn, n, "SELECT count() > 0 FROM (SELECT exchange_id, baseline, candidate FROM discrepancies WHERE run = 'bench' AND route = 'GET /r3/{id}' AND path = '$.items[].f3' LIMIT 20)")},
		{"TotalsByPath", count(conn, n, "SELECT sum(c) > 0 FROM (SELECT route, path, kind, sum(places) AS c FROM difference_totals WHERE run = 'bench' AND noise_class = '' GROUP BY ALL)")},
	} {
		b.Run(question.name, func(b *testing.B) {
			var read atomic.Uint64
			ctx := chgo.Context(b.Context(), chgo.WithProgress(func(p *chgo.Progress) { read.Add(p.Bytes) }))
			for b.Loop() {
				if got, err := question.ask(ctx); err != nil || got != uint64(n) {
					b.Fatalf("%d of %d replays, %v", got, n, err)
				}
			}
			b.ReportMetric(float64(read.Load())/float64(b.N)/1e6, "MB/op")
		})
	}
}
