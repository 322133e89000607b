package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"understudy.dev/deployments/embedded/chdb"
)

// Over makes the real ClickHouse engine an Engine. The engine's own calls end
// with their context only between portions of a result; this one also ends a
// statement that works for long on a portion, as KILL QUERY does.
func Over(engine *chdb.Engine) Engine {
	return &chdbEngine{engine: engine, slots: make(chan struct{}, maxStatements)}
}

// maxStatements bounds the statements of clients that run at once; further
// ones wait. It is less than the engine runs at once by default, 16, so that
// there is always room to kill one of them.
const maxStatements = 12

type chdbEngine struct {
	engine *chdb.Engine
	slots  chan struct{} // one per statement that runs or gives its result
	last   atomic.Uint64 // number of the last statement
}

func (e *chdbEngine) Query(ctx context.Context, r Request) (Result, error) {
	select {
	case e.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	mark := fmt.Sprintf("/* native %d.%d */", os.Getpid(), e.last.Add(1))
	k := e.killer(ctx, mark)
	result, err := e.engine.Query(ctx, chdb.Request{
		SQL: marked(r.SQL, mark), Database: r.Database, QueryID: r.ID, Format: "Native", Settings: r.Settings, Params: r.Parameters,
	})
	if err != nil {
		k.stop()
		<-e.slots
		return nil, fromChdb(err)
	}
	return &chdbResult{Result: result, end: sync.OnceFunc(func() { k.stop(); <-e.slots })}, nil
}

// marked puts a comment into a statement by which KILL QUERY finds it: at its
// end, where it shifts no position that a syntax error tells, unless it would
// be taken for data there.
func marked(sql, mark string) string {
	first := &cursor{text: sql, tokens: lex(sql, 1)}
	if first.is("INSERT") {
		return mark + " " + sql
	}
	return sql + "\n" + mark
}

// A killer ends a statement when its context ends.
type killer struct {
	over    chan struct{} // the statement is over
	stopped chan struct{} // the killer is over
	unarm   func() bool
}

// killPause is waited before a statement that KILL QUERY did not find, or that
// did not end yet, is looked for again.
const killPause = 100 * time.Millisecond

func (e *chdbEngine) killer(ctx context.Context, mark string) *killer {
	k := &killer{over: make(chan struct{}), stopped: make(chan struct{})}
	k.unarm = context.AfterFunc(ctx, func() {
		defer close(k.stopped)
		for {
			// It is tried again until the statement is over, whatever it gives.
			_ = e.kill(context.WithoutCancel(ctx), mark)
			select {
			case <-k.over:
				return
			case <-time.After(killPause):
			}
		}
	})
	return k
}

func (e *chdbEngine) kill(ctx context.Context, mark string) error {
	result, err := e.engine.Query(ctx, chdb.Request{SQL: "KILL QUERY WHERE startsWith(query, '" + mark + "') OR endsWith(query, '" + mark + "') ASYNC", Format: "Native"})
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, result)
	return errors.Join(err, result.Close())
}

// stop returns when the killer does nothing any more. It is called once.
func (k *killer) stop() {
	if k.unarm() {
		return
	}
	close(k.over)
	<-k.stopped
}

type chdbResult struct {
	*chdb.Result
	end func()
}

func (r *chdbResult) Close() error {
	defer r.end()
	return r.Result.Close()
}

func (r *chdbResult) Read(p []byte) (int, error) {
	n, err := r.Result.Read(p)
	return n, fromChdb(err)
}

func (r *chdbResult) Statistics() Statistics {
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
