package clickhouse

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/comparator"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// Judge turns a replay into its comparison: a pure function.
type Judge interface {
	Judge(*understudyv1.Replay) comparator.Comparison
}

// Ingest writes the records of Understudy's topics into their tables. Its
// Handle is a stream.Handler: a batch that comes again has the same token and
// gives the same rows, so the database drops what it already has, in tables
// and roll-ups.
type Ingest struct {
	conn    driver.Conn
	names   topic.Names
	judge   Judge
	foreign func(context.Context, *kgo.Record, error) error
	rows    *prometheus.CounterVec
	verdict *prometheus.CounterVec
	strange *prometheus.CounterVec
}

// blockRows is how many rows of differences are held before they are sent: a
// replay may have a hundred, with texts of 1 KiB each.
const blockRows = 20_000

// NewIngest prepares an ingest. foreign is called for each record that is none
// of ours, before the batch that holds it is written; it should put the record
// aside.
func NewIngest(conn driver.Conn, names topic.Names, judge Judge,
	foreign func(context.Context, *kgo.Record, error) error, reg prometheus.Registerer) (*Ingest, error) {
	in := &Ingest{conn: conn, names: names, judge: judge, foreign: foreign,
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "understudy", Subsystem: "comparator", Name: "rows_total", Help: "Rows sent to ClickHouse, by table.",
		}, []string{"table"}),
		verdict: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "understudy", Subsystem: "comparator", Name: "verdicts_total", Help: "Replays judged, by verdict.",
		}, []string{"verdict"}),
		strange: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "understudy", Subsystem: "comparator", Name: "foreign_total", Help: "Records that are foreign or cannot be read, by topic.",
		}, []string{"topic"}),
	}
	for _, c := range []prometheus.Collector{in.rows, in.verdict, in.strange} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("comparator metrics: %w", err)
		}
	}
	return in, nil
}

// Topics are those that Handle knows.
func (in *Ingest) Topics() []string {
	return []string{in.names.Replays, in.names.Exchanges, in.names.Tallies, in.names.Runs}
}

// Handle writes one batch. It returns nil only when every row is in.
func (in *Ingest) Handle(ctx context.Context, b stream.Batch) error {
	switch b.Topic {
	case in.names.Replays:
		return in.replays(ctx, b)
	case in.names.Exchanges:
		return one(ctx, in, b, "exchanges", stream.DecodeExchange, func(e *understudyv1.Exchange, at Position) *exchangeRow { return toExchange(e, at) })
	case in.names.Tallies:
		return one(ctx, in, b, "tallies", stream.DecodeTally, func(t *understudyv1.Tally, _ Position) *tallyRow { return toTally(t) })
	case in.names.Runs:
		return one(ctx, in, b, "runs", stream.DecodeRun, func(r *understudyv1.Run, _ Position) *runRow { return toRun(r) })
	}
	return fmt.Errorf("no table takes records of topic %s", b.Topic)
}

func position(r *kgo.Record) Position { return Position{r.Partition, r.Offset, r.Timestamp} }

// one handles a topic whose records become one row each.
func one[M, R any](ctx context.Context, in *Ingest, b stream.Batch, table string,
	decode func(*kgo.Record) (M, error), row func(M, Position) *R) error {
	var rows []*R
	for _, r := range b.Records {
		m, err := decode(r)
		if err != nil {
			if err := in.aside(ctx, r, err); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, row(m, position(r)))
	}
	return insert(ctx, in, b.Token+"/"+table, table, rows)
}

// aside hands over a foreign record.
func (in *Ingest) aside(ctx context.Context, r *kgo.Record, why error) error {
	in.strange.WithLabelValues(r.Topic).Inc()
	if err := in.foreign(ctx, r, why); err != nil {
		return fmt.Errorf("put aside %s/%d offset %d: %w", r.Topic, r.Partition, r.Offset, err)
	}
	return nil
}

// replays writes three tables. Differences and substitutions go first: a row in
// comparisons then always has its own. They are sent in blocks whose ends depend on
// nothing but the batch and the configuration of the judge, so that a repeated
// batch gives the same blocks.
func (in *Ingest) replays(ctx context.Context, b stream.Batch) error {
	var comparisons []*comparisonRow
	differences := blocks[differenceRow]{in: in, batch: b, table: "differences"}
	substitutions := blocks[substitutionRow]{in: in, batch: b, table: "substitutions"}
	for _, r := range b.Records {
		m, err := stream.DecodeReplay(r)
		if err != nil {
			if err := in.aside(ctx, r, err); err != nil {
				return err
			}
			continue
		}
		c := in.judge.Judge(m)
		in.verdict.WithLabelValues(string(c.Verdict)).Inc()
		comparisons = append(comparisons, toComparison(m, c, position(r)))
		if err := differences.add(ctx, toDifferences(m, c, position(r))...); err != nil {
			return err
		}
		if err := substitutions.add(ctx, toSubstitutions(m, position(r))...); err != nil {
			return err
		}
	}
	if err := differences.send(ctx); err != nil {
		return err
	}
	if err := substitutions.send(ctx); err != nil {
		return err
	}
	return insert(ctx, in, b.Token+"/comparisons", "comparisons", comparisons)
}

// insert sends rows as one block under a token of the batch and the table. The
// rows outlive the call, because a client's batch cannot be sent twice: the
// next try builds a new one.
func insert[R any](ctx context.Context, in *Ingest, token, table string, rows []*R) error {
	if len(rows) == 0 {
		return nil
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"async_insert":               0,
		"insert_deduplicate":         1,
		"insert_deduplication_token": token,
		"deduplicate_blocks_in_dependent_materialized_views": 1,
		"max_insert_block_size":                              1 << 20,
		"min_insert_block_size_rows":                         1 << 20,
		"min_insert_block_size_bytes":                        1 << 30,
		"throw_on_max_partitions_per_insert_block":           0,
	}))
	batch, err := in.conn.PrepareBatch(ctx, "INSERT INTO "+table+" ("+columns[R]()+")")
	if err != nil {
		return fmt.Errorf("insert into %s: %w", table, err)
	}
	for _, row := range rows {
		if err := batch.AppendStruct(row); err != nil {
			_ = batch.Abort()
			return fmt.Errorf("insert into %s: %w", table, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert into %s: %w", table, err)
	}
	in.rows.WithLabelValues(table).Add(float64(len(rows)))
	return nil
}

// columns are the names in the ch tags of a row type.
func columns[R any]() string {
	t := reflect.TypeFor[R]()
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("ch")
	}
	return strings.Join(names, ", ")
}
