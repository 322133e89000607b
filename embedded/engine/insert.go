package engine

import (
	"errors"
	"fmt"
	"io"
	"unsafe"
)

// insert feeds the rows of an INSERT through libchdb's insert stream, portion
// by portion. When the input breaks off, the statement is cancelled, so that
// nothing of an incomplete last block is written.
func (r *Result) insert(request Request) error {
	lib, sql, format := r.engine.lib, request.SQL, request.InputFormat
	stream := lib.insertStart(*(*unsafe.Pointer)(r.conn), text(sql), uintptr(len(sql)), text(format), uintptr(len(format)))
	defer lib.insertDestroy(stream)
	if message := goString(lib.insertError(stream)); message != "" {
		return r.killer.exception(message)
	}
	if err := r.feed(stream, request.Input); err != nil {
		lib.insertCancel(stream)
		return err
	}
	done := lib.insertDone(stream)
	defer lib.destroy(done)
	if message := goString(lib.errorText(done)); message != "" {
		return r.killer.exception(message)
	}
	r.stats.WrittenRows, r.stats.WrittenBytes = lib.rowsWritten(done), lib.bytesWritten(done)
	_ = r.finish(io.EOF)
	return nil
}

// feed appends the input until io.EOF. Any other end is an error, such as the
// io.ErrUnexpectedEOF of a client that broke off.
func (r *Result) feed(stream unsafe.Pointer, input io.Reader) error {
	lib := r.engine.lib
	buf := make([]byte, 1<<20)
	for {
		n, err := fill(input, buf)
		if r.ctx.Err() != nil {
			return fmt.Errorf("statement canceled: %w", r.ctx.Err())
		}
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return fmt.Errorf("read the rows to insert: %w", err)
		}
		if n > 0 && lib.insertAppend(stream, unsafe.Pointer(&buf[0]), uintptr(n)) != 0 {
			return r.killer.exception(goString(lib.insertError(stream)))
		}
		if last {
			return nil
		}
	}
}

// fill reads until buf is full or the input ends, and returns the error of the
// end: io.ReadFull would hide an input that breaks off.
func fill(input io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = input.Read(buf[n:])
		n += m
	}
	return n, err
}
