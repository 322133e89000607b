// Package engine runs the real ClickHouse engine inside this process: it finds
// or installs libchdb, the engine as a shared library, and calls it without
// cgo.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Request is one statement.
type Request struct {
	SQL string
	// Database to resolve unqualified names in; empty is "default".
	Database string
	// QueryID is the id that the client gave the statement. The engine makes
	// its own query ids; this one becomes the setting log_comment, by which
	// system.processes and KILL QUERY find it, unless Settings has that.
	QueryID string
	// Format of the output when the statement names none; empty is Native.
	Format string
	// Settings of this statement alone.
	Settings map[string]string
	// Params are the values of {name:Type} placeholders.
	Params map[string]string
	// Input is the data of an INSERT without VALUES, in InputFormat; nil when
	// the statement brings its own.
	Input       io.Reader
	InputFormat string
	// Infile says that the statement reads a file that this process has written:
	// only then may it say FROM INFILE.
	Infile bool
	// Watch, if not nil, is told the progress of the statement.
	Watch *Watch
}

// Config of an engine.
type Config struct {
	// DataDir holds the tables; one engine, one process.
	DataDir string
	// Folders are other folders that the engine may use; they must exist.
	Folders []string
	// MaxMemory bounds the engine's memory in bytes; default 2 GiB.
	MaxMemory int64
	// MaxConcurrent statements; further ones wait. Default 16.
	MaxConcurrent int

	unconfined bool // for tests of what holds without Landlock
}

// Engine runs statements. It is safe for concurrent use. libchdb has one
// storage path a process, so at most one Engine may be open.
type Engine struct {
	release func() // ends the confinement; nil without one
	lib     *library
	cfg     Config
	anchor  unsafe.Pointer // keeps the engine up between statements
	slots   chan struct{}
	last    atomic.Uint64 // number of the last statement

	mu     sync.Mutex
	closed bool
	users  sync.WaitGroup
}

// ErrClosed is what statements get after Close.
var ErrClosed = errors.New("the ClickHouse engine is closed")

// Open loads the library at libPath and opens or creates the tables in
// cfg.DataDir.
func Open(libPath string, cfg Config) (*Engine, error) {
	if cfg.MaxMemory == 0 {
		cfg.MaxMemory = 2 << 30
	}
	if cfg.MaxConcurrent == 0 {
		cfg.MaxConcurrent = 16
	}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder of the ClickHouse engine: %w", err)
	}
	lib, err := load(libPath)
	if err != nil {
		return nil, err
	}
	var release func()
	err = errNoJail
	if !cfg.unconfined {
		release, err = lib.confine(append([]string{cfg.DataDir}, cfg.Folders...))
	}
	if err != nil && !errors.Is(err, errNoJail) {
		return nil, fmt.Errorf("keep the ClickHouse engine within %s: %w", cfg.DataDir, err)
	}
	if err := writeRights(cfg.DataDir, release != nil); err != nil {
		if release != nil {
			release()
		}
		return nil, err
	}
	e := &Engine{lib: lib, cfg: cfg, release: release, slots: make(chan struct{}, cfg.MaxConcurrent)}
	e.anchor, err = e.connect()
	if err != nil {
		if release != nil {
			release()
		}
		return nil, fmt.Errorf("open the tables in %s: %w", cfg.DataDir, err)
	}
	return e, nil
}

// Confined says that the kernel keeps the engine within its folders and off the
// network. Without that, its own rights and the fence are all there is.
func (e *Engine) Confined() bool { return e.release != nil }

// connect opens a connection; settings are made on it.
func (e *Engine) connect() (unsafe.Pointer, error) {
	args := []string{"clickhouse", "--path=" + e.cfg.DataDir,
		"--config-file=" + filepath.Join(e.cfg.DataDir, rightsDir, "config.xml"),
		fmt.Sprintf("--max_server_memory_usage=%d", e.cfg.MaxMemory)}
	var pin runtime.Pinner
	defer pin.Unpin()
	handle := e.lib.connect(int32(len(args)), arguments(&pin, args))
	if handle == nil || *(*unsafe.Pointer)(handle) == nil {
		return nil, refused(e.cfg.DataDir)
	}
	return handle, nil
}

// Close waits for running statements and shuts the engine down. The tables
// are durable without it.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	e.mu.Unlock()
	e.users.Wait()
	e.lib.closeConn(e.anchor) // the last one: the engine flushes and stops
	if e.release != nil {
		e.release()
	}
	return nil
}

// begin takes a slot.
func (e *Engine) begin(ctx context.Context) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return ErrClosed
	}
	e.users.Add(1)
	e.mu.Unlock()
	select {
	case e.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		e.users.Done()
		return ctx.Err()
	}
}

func (e *Engine) end() {
	<-e.slots
	e.users.Done()
}

// Query runs one statement. The error, or that of reading the result, is an
// *Exception where ClickHouse raised it. The result must be closed. When ctx
// ends, the statement and the reading of its result end, whatever the engine is
// doing.
func (e *Engine) Query(ctx context.Context, r Request) (*Result, error) {
	r, err := admit(r)
	if err != nil {
		return nil, err
	}
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	conn, err := e.prepare(r)
	if err != nil {
		e.end()
		return nil, err
	}
	res := &Result{engine: e, conn: conn, started: time.Now(), ctx: ctx, killer: e.newKiller(ctx)}
	r.SQL = res.killer.marked(r.SQL)
	if r.Format == "" {
		r.Format = "Native"
	}
	stop := e.follow(ctx, res.killer.mark, r.Watch)
	err = res.start(r)
	stop()
	if err != nil {
		res.release()
		if ctx.Err() != nil { // then it is of no interest how it ended
			return nil, fmt.Errorf("statement canceled: %w", ctx.Err())
		}
		return nil, err
	}
	return res, nil
}

// start runs the statement up to the first portion of the output, which shows
// whether it works at all, so that a server can still answer with a status.
func (r *Result) start(request Request) error {
	e := r.engine
	if request.Input != nil {
		return r.insert(request)
	}
	if !streams(request.SQL, request.Format) {
		return r.whole(e.call(e.lib.queryParams, r.conn, request))
	}
	handle := e.call(e.lib.streamQuery, r.conn, request)
	message := goString(e.lib.errorText(handle))
	if strings.Contains(message, "Streaming query is not supported") {
		// DDL, INSERT, SET …: refused before anything ran.
		e.lib.destroy(handle)
		return r.whole(e.call(e.lib.queryParams, r.conn, request))
	}
	r.handle = handle
	if message != "" {
		return r.killer.exception(message)
	}
	if err := r.fetch(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// idSetting carries a client's query id.
const idSetting = "log_comment"

// prepare opens a connection in the request's database with its settings.
func (e *Engine) prepare(r Request) (unsafe.Pointer, error) {
	conn, err := e.connect()
	if err != nil {
		return nil, err
	}
	var statements []string
	if r.Database != "" && r.Database != "default" {
		statements = append(statements, "USE "+quoteName(r.Database))
	}
	settings := r.Settings
	if _, ok := settings[idSetting]; !ok && r.QueryID != "" {
		settings = map[string]string{idSetting: r.QueryID}
		maps.Copy(settings, r.Settings)
	}
	if len(settings) > 0 {
		var set []string
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			set = append(set, quoteName(name)+" = "+quoteText(settings[name]))
		}
		statements = append(statements, "SET "+strings.Join(set, ", "))
	}
	for _, s := range statements {
		if err := e.run(conn, s); err != nil {
			e.lib.closeConn(conn)
			return nil, err
		}
	}
	return conn, nil
}

// run executes a statement without a result.
func (e *Engine) run(conn unsafe.Pointer, sql string) error {
	_, err := e.ask(conn, sql, "Null")
	return err
}

// ask executes a statement with a small result.
func (e *Engine) ask(conn unsafe.Pointer, sql, format string) (string, error) {
	handle := e.lib.query(*(*unsafe.Pointer)(conn), text(sql), uintptr(len(sql)), text(format), uintptr(len(format)))
	defer e.lib.destroy(handle)
	if message := goString(e.lib.errorText(handle)); message != "" {
		return "", parseException(message)
	}
	n := e.lib.length(handle)
	if n == 0 {
		return "", nil
	}
	return string(unsafe.Slice((*byte)(e.lib.buffer(handle)), n)), nil
}

// paramCall is the shape of the calls that take a statement with parameters.
type paramCall func(conn unsafe.Pointer, query unsafe.Pointer, queryLen uintptr, format unsafe.Pointer, formatLen uintptr,
	names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer

func (e *Engine) call(f paramCall, conn unsafe.Pointer, r Request) unsafe.Pointer {
	var pin runtime.Pinner
	defer pin.Unpin()
	n := len(r.Params)
	names, values := make([]unsafe.Pointer, 0, n+1), make([]unsafe.Pointer, 0, n+1)
	nameLens, valueLens := make([]uintptr, 0, n+1), make([]uintptr, 0, n+1)
	for _, name := range slices.Sorted(maps.Keys(r.Params)) {
		k, v := append([]byte(name), 0), append([]byte(r.Params[name]), 0)
		pin.Pin(&k[0])
		pin.Pin(&v[0])
		names, nameLens = append(names, unsafe.Pointer(&k[0])), append(nameLens, uintptr(len(k)-1))
		values, valueLens = append(values, unsafe.Pointer(&v[0])), append(valueLens, uintptr(len(v)-1))
	}
	// One more element keeps the pointers valid when there are no parameters.
	names, values = append(names, nil), append(values, nil)
	nameLens, valueLens = append(nameLens, 0), append(valueLens, 0)
	pin.Pin(&names[0])
	pin.Pin(&values[0])
	pin.Pin(&nameLens[0])
	pin.Pin(&valueLens[0])
	return f(*(*unsafe.Pointer)(conn), text(r.SQL), uintptr(len(r.SQL)), text(r.Format), uintptr(len(r.Format)),
		unsafe.Pointer(&names[0]), unsafe.Pointer(&nameLens[0]), unsafe.Pointer(&values[0]), unsafe.Pointer(&valueLens[0]), uintptr(n))
}

func quoteName(s string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(s) + "`"
}

func quoteText(s string) string {
	return "'" + strings.NewReplacer("\\", "\\\\", "'", "\\'").Replace(s) + "'"
}
