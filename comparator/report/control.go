package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	bet "understudy.dev/comparator/evidence"
)

// Alpha bounds the expected share of wrong ones among the places that are called
// different, and the probability with which a bound of a report is wrong.
const Alpha = 0.05

// Margin is within how much of the replays candidate and baseline must be the same
// at a volatile place for it to be called alike.
const Margin = 0.2

// Control is what asking the baseline again has shown.
type Control struct {
	// Replays had a control.
	Replays uint64 `json:"replays"`
	// Places are those where the baseline differs from itself, the surest to be
	// different first.
	Places []VolatilePlace `json:"places"`
	// Explained mismatches have no differences but at places that are called
	// alike. They are mismatches all the same: one replay without a control cannot
	// show what its own difference is.
	Explained uint64 `json:"explained"`
	// Judged are the replays with a control on the routes of these places, and
	// Mismatches those of them that are a mismatch though they have one: what would
	// be left of the explained ones. It lies within Lower and Upper, as a share.
	Judged     uint64  `json:"judged"`
	Mismatches uint64  `json:"mismatches"`
	Lower      float64 `json:"lower"`
	Upper      float64 `json:"upper"`
}

// VolatilePlace is a place where the baseline differs from itself. Candidate and
// control are compared there as distributions (docs/statistics.md).
type VolatilePlace struct {
	Route string `json:"route"`
	Path  string `json:"path"`
	// Controlled replays of the route, and in how many of them the control, the
	// candidate, and both differ from the recording here.
	Controlled uint64 `json:"controlled"`
	Control    uint64 `json:"control"`
	Candidate  uint64 `json:"candidate"`
	Both       uint64 `json:"both"`
	// Presumed are those of Both in which what differs is presumed to be harmless,
	// as a name that is made anew each time; no coin compares it.
	Presumed uint64 `json:"presumed"`
	// Uncompared says that no coin was tossed here at all.
	Uncompared bool `json:"uncompared"`
	// LogE is the natural logarithm of the e-value against the two being alike.
	LogE float64 `json:"log_e"`
	// Different says that they are not, at the rate of false discoveries Alpha.
	Different bool `json:"different"`
	// Excess is the share of replays in which, at most, the two differ more than by
	// chance: none of the coins leans further. Alike says that it is within Margin,
	// and that they are not called different.
	Excess float64 `json:"excess"`
	Alike  bool    `json:"alike"`
	// Coins are what it was told by, the one that tells most first.
	Coins []Coin `json:"coins"`
}

// Coin is one statistic of a place.
type Coin struct {
	// Statistic is differs, presence, number or share, of Word.
	Statistic string `json:"statistic"`
	Word      string `json:"word,omitempty"`
	// Heads fell to the candidate, Tails to the control.
	Heads uint64  `json:"heads"`
	Tails uint64  `json:"tails"`
	LogE  float64 `json:"log_e"`
}

// Count says at how many places the two are different, at how many they are alike,
// of how many neither can be said yet, and at how many nothing compares them.
func (c Control) Count() (different, alike, open, uncompared int) {
	for _, p := range c.Places {
		switch {
		case p.Different:
			different++
		case p.Alike:
			alike++
		case p.Uncompared:
			uncompared++
		default:
			open++
		}
	}
	return different, alike, open, uncompared
}

// maxCoins bounds the coins of a report, maxShares the words of a place: the most
// tossed ones.
const (
	maxCoins  = 100_000
	maxShares = 8
)

// coinRow is a row of the view coins, and what the view volatile says of its place.
// Without a statistic the place has no coin.
type coinRow struct {
	Route      string `ch:"route"`
	Path       string `ch:"path"`
	Statistic  string `ch:"statistic"`
	Word       string `ch:"word"`
	Heads      uint64 `ch:"heads"`
	Tails      uint64 `ch:"tails"`
	Controlled uint64 `ch:"controlled"`
	Control    uint64 `ch:"control"`
	Candidate  uint64 `ch:"candidate"`
	Both       uint64 `ch:"both"`
	Presumed   uint64 `ch:"presumed"`
}

// LoadControl reads what the controls of a run have shown.
func LoadControl(ctx context.Context, conn driver.Conn, run string) (Control, error) {
	const what = "the controls"
	all, err := sel[struct {
		N uint64 `ch:"n"`
	}](ctx, conn, what, "SELECT count() AS n FROM controls WHERE run = @run AND statistic = 'replay'", run)
	if err != nil || all[0].N == 0 {
		return Control{Places: []VolatilePlace{}}, err
	}
	rows, err := sel[coinRow](ctx, conn, what, fmt.Sprintf(`SELECT v.route AS route, v.path AS path, c.statistic AS statistic, c.word AS word, c.heads AS heads, c.tails AS tails,
 v.controlled AS controlled, v.control AS control, v.candidate AS candidate, v.both AS both, v.presumed AS presumed
FROM (SELECT * FROM volatile WHERE run = @run) AS v
LEFT JOIN (SELECT * FROM coins WHERE run = @run ORDER BY heads + tails DESC LIMIT %d BY route, path, statistic LIMIT %d) AS c ON v.route = c.route AND v.path = c.path
ORDER BY route, path, statistic, word`, maxShares, maxCoins), run)
	if err != nil {
		return Control{}, err
	}
	out := Control{Replays: all[0].N, Places: weigh(rows)}
	if out.Explained, err = explained(ctx, conn, run, out.Places); err != nil || out.Explained == 0 {
		return out, err
	}
	return out, out.remaining(ctx, conn, run)
}

// remaining counts what the controlled replays, a random sample, say of the
// explained ones.
func (c *Control) remaining(ctx context.Context, conn driver.Conn, run string) error {
	var routes []string
	for _, p := range c.Places {
		if p.Alike {
			routes = append(routes, p.Route)
		}
	}
	slices.Sort(routes)
	err := conn.QueryRow(ctx, "SELECT count(), countIf(verdict = 'mismatch') FROM controls WHERE run = @run AND statistic = 'replay' AND verdict != '' AND has(@routes, toString(route))",
		clickhouse.Named("run", run), clickhouse.Named("routes", slices.Compact(routes))).Scan(&c.Judged, &c.Mismatches)
	if err != nil {
		return readError("the controlled mismatches", err)
	}
	b := bet.Rate(c.Mismatches, c.Judged, Alpha)
	c.Lower, c.Upper = b.Lower, b.Upper
	return nil
}

// weigh says of the volatile places of a run, whose coins stand in the order of
// their places, which of them differ. It asks about those where both have differed
// from the recording in one replay: that may not depend on which way coins fell,
// and would be as often if the two were swapped.
func weigh(rows []coinRow) []VolatilePlace {
	places := []VolatilePlace{}
	var logs []float64
	var asked []int
	for len(rows) > 0 {
		first := rows[0]
		n := slices.IndexFunc(rows, func(r coinRow) bool { return r.Route != first.Route || r.Path != first.Path })
		if n < 0 {
			n = len(rows)
		}
		p := VolatilePlace{
			Route: first.Route, Path: first.Path, Controlled: first.Controlled, Control: first.Control, Candidate: first.Candidate, Both: first.Both,
			Presumed: first.Presumed, Uncompared: first.Statistic == "", Coins: []Coin{},
		}
		var tossed []float64
		for _, r := range rows[:n] {
			if r.Heads+r.Tails == 0 {
				continue
			}
			c := Coin{Statistic: r.Statistic, Word: r.Word, Heads: r.Heads, Tails: r.Tails}
			c.LogE = bet.Coin{Heads: r.Heads, Tails: r.Tails}.LogE()
			p.Coins, tossed = append(p.Coins, c), append(tossed, c.LogE)
		}
		slices.SortStableFunc(p.Coins, func(a, b Coin) int { return cmp.Compare(b.LogE, a.LogE) })
		p.LogE = bet.LogMean(tossed...)
		for _, r := range rows[:n] {
			p.Excess = max(p.Excess, bet.Coin{Heads: r.Heads, Tails: r.Tails}.Excess(p.Controlled, Alpha/float64(n)))
		}
		if p.tossed() {
			logs, asked = append(logs, p.LogE), append(asked, len(places))
		}
		places, rows = append(places, p), rows[n:]
	}
	for _, i := range bet.Discoveries(logs, Alpha) {
		places[asked[i]].Different = true
	}
	for i := range places {
		p := &places[i]
		p.Alike = p.tossed() && !p.Different && p.Excess <= Margin
	}
	slices.SortStableFunc(places, func(a, b VolatilePlace) int { return cmp.Compare(b.LogE, a.LogE) })
	return places
}

// tossed says whether both have differed in one replay where a coin compares them.
func (p VolatilePlace) tossed() bool { return !p.Uncompared && p.Both > p.Presumed }

// explained counts the mismatches that have no differences but at volatile places
// that are called alike. One of which not all differences were kept is none.
func explained(ctx context.Context, conn driver.Conn, run string, places []VolatilePlace) (uint64, error) {
	var routes, paths []string
	for _, p := range places {
		if p.Alike {
			routes, paths = append(routes, p.Route), append(paths, p.Path)
		}
	}
	if len(paths) == 0 {
		return 0, nil
	}
	var n uint64
	err := conn.QueryRow(ctx, `WITH arrayZip(@routes, @paths) AS alike
SELECT count() FROM
(
 SELECT topic_id, kafka_partition, kafka_offset, any(verdict) AS verdict, countIf(NOT has(alike, (toString(route), path))) AS others FROM discrepancies
 WHERE run = @run AND (topic_id, kafka_partition, kafka_offset) NOT IN
  (SELECT topic_id, kafka_partition, kafka_offset FROM comparisons WHERE run = @run AND differences_dropped > 0)
 GROUP BY topic_id, kafka_partition, kafka_offset
)
WHERE verdict = 'mismatch' AND others = 0`,
		clickhouse.Named("run", run), clickhouse.Named("routes", routes), clickhouse.Named("paths", paths)).Scan(&n)
	if err != nil {
		return 0, readError("the explained mismatches", err)
	}
	return n, nil
}
