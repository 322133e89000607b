package engine

import (
	"runtime"
	"sync"
	"unsafe"
)

// library is the part of libchdb's C interface (chdb.h, 26.7) that is used.
// The field tags are the symbols.
type library struct {
	setSignalHandlers func(enabled int32)
	connect           func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	closeConn         func(conn unsafe.Pointer)

	streamQuery  paramCall
	queryParams  paramCall
	streamFetch  func(conn, stream unsafe.Pointer) unsafe.Pointer
	streamCancel func(conn, stream unsafe.Pointer)
	query        func(conn unsafe.Pointer, query unsafe.Pointer, queryLen uintptr, format unsafe.Pointer, formatLen uintptr) unsafe.Pointer
	destroy      func(result unsafe.Pointer)

	insertStart   func(conn unsafe.Pointer, query unsafe.Pointer, queryLen uintptr, format unsafe.Pointer, formatLen uintptr) unsafe.Pointer
	insertAppend  func(stream, data unsafe.Pointer, length uintptr) int32
	insertDone    func(stream unsafe.Pointer) unsafe.Pointer
	insertCancel  func(stream unsafe.Pointer)
	insertError   func(stream unsafe.Pointer) unsafe.Pointer
	insertDestroy func(stream unsafe.Pointer)

	buffer       func(result unsafe.Pointer) unsafe.Pointer
	length       func(result unsafe.Pointer) uintptr
	errorText    func(result unsafe.Pointer) unsafe.Pointer
	rowsRead     func(result unsafe.Pointer) uint64
	storageRows  func(result unsafe.Pointer) uint64
	storageBytes func(result unsafe.Pointer) uint64
	rowsWritten  func(result unsafe.Pointer) uint64
	bytesWritten func(result unsafe.Pointer) uint64
}

func (l *library) symbols() map[string]any {
	return map[string]any{
		"chdb_set_signal_handlers_enabled": &l.setSignalHandlers,
		"chdb_connect":                     &l.connect,
		"chdb_close_conn":                  &l.closeConn,
		"chdb_stream_query_with_params_n":  &l.streamQuery,
		"chdb_query_with_params_n":         &l.queryParams,
		"chdb_stream_fetch_result":         &l.streamFetch,
		"chdb_stream_cancel_query":         &l.streamCancel,
		"chdb_query_n":                     &l.query,
		"chdb_destroy_query_result":        &l.destroy,
		"chdb_stream_insert_n":             &l.insertStart,
		"chdb_stream_append":               &l.insertAppend,
		"chdb_stream_done":                 &l.insertDone,
		"chdb_stream_cancel_insert":        &l.insertCancel,
		"chdb_stream_insert_error":         &l.insertError,
		"chdb_destroy_insert_stream":       &l.insertDestroy,
		"chdb_result_buffer":               &l.buffer,
		"chdb_result_length":               &l.length,
		"chdb_result_error":                &l.errorText,
		"chdb_result_rows_read":            &l.rowsRead,
		"chdb_result_storage_rows_read":    &l.storageRows,
		"chdb_result_storage_bytes_read":   &l.storageBytes,
		"chdb_result_rows_written":         &l.rowsWritten,
		"chdb_result_bytes_written":        &l.bytesWritten,
	}
}

var loadMu sync.Mutex

// load opens the shared library. It stays loaded until the process ends: the
// engine's threads and allocator cannot be unloaded.
func load(path string) (*library, error) {
	loadMu.Lock()
	defer loadMu.Unlock()
	l := &library{}
	if err := dlopen(path, l.symbols()); err != nil {
		return nil, err
	}
	// The Go runtime owns the signals; a handler of the engine would take
	// SIGINT and SIGSEGV away from it.
	l.setSignalHandlers(0)
	return l, nil
}

// text points to the bytes of s for the length of a call; keep s alive.
func text(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }

// goString copies a NUL-terminated string of C; "" for NULL.
func goString(p unsafe.Pointer) string {
	if p == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(p, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(p), n))
}

// arguments lays out an argv; the pinner holds it until unpinned.
func arguments(pin *runtime.Pinner, args []string) unsafe.Pointer {
	argv := make([]unsafe.Pointer, len(args)+1)
	for i, a := range args {
		b := append([]byte(a), 0)
		pin.Pin(&b[0])
		argv[i] = unsafe.Pointer(&b[0])
	}
	pin.Pin(&argv[0])
	return unsafe.Pointer(&argv[0])
}
