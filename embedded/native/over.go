package native

import (
	"context"
	"errors"

	"understudy.dev/embedded/engine"
)

// Over makes the real ClickHouse engine an Engine.
func Over(clickhouse *engine.Engine) Engine { return chdbEngine{clickhouse} }

type chdbEngine struct{ clickhouse *engine.Engine }

func (e chdbEngine) Query(ctx context.Context, r Request) (Result, error) {
	result, err := e.clickhouse.Query(ctx, engine.Request{
		SQL: r.SQL, Database: r.Database, QueryID: r.ID, Format: "Native", Settings: r.Settings, Params: r.Parameters,
	})
	if err != nil {
		return nil, fromChdb(err)
	}
	return chdbResult{result}, nil
}

type chdbResult struct{ *engine.Result }

func (r chdbResult) Read(p []byte) (int, error) {
	n, err := r.Result.Read(p)
	return n, fromChdb(err)
}

func (r chdbResult) Statistics() Statistics {
	s := r.Result.Statistics()
	return Statistics{
		ReadRows: s.ReadRows, ReadBytes: s.ReadBytes,
		WroteRows: s.WrittenRows, WroteBytes: s.WrittenBytes, Elapsed: s.Elapsed,
	}
}

// fromChdb turns the engine's exceptions into those of the protocol.
func fromChdb(err error) error {
	var e *engine.Exception
	if !errors.As(err, &e) {
		return err
	}
	return &Exception{Code: e.Code, Name: e.Name, Message: e.Message}
}
