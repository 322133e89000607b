package report

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Replay is what the tables have of one judged replay, and where its record
// stands in Kafka.
type Replay struct {
	Run        string    `json:"run" ch:"run"`
	Ordinal    uint64    `json:"ordinal" ch:"ordinal"`
	Attempt    uint32    `json:"attempt" ch:"attempt"`
	Exchange   string    `json:"exchange_id" ch:"exchange_id"`
	Route      string    `json:"route" ch:"route"`
	Verdict    string    `json:"verdict" ch:"verdict"`
	Findings   []string  `json:"findings" ch:"findings"`
	Counting   uint32    `json:"differences" ch:"differences"`
	Presumed   uint32    `json:"presumed" ch:"presumed"`
	Harmless   uint32    `json:"noise" ch:"noise"`
	Incomplete string    `json:"incomplete" ch:"incomplete"`
	Closed     time.Time `json:"closed_time" ch:"closed_time"`
	Partition  int32     `json:"kafka_partition" ch:"kafka_partition"`
	Offset     int64     `json:"kafka_offset" ch:"kafka_offset"`
	Judgement  string    `json:"judgement" ch:"judgement"`
}

const replayQuery = `SELECT toString(run) AS run, ordinal, attempt, exchange_id, toString(route) AS route, toString(verdict) AS verdict,
 arrayMap(f -> toString(f), findings) AS findings, differences, presumed, noise, toString(incomplete) AS incomplete,
 closed_time, kafka_partition, kafka_offset, toString(judgement) AS judgement
FROM all_comparisons AS c WHERE `

// current keeps the rows of the judgement that the views show a run under.
const current = "(c.run, c.judgement) IN (SELECT run, judgement FROM current_judgements) "

// Place says which replay of a run: by its ordinal or, if that is 0, by where its
// record stands in Kafka. Completions that nobody asked for have no ordinal.
type Place struct {
	Ordinal   uint64
	Partition int32
	Offset    int64
}

// String is the place as commands take it: "17" or "3:1234".
func (p Place) String() string {
	if p.Ordinal > 0 {
		return strconv.FormatUint(p.Ordinal, 10)
	}
	return fmt.Sprintf("%d:%d", p.Partition, p.Offset)
}

func (p Place) condition() (string, []any) {
	if p.Ordinal > 0 {
		return "c.ordinal = @ordinal AND ", []any{clickhouse.Named("ordinal", p.Ordinal)}
	}
	return "c.kafka_partition = @partition AND c.kafka_offset = @offset AND ", []any{clickhouse.Named("partition", p.Partition), clickhouse.Named("offset", p.Offset)}
}

// FindReplay gives the replays at a place in a run, as its current judgement has
// them, the latest attempt first: more than one if the run was resumed. Empty if
// there is none.
func FindReplay(ctx context.Context, conn driver.Conn, run string, p Place) ([]Replay, error) {
	where, args := p.condition()
	return replays(ctx, conn, where+"c.run = @run AND "+current, append(args, clickhouse.Named("run", run))...)
}

// FindJudgedReplay gives them as another judgement has them.
func FindJudgedReplay(ctx context.Context, conn driver.Conn, run, judgement string, p Place) ([]Replay, error) {
	where, args := p.condition()
	return replays(ctx, conn, where+"c.run = @run AND c.judgement = @judgement ",
		append(args, clickhouse.Named("run", run), clickhouse.Named("judgement", judgement))...)
}

// ReplaysOf gives the replays of an exchange, the latest first, at most 100.
func ReplaysOf(ctx context.Context, conn driver.Conn, exchange string) ([]Replay, error) {
	return replays(ctx, conn, "c.exchange_id = @exchange AND "+current, clickhouse.Named("exchange", exchange))
}

func replays(ctx context.Context, conn driver.Conn, where string, args ...any) ([]Replay, error) {
	rows := []Replay{}
	err := conn.Select(ctx, &rows, replayQuery+where+"ORDER BY closed_time DESC, attempt DESC LIMIT 100", args...)
	if err != nil {
		return nil, readError("comparisons", err)
	}
	return rows, nil
}

// Ordinals are the least and the greatest ordinal that a run has in the tables;
// 0 when there is none.
func Ordinals(ctx context.Context, conn driver.Conn, run string) (least, greatest uint64, err error) {
	rows, err := sel[struct {
		Least    uint64 `ch:"least"`
		Greatest uint64 `ch:"greatest"`
	}](ctx, conn, "comparisons", "SELECT min(ordinal) AS least, max(ordinal) AS greatest FROM comparisons WHERE run = @run AND verdict != 'orphan'", run)
	if err != nil {
		return 0, 0, err
	}
	return rows[0].Least, rows[0].Greatest, nil
}

// Recorded is where the record of an exchange stands in Kafka.
type Recorded struct {
	Partition int32 `ch:"kafka_partition"`
	Offset    int64 `ch:"kafka_offset"`
}

// FindExchange gives where an exchange stands; false if the tables do not have
// it.
func FindExchange(ctx context.Context, conn driver.Conn, id string) (Recorded, bool, error) {
	var rows []Recorded
	err := conn.Select(ctx, &rows, "SELECT kafka_partition, kafka_offset FROM exchanges WHERE id = @id ORDER BY stored_time DESC LIMIT 1", clickhouse.Named("id", id))
	if err != nil {
		return Recorded{}, false, readError("exchanges", err)
	}
	if len(rows) == 0 {
		return Recorded{}, false, nil
	}
	return rows[0], true, nil
}
