package report

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// maxJudged bounds how many exchanges Judged gives.
const maxJudged = 1_000_000

// Judged are the exchanges of a run that have one of these verdicts, and their
// sessions. The error wraps ErrUnknownRun when there is no such run; more than
// 1,000,000 are an error too.
func Judged(ctx context.Context, conn driver.Conn, run string, verdicts []string) (exchanges, sessions map[string]bool, err error) {
	if _, err := FindRun(ctx, conn, run); err != nil {
		return nil, nil, err
	}
	rows := []struct {
		Exchange string `ch:"exchange"`
		Session  string `ch:"session"`
	}{}
	err = conn.Select(ctx, &rows, `SELECT exchange_id AS exchange, session FROM comparisons
WHERE run = @run AND verdict IN (@verdicts) AND exchange_id != '' LIMIT @most`, clickhouse.Named("run", run), clickhouse.Named("verdicts", verdicts), clickhouse.Named("most", maxJudged+1))
	if err != nil {
		return nil, nil, readError("the verdicts", err)
	}
	if len(rows) > maxJudged {
		return nil, nil, fmt.Errorf("more than %d replays of run %s have these verdicts: replay its window again", maxJudged, Clean(run))
	}
	exchanges, sessions = map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		exchanges[r.Exchange], sessions[r.Session] = true, true
	}
	return exchanges, sessions, nil
}
