package engine

import (
	"context"
	"fmt"
	"time"
)

// Progress is how far a statement has got.
type Progress struct {
	ReadRows, ReadBytes uint64
	// TotalRows is how many rows the engine expects to read; 0 is unknown.
	TotalRows                 uint64
	WrittenRows, WrittenBytes uint64
	Elapsed                   time.Duration
}

// Watch reports the progress of a statement while Query waits for its first
// portion.
type Watch struct {
	// Every is how long to wait before each look; at least 10 ms.
	Every time.Duration
	// Tell is called from another goroutine than Query's, one call at a time
	// and none after Query has returned. It must not block.
	Tell func(Progress)
}

// minWatch bounds how often the engine is asked: a look costs it about a
// millisecond.
const minWatch = 10 * time.Millisecond

// follow polls the statement with a mark until it is told to stop. The engine's
// C interface has no callback; system.processes is where a server shows its own
// progress.
func (e *Engine) follow(ctx context.Context, mark string, w *Watch) (stop func()) {
	if w == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(max(w.Every, minWatch))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			// A failed look, or one that finds nothing, does not affect the
			// statement.
			if p, err := e.look(mark); err == nil && ctx.Err() == nil {
				w.Tell(p)
			}
		}
	}()
	return func() { cancel(); <-stopped }
}

// look runs on its own connection, outside the bound on statements: they may
// all be busy.
func (e *Engine) look(mark string) (Progress, error) {
	conn, err := e.connect()
	if err != nil {
		return Progress{}, err
	}
	defer e.lib.closeConn(conn)
	out, err := e.ask(conn, "SELECT read_rows, read_bytes, total_rows_approx, written_rows, written_bytes, toUInt64(elapsed * 1e9)"+
		" FROM system.processes WHERE "+isMarked(mark), "TSV")
	if err != nil {
		return Progress{}, err
	}
	var p Progress
	if _, err := fmt.Sscan(out, &p.ReadRows, &p.ReadBytes, &p.TotalRows, &p.WrittenRows, &p.WrittenBytes, &p.Elapsed); err != nil {
		return Progress{}, fmt.Errorf("look for the statement: %w", err)
	}
	return p, nil
}

// isMarked is the condition that finds a statement by its mark, and not the
// statement that looks for it.
func isMarked(mark string) string {
	return "startsWith(query, '" + mark + "') OR endsWith(query, '" + mark + "')"
}
