package native

import (
	"context"
	"io"
	"time"
)

// An Engine runs statements of ClickHouse's SQL. It is called from many
// goroutines at once.
type Engine interface {
	// Query runs one statement. Its error, or that of reading the result, is
	// an *Exception where ClickHouse raised it. When ctx ends, the statement
	// and the reading of its result end too.
	Query(ctx context.Context, request Request) (Result, error)
}

// A Request is one statement for the engine.
type Request struct {
	SQL        string
	ID         string // empty: the engine makes one
	Database   string
	Settings   map[string]string
	Parameters map[string]string // text as in ClickHouse's HTTP param_name
}

// A Result is what a statement gave: blocks of the Native format at revision
// 0, one after the other, or nothing. It must be closed.
type Result interface {
	io.ReadCloser
	// Statistics is complete when the result has been read to its end.
	Statistics() Statistics
}

// Statistics of one statement.
type Statistics struct {
	ReadRows, ReadBytes   uint64
	WroteRows, WroteBytes uint64
	Elapsed               time.Duration
}
