package main

import (
	"context"
	"errors"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kerr"
)

// sitOut is how long an outage of Kafka or ClickHouse is sat out by a command
// that was under way: a broker or a server that starts again takes seconds.
const sitOut = time.Minute

// outage is one that is being sat out; the zero value is none.
type outage struct{ since time.Time }

// bear says whether to try again after err: it is no answer, and the first such
// is less than sitOut ago. No error ends the outage.
func (o *outage) bear(err error, now time.Time) bool {
	var asked *kerr.Error
	var refused *clickhouse.Exception
	switch {
	case err == nil:
		o.since = time.Time{}
		return false
	case errors.Is(err, context.Canceled), errors.As(err, &refused), errors.As(err, &asked) && !asked.Retriable:
		return false
	}
	if o.since.IsZero() {
		o.since = now
	}
	return now.Sub(o.since) < sitOut
}
