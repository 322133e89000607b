// Package httpapi serves ClickHouse's HTTP interface over an engine in this
// process, so that curl, Grafana and HTTP drivers need not know the
// difference. Source: ClickHouse documentation, "HTTP Interface".
//
// There are no users: whoever reaches the listener may do anything, so it
// belongs on the loopback address.
package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"understudy.dev/deployments/embedded/chdb"
)

// Engine runs statements; *chdb.Engine is one.
type Engine interface {
	Query(ctx context.Context, r chdb.Request) (*chdb.Result, error)
}

// Recoder changes a stream of the Native format from revision 0, which the
// engine speaks, to the revision that a client asked for.
type Recoder func(w io.Writer, r io.Reader, revision uint64) error

// Server is the handler of the interface.
type Server struct {
	engine Engine
	recode Recoder
	log    *slog.Logger
}

// New makes a handler; nothing runs until it is served. recode may be nil,
// then a client that asks for Native at a revision gets revision 0.
func New(engine Engine, recode Recoder, log *slog.Logger) *Server {
	return &Server{engine: engine, recode: recode, log: log}
}

// Serve answers on ln until ctx ends; then it waits for running statements, at
// most five seconds.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if server.Shutdown(grace) != nil {
			_ = server.Close()
		}
	}()
	err := server.Serve(ln)
	if errors.Is(err, http.ErrServerClosed) {
		<-done
		return nil
	}
	return fmt.Errorf("serve ClickHouse's HTTP interface: %w", err)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/ping", r.URL.Path == "/replicas_status":
		_, _ = io.WriteString(w, "Ok.\n")
	case r.URL.Path != "/":
		http.Error(w, "There is no handle "+r.URL.Path+"; use / or /ping.", http.StatusNotFound)
	case r.Method == http.MethodGet && r.URL.RawQuery == "":
		_, _ = io.WriteString(w, "Ok.\n")
	case r.Method == http.MethodGet, r.Method == http.MethodHead, r.Method == http.MethodPost:
		s.statement(w, r)
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", "GET, HEAD, POST, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST, OPTIONS")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	}
}

func (s *Server) statement(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("query_id")
	if id == "" {
		id = uuid.NewString()
	}
	h := w.Header()
	h.Set("X-ClickHouse-Query-Id", id)
	h.Set("X-ClickHouse-Server-Display-Name", "understudy")
	h.Set("X-ClickHouse-Timezone", "UTC")
	q, err := parse(r)
	if err == nil {
		q.request.QueryID = id
		err = s.run(w, r, q)
	}
	if err != nil {
		s.fail(w, err)
	}
}

// run executes and streams; an error means that nothing was sent yet.
func (s *Server) run(w http.ResponseWriter, r *http.Request, q *query) error {
	result, err := s.engine.Query(r.Context(), q.request)
	if err != nil {
		return err
	}
	defer result.Close()
	h := w.Header()
	h.Set("Content-Type", contentType(q.format))
	h.Set("X-ClickHouse-Format", q.format)
	summarise(h, result.Statistics())
	out, finish, err := encoder(w, r, q)
	if err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		return nil
	}
	if s.recode != nil && q.revision > 0 && strings.EqualFold(q.format, "Native") {
		err = s.recode(out, result, q.revision)
	} else {
		_, err = io.Copy(out, result)
	}
	if err == nil {
		err = finish()
	}
	if err != nil {
		// The status is gone; like ClickHouse, say it in the body and break the
		// connection so that nobody takes the part for the whole.
		if r.Context().Err() == nil {
			_, _ = io.WriteString(out, "\n"+err.Error()+"\n")
			_ = finish()
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}

func summarise(h http.Header, s chdb.Statistics) {
	text := fmt.Sprintf(`{"read_rows":"%d","read_bytes":"%d","written_rows":"%d","written_bytes":"%d","total_rows_to_read":"0","result_rows":"%d","result_bytes":"0","elapsed_ns":"%d"}`,
		s.ReadRows, s.ReadBytes, s.WrittenRows, s.WrittenBytes, s.ResultRows, s.Elapsed.Nanoseconds())
	h.Set("X-ClickHouse-Summary", text)
	h.Set("X-ClickHouse-Progress", text)
}

func (s *Server) fail(w http.ResponseWriter, err error) {
	var e *chdb.Exception
	if !errors.As(err, &e) {
		e = &chdb.Exception{Code: 1002, Name: "UNKNOWN_EXCEPTION", Message: err.Error()}
	}
	h := w.Header()
	for _, name := range []string{"Content-Encoding", "X-ClickHouse-Format", "X-ClickHouse-Summary", "X-ClickHouse-Progress"} {
		h.Del(name)
	}
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("X-ClickHouse-Exception-Code", fmt.Sprint(e.Code))
	w.WriteHeader(status(e.Code))
	_, _ = io.WriteString(w, e.Error()+"\n")
}

// status is the HTTP status for an exception's code, as ClickHouse's
// HTTPHandler maps them.
func status(code int32) int {
	switch code {
	case 516, 194: // AUTHENTICATION_FAILED, REQUIRED_PASSWORD
		return http.StatusUnauthorized
	case 497: // ACCESS_DENIED
		return http.StatusForbidden
	case 6, 26, 27, 38, 41, 43, 44, 53, 62, 72, 117, 130, 441, 456: // cannot parse, illegal types, syntax
		return http.StatusBadRequest
	case 46, 47, 50, 56, 60, 63, 73, 81, 115: // unknown function, identifier, type, table, database, setting, …
		return http.StatusNotFound
	case 229: // QUERY_IS_TOO_LARGE
		return http.StatusRequestEntityTooLarge
	case 48: // NOT_IMPLEMENTED
		return http.StatusNotImplemented
	case 202, 209, 210: // TOO_MANY_SIMULTANEOUS_QUERIES, SOCKET_TIMEOUT, NETWORK_ERROR
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

func contentType(format string) string {
	switch f := strings.ToLower(format); {
	case f == "jsoneachrow", f == "jsonlines", f == "ndjson":
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(f, "json"):
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(f, "csv"):
		return "text/csv; charset=UTF-8; header=" + map[bool]string{true: "present", false: "absent"}[strings.Contains(f, "names")]
	case strings.HasPrefix(f, "tsv"), strings.HasPrefix(f, "tabseparated"):
		return "text/tab-separated-values; charset=UTF-8"
	case f == "native", strings.HasPrefix(f, "rowbinary"), f == "parquet", strings.HasPrefix(f, "arrow"):
		return "application/octet-stream"
	}
	return "text/plain; charset=UTF-8"
}

// reserved parameters of the URL are not settings of the statement.
var reserved = map[string]bool{
	"query": true, "query_id": true, "database": true, "default_format": true, "user": true, "password": true,
	"quota_key": true, "session_id": true, "session_timeout": true, "session_check": true, "compress": true,
	"decompress": true, "client_protocol_version": true, "role": true, "stacktrace": true,
	"enable_http_compression": true, "http_zlib_compression_level": true,
	// The answer starts when its first portion is known, so these two change
	// nothing here.
	"wait_end_of_query": true, "buffer_size": true,
	"send_progress_in_http_headers": true, "http_headers_progress_interval_ms": true,
	"http_write_exception_in_output_format": true, "cancel_http_readonly_queries_on_client_close": true,
}

// options picks database, settings and parameters from URL and headers.
func options(values url.Values, h http.Header, r *chdb.Request) {
	r.Database = values.Get("database")
	if r.Database == "" {
		r.Database = h.Get("X-ClickHouse-Database")
	}
	r.Settings, r.Params = map[string]string{}, map[string]string{}
	for name := range values {
		if rest, ok := strings.CutPrefix(name, "param_"); ok {
			r.Params[rest] = values.Get(name)
		} else if !reserved[name] {
			r.Settings[name] = values.Get(name)
		}
	}
}
