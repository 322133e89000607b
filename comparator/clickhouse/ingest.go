package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/semaphore"

	"understudy.dev/comparator"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// Judge turns a replay into its comparison: a pure function.
type Judge interface {
	Judge(*understudyv1.Replay) comparator.Comparison
}

// IngestConfig says whose rows are written.
type IngestConfig struct {
	Names     topic.Names
	Judgement comparator.Judgement
	// Origin is the id of the topic of runs: it tells runs of one name apart.
	Origin string
	// MadeBy names this process in the registers.
	MadeBy string
	// Aside leaves the judgement that the views show a run under as it is.
	Aside bool
}

// Ingest writes the records of Understudy's topics into their tables. Its
// Handle is a stream.Handler. Every row has an identity, the record that it is
// made of and the judgement: what is written again replaces itself, in whatever
// batches and by whichever process, and the roll-ups are made from such rows.
type Ingest struct {
	conn     driver.Conn
	cfg      IngestConfig
	registry *registry
	judge    Judge
	judged   *semaphore.Weighted // bytes, see weigh
	foreign  func(context.Context, *kgo.Record, error) error
	rows     *prometheus.CounterVec
	verdict  *prometheus.CounterVec
	strange  *prometheus.CounterVec
	taken    prometheus.Counter
}

// NewIngest prepares an ingest. foreign is called for each record that is none
// of ours, before the batch that holds it is written; it should put the record
// aside.
func NewIngest(conn driver.Conn, cfg IngestConfig, judge Judge,
	foreign func(context.Context, *kgo.Record, error) error, reg prometheus.Registerer) (*Ingest, error) {
	in := &Ingest{conn: conn, cfg: cfg, registry: newRegistry(conn, cfg), judge: judge, judged: semaphore.NewWeighted(judgedBytes), foreign: foreign,
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "understudy", Subsystem: "comparator", Name: "rows_total", Help: "Rows sent to ClickHouse, by table.",
		}, []string{"table"}),
		verdict: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "understudy", Subsystem: "comparator", Name: "verdicts_total", Help: "Replays judged, by verdict.",
		}, []string{"verdict"}),
		strange: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "understudy", Subsystem: "comparator", Name: "foreign_total", Help: "Records that are foreign or cannot be read, by topic.",
		}, []string{"topic"}),
		taken: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "understudy", Subsystem: "comparator", Name: "taken_total", Help: "Replays left out because the database has another run of the name.",
		}),
	}
	for _, c := range []prometheus.Collector{in.rows, in.verdict, in.strange, in.taken} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("comparator metrics: %w", err)
		}
	}
	return in, nil
}

// Topics are those that Handle knows.
func (in *Ingest) Topics() []string {
	return []string{in.cfg.Names.Replays, in.cfg.Names.Exchanges, in.cfg.Names.Tallies, in.cfg.Names.Runs}
}

// Claim makes runs those of the configured origin; the error wraps ErrOrigin
// when the database has others of their names.
func (in *Ingest) Claim(ctx context.Context, runs ...string) error {
	return in.registry.claim(ctx, runs...)
}

// Taken are the names of runs that the database has of another origin, as far as
// they have come up, sorted. Handle leaves their records out.
func (in *Ingest) Taken() []string { return in.registry.others() }

// Handle writes one batch. It returns nil only when every row is in, but for
// those of runs whose names are taken: they must not keep others waiting.
func (in *Ingest) Handle(ctx context.Context, b stream.Batch) error {
	switch b.Topic {
	case in.cfg.Names.Replays:
		return in.replays(ctx, b)
	case in.cfg.Names.Exchanges:
		return one(ctx, in, b, "stored_exchanges", stream.DecodeExchange, func(e *understudyv1.Exchange, at Position) *exchangeRow { return toExchange(e, at) })
	case in.cfg.Names.Tallies:
		return one(ctx, in, b, "stored_tallies", stream.DecodeTally, func(t *understudyv1.Tally, _ Position) *tallyRow { return toTally(t) })
	case in.cfg.Names.Runs:
		return in.runs(ctx, b)
	}
	return fmt.Errorf("no table takes records of topic %s", b.Topic)
}

func position(b stream.Batch, r *kgo.Record) Position {
	return Position{TopicID: b.TopicID, Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp}
}

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
		rows = append(rows, row(m, position(b, r)))
	}
	return insert(ctx, in, table, rows)
}

// aside hands over a foreign record.
func (in *Ingest) aside(ctx context.Context, r *kgo.Record, why error) error {
	in.strange.WithLabelValues(r.Topic).Inc()
	if err := in.foreign(ctx, r, why); err != nil {
		return fmt.Errorf("put aside %s/%d offset %d: %w", r.Topic, r.Partition, r.Offset, err)
	}
	return nil
}

// runs writes the states of runs that are ours.
func (in *Ingest) runs(ctx context.Context, b stream.Batch) error {
	var rows []*runRow
	var names []string
	for _, r := range b.Records {
		if stream.IsAside(r) {
			continue
		}
		m, err := stream.DecodeRun(r)
		if err != nil {
			if err := in.aside(ctx, r, err); err != nil {
				return err
			}
			continue
		}
		rows, names = append(rows, toRun(m, in.cfg.Origin)), append(names, m.GetName())
	}
	if err := in.registry.claim(ctx, names...); errors.Is(err, ErrOrigin) {
		taken := in.Taken()
		rows = slices.DeleteFunc(rows, func(r *runRow) bool { return slices.Contains(taken, r.Name) })
	} else if err != nil {
		return err
	}
	return insert(ctx, in, "runs", rows)
}

// State writes what the replayer says of a run. Written again, or after a later
// state, it changes nothing. The error wraps ErrOrigin as that of Claim does.
func (in *Ingest) State(ctx context.Context, run *understudyv1.Run) error {
	if err := in.registry.claim(ctx, run.GetName()); err != nil {
		return err
	}
	return insert(ctx, in, "runs", []*runRow{toRun(run, in.cfg.Origin)})
}

// replays writes the facts and then the roll-ups, which are made of them. One
// replay at a time is unpacked: it may be large. The comparisons go last: each
// row of them then has its own in the others.
func (in *Ingest) replays(ctx context.Context, b stream.Batch) error {
	var runs []string
	comparisons := make([]*comparisonRow, 0, len(b.Records))
	differences := blocks[differenceRow, *differenceRow]{in: in, table: "stored_differences"}
	substitutions := blocks[substitutionRow, *substitutionRow]{in: in, table: "stored_substitutions"}
	controls := blocks[controlRow, *controlRow]{in: in, table: "stored_controls"}
	for _, record := range b.Records {
		r, err := stream.DecodeReplay(record)
		if err != nil {
			if err := in.aside(ctx, record, err); err != nil {
				return err
			}
			continue
		}
		if !slices.Contains(runs, r.GetRun()) {
			if err := in.registry.register(ctx, r.GetRun()); errors.Is(err, ErrOrigin) {
				in.taken.Inc()
				continue
			} else if err != nil {
				return err
			}
			runs = append(runs, r.GetRun())
		}
		c, err := in.judgeOne(ctx, r)
		if err != nil {
			return err
		}
		at := position(b, record)
		in.verdict.WithLabelValues(string(c.Verdict)).Inc()
		comparisons = append(comparisons, toComparison(r, c, at, in.cfg.Judgement.ID))
		if err := errors.Join(
			differences.add(ctx, toDifferences(r, c, at, in.cfg.Judgement.ID)...),
			substitutions.add(ctx, toSubstitutions(r, at)...),
			controls.add(ctx, toControls(r, c, at, in.cfg.Judgement.ID)...),
		); err != nil {
			return err
		}
	}
	if err := errors.Join(differences.send(ctx), substitutions.send(ctx), controls.send(ctx)); err != nil {
		return err
	}
	if err := insert(ctx, in, "stored_comparisons", comparisons); err != nil {
		return err
	}
	return RollUp(ctx, in.conn, in.cfg.Judgement.ID, b, runs)
}

// judgeOne waits while as many bytes as may be are judged already.
func (in *Ingest) judgeOne(ctx context.Context, r *understudyv1.Replay) (comparator.Comparison, error) {
	weight := weigh(r)
	if err := in.judged.Acquire(ctx, weight); err != nil {
		return comparator.Comparison{}, err
	}
	defer in.judged.Release(weight)
	return in.judge.Judge(r), nil
}

// insert sends rows as one block.
func insert[R any](ctx context.Context, in *Ingest, table string, rows []*R) error {
	if len(rows) == 0 {
		return nil
	}
	batch, err := in.conn.PrepareBatch(whole(ctx), "INSERT INTO "+table+" ("+columns[R]()+")")
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
