package native

import (
	"context"
	"io"

	"understudy.dev/embedded/engine"
)

// An Engine runs statements of ClickHouse's SQL. It is called from many
// goroutines at once.
type Engine interface {
	// Query runs one statement. Its error, or that of reading the result, is
	// an *engine.Exception where ClickHouse raised it. When ctx ends, the
	// statement and the reading of its result end too.
	Query(ctx context.Context, request engine.Request) (Result, error)
}

// A Result is what a statement gave: blocks of the Native format at revision
// 0, one after the other, or nothing. It must be closed.
type Result interface {
	io.ReadCloser
	// Statistics is complete when the result has been read to its end.
	Statistics() engine.Statistics
}

// Over makes the real ClickHouse engine an Engine.
func Over(clickhouse *engine.Engine) Engine { return over{clickhouse} }

type over struct{ clickhouse *engine.Engine }

func (o over) Query(ctx context.Context, r engine.Request) (Result, error) {
	result, err := o.clickhouse.Query(ctx, r)
	if err != nil {
		return nil, err // not a Result that holds a nil pointer
	}
	return result, nil
}
