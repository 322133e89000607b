package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unsafe"
)

// Result streams the formatted output of a statement. It is not safe for
// concurrent use and must be closed.
type Result struct {
	engine  *Engine
	conn    unsafe.Pointer
	handle  unsafe.Pointer
	ctx     context.Context
	killer  *killer
	started time.Time

	single  bool // the current portion is all there is
	chunk   unsafe.Pointer
	rest    []byte // of chunk
	err     error
	stats   Statistics
	elapsed time.Duration
}

// Statistics of a statement, complete once the result was read to its end.
type Statistics struct {
	ReadRows, ReadBytes       uint64
	WrittenRows, WrittenBytes uint64
	ResultRows                uint64
	Elapsed                   time.Duration
}

// Read gives the formatted output. Each Native block comes whole within the
// stream.
func (r *Result) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if err := r.fetch(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// whole takes a result that came in one portion.
func (r *Result) whole(chunk unsafe.Pointer) error {
	r.single = true
	if err := r.take(chunk); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// fetch makes the next portion the current one.
func (r *Result) fetch() error {
	if r.err != nil {
		return r.err
	}
	r.dropChunk()
	if err := r.ctx.Err(); err != nil {
		r.err = fmt.Errorf("statement canceled: %w", err)
		return r.err
	}
	if r.single {
		return r.finish(io.EOF)
	}
	return r.take(r.engine.lib.streamFetch(*(*unsafe.Pointer)(r.conn), r.handle))
}

func (r *Result) take(chunk unsafe.Pointer) error {
	if chunk == nil {
		return r.finish(io.EOF)
	}
	lib := r.engine.lib
	r.chunk = chunk
	if message := goString(lib.errorText(chunk)); message != "" {
		return r.finish(r.failure(message))
	}
	r.stats.ResultRows += lib.rowsRead(chunk)
	r.stats.ReadRows = max(r.stats.ReadRows, lib.storageRows(chunk))
	r.stats.ReadBytes = max(r.stats.ReadBytes, lib.storageBytes(chunk))
	r.stats.WrittenRows = max(r.stats.WrittenRows, lib.rowsWritten(chunk))
	r.stats.WrittenBytes = max(r.stats.WrittenBytes, lib.bytesWritten(chunk))
	n := lib.length(chunk)
	if n == 0 {
		return r.finish(io.EOF)
	}
	r.rest = unsafe.Slice((*byte)(lib.buffer(chunk)), n)
	return nil
}

// failure is the error for an error text of the engine: that of the context if
// it has ended.
func (r *Result) failure(message string) error {
	if err := r.ctx.Err(); err != nil {
		return fmt.Errorf("statement canceled: %w", err)
	}
	return r.killer.exception(message)
}

func (r *Result) finish(err error) error {
	r.err = err
	r.elapsed = time.Since(r.started)
	return err
}

func (r *Result) dropChunk() {
	if r.chunk != nil {
		r.engine.lib.destroy(r.chunk)
	}
	r.chunk, r.rest = nil, nil
}

// Statistics are what the statement read and wrote so far.
func (r *Result) Statistics() Statistics {
	s := r.stats
	s.Elapsed = r.elapsed
	if s.Elapsed == 0 {
		s.Elapsed = time.Since(r.started)
	}
	return s
}

// Close ends the statement, finished or not.
func (r *Result) Close() error {
	if r.conn == nil {
		return nil
	}
	r.dropChunk()
	if r.err == nil && r.handle != nil {
		r.engine.lib.streamCancel(*(*unsafe.Pointer)(r.conn), r.handle)
	}
	r.release()
	return nil
}

func (r *Result) release() {
	r.dropChunk()
	if r.handle != nil {
		r.engine.lib.destroy(r.handle)
	}
	r.killer.stop()
	r.engine.lib.closeConn(r.conn)
	r.engine.end()
	r.conn, r.handle = nil, nil
	if r.err == nil {
		r.err = io.ErrClosedPipe
	}
}
