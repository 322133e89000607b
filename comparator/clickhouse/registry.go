package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/comparator"
)

// ErrOrigin is wrapped when a run of the same name, of other Kafka topics, is
// in the database.
var ErrOrigin = errors.New("is another run in this database")

// registry keeps which runs are in the database, whose they are and which
// judgements they have. What it knows it does not ask again.
type registry struct {
	conn driver.Conn
	cfg  IngestConfig

	mu     sync.Mutex
	own    map[string]bool
	taken  map[string]string // by whom; a name is never given up
	judged map[string]bool
}

// leastSettled is how long a claim is waited for at least.
const leastSettled = 50 * time.Millisecond

func newRegistry(conn driver.Conn, cfg IngestConfig) *registry {
	return &registry{conn: conn, cfg: cfg, own: map[string]bool{}, taken: map[string]string{}, judged: map[string]bool{}}
}

// claim makes the names ours. The first topic that claims a name has it: the
// server's clock decides, and everyone reads after he has written. A row gets its
// time before others see it, by about as long as an insert takes: whoever has
// written waits for several times that before he reads. So two prefixes, or two
// clusters, do not mix two runs of one name, unless the server is halted just then.
func (r *registry) claim(ctx context.Context, runs ...string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	unknown := missing(r.own, runs)
	if len(unknown) == 0 {
		return nil
	}
	if !slices.ContainsFunc(unknown, func(run string) bool { return r.taken[run] == "" }) {
		return r.refused(unknown)
	}
	owners, err := r.owners(ctx, unknown)
	if err != nil {
		return err
	}
	var free [][]any
	for _, run := range unknown {
		if owners[run] == "" {
			free = append(free, []any{run, r.cfg.Origin})
		}
	}
	if len(free) > 0 {
		begun := time.Now()
		if err := r.write(ctx, "run_origins", "run, origin", free); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(leastSettled, 4*time.Since(begun))):
		}
		if owners, err = r.owners(ctx, unknown); err != nil {
			return err
		}
	}
	var foreign []string
	for _, run := range unknown {
		if owners[run] == r.cfg.Origin {
			r.own[run] = true
		} else {
			r.taken[run] = owners[run]
			foreign = append(foreign, run)
		}
	}
	if len(foreign) > 0 {
		return r.refused(foreign)
	}
	return nil
}

// refused says whose runs are.
func (r *registry) refused(foreign []string) error {
	slices.Sort(foreign)
	return fmt.Errorf("run %q %w, of another Kafka cluster, prefix or life of the topics (topic id %s, here %s); write into another one (--clickhouse host:port/database, after understudy migrate)",
		strings.Join(foreign[:min(len(foreign), 5)], ", "), ErrOrigin, r.taken[foreign[0]], r.cfg.Origin)
}

// others are the names that were asked for and are those of others, sorted.
func (r *registry) others() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.taken))
}

func (r *registry) owners(ctx context.Context, runs []string) (map[string]string, error) {
	var rows []struct {
		Run    string `ch:"run"`
		Origin string `ch:"origin"`
	}
	if err := r.conn.Select(ctx, &rows, "SELECT run, argMin(o.origin, (time, o.origin)) AS origin FROM run_origins AS o WHERE run IN (?) GROUP BY run", runs); err != nil {
		return nil, fmt.Errorf("whose the runs are: %w", err)
	}
	out := map[string]string{}
	for _, row := range rows {
		out[row.Run] = row.Origin
	}
	return out, nil
}

// register notes that runs are being judged, before a row of them is written.
// From the first row of a new judgement on, the views show the run under it,
// unless the configuration says Aside.
func (r *registry) register(ctx context.Context, runs ...string) error {
	if err := r.claim(ctx, runs...); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	unknown := missing(r.judged, runs)
	if len(unknown) == 0 {
		return nil
	}
	var known []struct {
		Run string `ch:"run"`
	}
	if err := r.conn.Select(ctx, &known, "SELECT DISTINCT toString(run) AS run FROM judged_runs WHERE judgement = ? AND run IN (?)", r.cfg.Judgement.ID, unknown); err != nil {
		return fmt.Errorf("judgements of the runs: %w", err)
	}
	if len(r.judged) == 0 {
		if err := r.write(ctx, "judgements", "judgement, judge_version, config, made_by",
			[][]any{{r.cfg.Judgement.ID, r.cfg.Judgement.Version, r.cfg.Judgement.Config, r.cfg.MadeBy}}); err != nil {
			return err
		}
	}
	have := map[string]bool{}
	for _, k := range known {
		have[k.Run] = true
	}
	var rows [][]any
	for _, run := range missing(have, unknown) {
		rows = append(rows, []any{run, r.cfg.Judgement.ID, !r.cfg.Aside, r.cfg.MadeBy})
	}
	if err := r.write(ctx, "judged_runs", "run, judgement, chosen, made_by", rows); err != nil {
		return err
	}
	for _, run := range unknown {
		r.judged[run] = true
	}
	return nil
}

// missing are the names that the set has not, each once.
func missing(set map[string]bool, names []string) []string {
	var out []string
	for _, name := range names {
		if !set[name] && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func (r *registry) write(ctx context.Context, table, columns string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	batch, err := r.conn.PrepareBatch(whole(ctx), "INSERT INTO "+table+" ("+columns+")")
	if err != nil {
		return fmt.Errorf("insert into %s: %w", table, err)
	}
	for _, row := range rows {
		if err := batch.Append(row...); err != nil {
			_ = batch.Abort()
			return fmt.Errorf("insert into %s: %w", table, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert into %s: %w", table, err)
	}
	return nil
}

// whole are the settings of every insert: it is in when it returns, and goes in
// whatever went in before, since rows replace themselves.
func whole(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"async_insert":       0,
		"insert_deduplicate": 0,
		"throw_on_max_partitions_per_insert_block": 0,
	}))
}

// Choose makes a judgement the one that the views show a run under.
func Choose(ctx context.Context, conn driver.Conn, run string, j comparator.Judgement, madeBy string) error {
	r := newRegistry(conn, IngestConfig{})
	return r.write(ctx, "judged_runs", "run, judgement, chosen, made_by", [][]any{{run, j.ID, true, madeBy}})
}
