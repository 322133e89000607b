package report

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Pairing is a place whose differences are presumed to be names, each in its own
// system, and where the run shows that they are: over all its replays each name
// of the baseline has one of the candidate, and the reverse, and the pairs come
// again.
type Pairing struct {
	Route string `json:"route" ch:"route"`
	Path  string `json:"path" ch:"path"`
	// Places are the differences that are explained by it.
	Places uint64 `json:"places" ch:"places"`
	// Pairs of names, and how often one of them came again in another replay: each
	// time it could have been contradicted.
	Pairs   uint64 `json:"pairs" ch:"pairs"`
	Repeats uint64 `json:"repeats" ch:"repeats"`
}

// minRepeated is how many pairs must have come again: one wrong value that is
// always the same is one to one, too.
const minRepeated = 10

// Pairings are the places of a run whose names are one to one, those that explain
// most first, at most 1000. They are told from the rows that are kept, which are
// all but for replays with more differences than max_differences.
func Pairings(ctx context.Context, conn driver.Conn, run string) ([]Pairing, error) {
	return sel[Pairing](ctx, conn, "the pairs of names", fmt.Sprintf(`SELECT route, path, sum(n) AS places, count() AS pairs, toUInt64(sum(replays) - pairs) AS repeats
FROM
(
 SELECT route, path, baseline, candidate, count() AS n, uniqExact((topic_id, kafka_partition, kafka_offset)) AS replays
 FROM presumed WHERE run = @run AND noise_class = 'presumed:identifier' AND kind = 'value' AND baseline != '' AND candidate != ''
 GROUP BY route, path, baseline, candidate
)
GROUP BY route, path
HAVING uniqExact(baseline) = pairs AND uniqExact(candidate) = pairs AND countIf(replays > 1) >= %d
ORDER BY places DESC, route, path LIMIT 1000`, minRepeated), run)
}
