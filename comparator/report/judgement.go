package report

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/comparator"
)

// ErrJudgement is wrapped when a judgement cannot be told or read.
var ErrJudgement = errors.New("judgement")

// Judgement is one that a run has, and what it came to.
type Judgement struct {
	ID string `json:"judgement" ch:"judgement"`
	// Current says whether the views show the run under it.
	Current bool `json:"current" ch:"current"`
	// Version is that of the judge; 0 is unknown.
	Version uint32 `json:"judge_version" ch:"judge_version"`
	// Time is when the run was first judged so, MadeBy who did.
	Time   time.Time `json:"time" ch:"time"`
	MadeBy string    `json:"made_by" ch:"made_by"`
	// Replays are those that have a verdict, Match those that match.
	Replays uint64 `json:"replays" ch:"replays"`
	Match   uint64 `json:"match" ch:"match"`
	// Config is the configuration of the judge, YAML; empty is unknown.
	Config string `json:"config" ch:"config"`
}

// Judgements lists those of a run, the oldest first, at most 1,000.
func Judgements(ctx context.Context, conn driver.Conn, run string) ([]Judgement, error) {
	return sel[Judgement](ctx, conn, "the judgements", `SELECT toString(r.judgement) AS judgement, judgement = (SELECT c.judgement FROM current_judgements AS c WHERE c.run = @run) AS current,
 any(j.judge_version) AS judge_version, min(r.time) AS time, argMin(r.made_by, r.time) AS made_by, any(s.replays) AS replays, any(s.match) AS match, any(j.config) AS config
FROM judged_runs AS r
LEFT ANY JOIN (SELECT * FROM judgements FINAL) AS j ON j.judgement = r.judgement
LEFT ANY JOIN (SELECT judgement, sum(a.replays) AS replays, sum(a.match) AS match FROM all_scorecards AS a WHERE run = @run GROUP BY judgement) AS s ON s.judgement = r.judgement
WHERE r.run = @run GROUP BY r.judgement ORDER BY time, judgement LIMIT 1000`, run)
}

// FindJudgement gives the one judgement of a run whose id begins with prefix.
// The error wraps ErrJudgement when there is none, more than one, or when it
// was made by a judge that is newer than this program.
func FindJudgement(all []Judgement, run, prefix string) (Judgement, error) {
	var found []Judgement
	var names []string
	for _, j := range all {
		names = append(names, j.Name())
		if j.ID == prefix || j.Name() == prefix {
			found = []Judgement{j}
			break
		}
		if prefix != "" && strings.HasPrefix(j.ID, prefix) {
			found = append(found, j)
		}
	}
	switch {
	case len(all) == 0:
		return Judgement{}, fmt.Errorf("%w %q: run %s has none; understudy compare judges it", ErrJudgement, Clean(prefix), Clean(run))
	case len(found) == 0:
		return Judgement{}, fmt.Errorf("%w %q is unknown: run %s has %s", ErrJudgement, Clean(prefix), Clean(run), Clean(strings.Join(names, ", ")))
	case len(found) > 1:
		return Judgement{}, fmt.Errorf("%w %q is ambiguous: %s and %s begin with it", ErrJudgement, Clean(prefix), found[0].ID, found[1].ID)
	case found[0].Version > comparator.JudgeVersion:
		return Judgement{}, fmt.Errorf("%w %s was made by version %d of the judge; this program knows versions up to %d: use a newer one",
			ErrJudgement, Clean(found[0].ID), found[0].Version, comparator.JudgeVersion)
	}
	return found[0], nil
}

// Name of a judgement for people: rows from before there were judgements have
// none.
func (j Judgement) Name() string {
	if j.ID == "" {
		return "(before)"
	}
	return j.ID
}

// Transition counts replays of a route that have one verdict under one
// judgement and another under the other; an empty verdict is none.
type Transition struct {
	Route   string `json:"route" ch:"route"`
	Old     string `json:"old" ch:"old"`
	New     string `json:"new" ch:"new"`
	Replays uint64 `json:"replays" ch:"replays"`
	// Exchange and Ordinal are those of an example.
	Exchange string `json:"example_exchange" ch:"exchange"`
	Ordinal  uint64 `json:"example_ordinal" ch:"ordinal"`
}

// PathChange is a kind of differing place of which one judgement has more than
// the other. It appeared when Old is 0 and vanished when New is.
type PathChange struct {
	Route string `json:"route" ch:"route"`
	Path  string `json:"path" ch:"path"`
	Kind  string `json:"kind" ch:"kind"`
	// Class is empty for what counts.
	Class string `json:"noise_class" ch:"noise_class"`
	Old   uint64 `json:"old" ch:"old"`
	New   uint64 `json:"new" ch:"new"`
}

// JudgementDiff is what differs between two judgements of a run.
type JudgementDiff struct {
	Run string `json:"run"`
	Old string `json:"old"`
	New string `json:"new"`
	// Same is how many replays have the same verdict under both.
	Same uint64 `json:"same"`
	// OldDropped and NewDropped are how many differing places each has counted but
	// not kept (max_differences); they are in no PathChange.
	OldDropped  uint64       `json:"old_places_not_kept"`
	NewDropped  uint64       `json:"new_places_not_kept"`
	Transitions []Transition `json:"transitions"`
	Paths       []PathChange `json:"paths"`
}

// maxChanges bounds what a JudgementDiff lists of each kind.
const maxChanges = 10_000

// DiffJudgements compares two judgements of a run: the commonest changes first,
// at most 10,000 of each kind.
func DiffJudgements(ctx context.Context, conn driver.Conn, run string, before, after Judgement) (JudgementDiff, error) {
	d := JudgementDiff{Run: run, Old: before.Name(), New: after.Name(), Transitions: []Transition{}, Paths: []PathChange{}}
	args := []any{clickhouse.Named("run", run), clickhouse.Named("before", before.ID), clickhouse.Named("after", after.ID)}
	var verdicts []Transition
	// A replay is told by its record, whichever judgement it is under. Routes and
	// exchanges are of the record, so they are the same in both.
	err := conn.Select(ctx, &verdicts, fmt.Sprintf(`SELECT toString(route) AS route, old, new, count() AS replays, argMin(e, o) AS exchange, min(o) AS ordinal
FROM (
 SELECT topic_id, kafka_partition, kafka_offset, any(c.route) AS route, any(exchange_id) AS e, any(c.ordinal) AS o,
  toString(anyIf(verdict, judgement = @before)) AS old, toString(anyIf(verdict, judgement = @after)) AS new
 FROM all_comparisons AS c WHERE run = @run AND judgement IN (@before, @after) GROUP BY topic_id, kafka_partition, kafka_offset
)
GROUP BY route, old, new ORDER BY replays DESC, route, old, new LIMIT %d`, maxChanges), args...)
	if err != nil {
		return d, readError("the verdicts", err)
	}
	for _, t := range verdicts {
		if t.Old == t.New {
			d.Same += t.Replays
		} else {
			d.Transitions = append(d.Transitions, t)
		}
	}
	err = conn.QueryRow(ctx, `SELECT sumIf(differences_dropped, judgement = @before), sumIf(differences_dropped, judgement = @after)
FROM all_comparisons WHERE run = @run AND judgement IN (@before, @after)`, args...).Scan(&d.OldDropped, &d.NewDropped)
	if err != nil {
		return d, readError("the places that were not kept", err)
	}
	err = conn.Select(ctx, &d.Paths, fmt.Sprintf(`SELECT toString(route) AS route, toString(path) AS path, toString(kind) AS kind, toString(noise_class) AS noise_class,
 sumIf(places, judgement = @before) AS old, sumIf(places, judgement = @after) AS new
FROM stored_difference_totals FINAL WHERE run = @run AND judgement IN (@before, @after)
GROUP BY route, path, kind, noise_class HAVING old != new
ORDER BY greatest(old, new) - least(old, new) DESC, route, path, kind, noise_class LIMIT %d`, maxChanges), args...)
	if err != nil {
		return d, readError("the differing places", err)
	}
	return d, nil
}
