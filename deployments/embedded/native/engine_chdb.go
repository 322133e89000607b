package native

import (
	"context"
	"errors"

	"understudy.dev/deployments/embedded/chdb"
)

// Over makes the real ClickHouse engine an Engine.
func Over(engine *chdb.Engine) Engine { return chdbEngine{engine} }

type chdbEngine struct{ engine *chdb.Engine }

func (e chdbEngine) Query(ctx context.Context, r Request) (Result, error) {
	result, err := e.engine.Query(ctx, chdb.Request{
		SQL: r.SQL, Database: r.Database, QueryID: r.ID, Format: "Native", Settings: r.Settings, Params: r.Parameters,
	})
	if err != nil {
		return nil, fromChdb(err)
	}
	return chdbResult{result}, nil
}

type chdbResult struct{ *chdb.Result }

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
	var e *chdb.Exception
	if !errors.As(err, &e) {
		return err
	}
	return &Exception{Code: e.Code, Name: e.Name, Message: e.Message}
}
