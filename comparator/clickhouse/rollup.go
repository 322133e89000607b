package clickhouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/stream"
)

// segment is how many offsets of a Kafka partition a row of a roll-up covers, and
// block how many one of the totals. They are part of what is stored: migrations
// and docs name them.
const (
	segment = 8192
	block   = 32 * segment
)

// The roll-ups of the segments that a batch lies in are made anew from the facts,
// and the totals of its blocks from the roll-ups. A row replaces one that was
// made from fewer facts, so whoever makes it, how often and when, the fullest
// one stays: the one who reads last has read what all had written. What they
// carry of the facts' identities is that of the facts' projections, by which the
// view block_balance knows whether they are of the same facts.
const (
	ours = ` FINAL
WHERE run IN (@runs) AND judgement = @judgement AND topic_id = @topic AND kafka_partition = @partition `

	blocksTouched = ours + `AND segment >= @first AND segment < @end `

	touched = ours + `AND kafka_offset >= @first AND kafka_offset < @end `

	comparisonsByMinute = `INSERT INTO stored_comparisons_by_minute (run, judgement, topic_id, kafka_partition, segment, minute,
 route, verdict, rejected_by, incomplete, recorder, replays, differences, noise, presumed, baseline_latency, ack_latency, completion_latency, identities)
SELECT run, judgement, topic_id, kafka_partition, intDiv(kafka_offset, 8192) AS segment, toStartOfMinute(toDateTime(closed_time, 'UTC')) AS minute,
 route, verdict, rejected_by, incomplete, recorder,
 count(), sum(c.differences), sum(c.noise), sum(c.presumed),
 quantilesTDigestIfState(0.5, 0.9, 0.99)(baseline_latency_ns, toUInt8(baseline_latency_ns > 0)),
 quantilesTDigestIfState(0.5, 0.9, 0.99)(ack_latency_ns, toUInt8(ack_latency_ns > 0)),
 quantilesTDigestIfState(0.5, 0.9, 0.99)(completion_latency_ns, toUInt8(completion_latency_ns > 0)),
 sum(cityHash64(kafka_offset))
FROM stored_comparisons AS c` + touched + `
GROUP BY run, judgement, topic_id, kafka_partition, segment, minute, route, verdict, rejected_by, incomplete, recorder`

	// Why no completion came is part of what makes a kind of difference: lost by
	// a timeout is another fault than lost because the location was refused.
	differencesByMinute = `INSERT INTO stored_differences_by_minute (run, judgement, topic_id, kafka_partition, segment, minute, noise_class,
 route, path, kind, reason, places, replays, first_of_class, example_offset, example_number, identities)
SELECT run, judgement, topic_id, kafka_partition, segment, minute, noise_class, route, place.1 AS path, place.2 AS kind, place.3 AS reason,
 count(), uniqExact(kafka_offset), countIf(place.4 = first), min((kafka_offset, place.4)).1, min((kafka_offset, place.4)).2,
 sum(cityHash64(kafka_offset, place.4))
FROM
(
 SELECT run, judgement, topic_id, kafka_partition, kafka_offset, intDiv(kafka_offset, 8192) AS segment,
  toStartOfMinute(toDateTime(closed_time, 'UTC')) AS minute, noise_class, route, min(number) AS first,
  groupArray((path, kind, if(path = 'completion' AND location = '', splitByChar(':', candidate)[1], ''), number)) AS places
 FROM stored_differences` + touched + `
 GROUP BY run, judgement, topic_id, kafka_partition, kafka_offset, minute, noise_class, route
)
ARRAY JOIN places AS place
GROUP BY run, judgement, topic_id, kafka_partition, segment, minute, noise_class, route, path, kind, reason`

	comparisonTotals = `INSERT INTO stored_comparison_totals (run, judgement, topic_id, kafka_partition, block, month, route, verdict, rejected_by, incomplete, recorder,
 replays, differences, noise, presumed, last_minute, identities)
SELECT run, judgement, topic_id, kafka_partition, intDiv(segment, 32) AS block, toYYYYMM(minute) AS month, route, verdict, rejected_by, incomplete, recorder,
 sum(c.replays), sum(c.differences), sum(c.noise), sum(c.presumed), max(minute), sum(c.identities)
FROM stored_comparisons_by_minute AS c` + blocksTouched + `
GROUP BY run, judgement, topic_id, kafka_partition, block, month, route, verdict, rejected_by, incomplete, recorder`

	differenceTotals = `INSERT INTO stored_difference_totals (run, judgement, topic_id, kafka_partition, block, month, noise_class, route, path, kind, reason,
 places, replays, first_of_class, example_offset, example_number, last_minute, identities)
SELECT run, judgement, topic_id, kafka_partition, intDiv(segment, 32) AS block, toYYYYMM(minute) AS month, noise_class, route, path, kind, reason,
 sum(d.places), sum(d.replays), sum(d.first_of_class), min((d.example_offset, d.example_number)).1, min((d.example_offset, d.example_number)).2, max(minute), sum(d.identities)
FROM stored_differences_by_minute AS d` + blocksTouched + `
GROUP BY run, judgement, topic_id, kafka_partition, block, month, noise_class, route, path, kind, reason`
)

// RollUp brings the roll-ups and totals of runs up to the facts of a batch under
// a judgement. It reads and replaces those of the segments and blocks that the
// batch's offsets lie in, and may be repeated.
func RollUp(ctx context.Context, conn driver.Conn, judgement string, b stream.Batch, runs []string) error {
	if len(runs) == 0 {
		return nil
	}
	for _, step := range []struct {
		query string
		size  int64 // of what is made anew, in offsets
		unit  int64 // in which the query counts
	}{
		{comparisonsByMinute, segment, 1},
		{differencesByMinute, segment, 1},
		{comparisonTotals, block, segment},
		{differenceTotals, block, segment},
	} {
		last := b.End - 1
		err := conn.Exec(whole(ctx), step.query,
			clickhouse.Named("runs", runs), clickhouse.Named("judgement", judgement),
			clickhouse.Named("topic", b.TopicID), clickhouse.Named("partition", b.Partition),
			clickhouse.Named("first", (b.First-b.First%step.size)/step.unit),
			clickhouse.Named("end", (last-last%step.size+step.size)/step.unit))
		if err != nil {
			table, _, _ := strings.Cut(strings.TrimPrefix(step.query, "INSERT INTO "), " ")
			return fmt.Errorf("roll up into %s: %w", table, err)
		}
	}
	return nil
}
