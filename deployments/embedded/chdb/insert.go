package chdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unsafe"
)

// insert feeds the rows of an INSERT through libchdb's insert stream, portion
// by portion. When the input breaks off, the statement is cancelled, so that
// nothing of an incomplete last block is written.
func (e *Engine) insert(ctx context.Context, conn unsafe.Pointer, r Request, started time.Time) (*Result, error) {
	res := &Result{engine: e, conn: conn, started: started, ctx: ctx}
	stream := e.lib.insertStart(*(*unsafe.Pointer)(conn), text(r.SQL), uintptr(len(r.SQL)),
		text(r.InputFormat), uintptr(len(r.InputFormat)))
	defer e.lib.insertDestroy(stream)
	if message := goString(e.lib.insertError(stream)); message != "" {
		res.release()
		return nil, parseException(message)
	}
	if err := e.feed(ctx, stream, r.Input); err != nil {
		e.lib.insertCancel(stream)
		res.release()
		return nil, err
	}
	done := e.lib.insertDone(stream)
	defer e.lib.destroy(done)
	if message := goString(e.lib.errorText(done)); message != "" {
		res.release()
		return nil, parseException(message)
	}
	res.stats.WrittenRows, res.stats.WrittenBytes = e.lib.rowsWritten(done), e.lib.bytesWritten(done)
	_ = res.finish(io.EOF)
	return res, nil
}

func (e *Engine) feed(ctx context.Context, stream unsafe.Pointer, input io.Reader) error {
	buf := make([]byte, 1<<20)
	for {
		n, err := io.ReadFull(input, buf)
		if ctx.Err() != nil {
			return fmt.Errorf("statement canceled: %w", ctx.Err())
		}
		if n > 0 && e.lib.insertAppend(stream, unsafe.Pointer(&buf[0]), uintptr(n)) != 0 {
			return parseException(goString(e.lib.insertError(stream)))
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("read the rows to insert: %w", err)
		}
	}
}
