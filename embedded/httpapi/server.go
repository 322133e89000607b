package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"understudy.dev/embedded/blocks"
	"understudy.dev/embedded/engine"
)

// Engine runs statements; *engine.Engine is one.
type Engine interface {
	Query(ctx context.Context, r engine.Request) (*engine.Result, error)
}

// Server is the handler of the interface.
type Server struct {
	clickhouse   Engine
	log          *slog.Logger
	folder       string
	stallTimeout time.Duration
	hosts        map[string]bool // names in Host that are taken, beside localhost
	grace        time.Duration   // that running statements have when the server ends
}

// New makes a handler; nothing runs until it is served. Answers that are to be
// sent only when they are whole (wait_end_of_query) are held back in files in a
// folder; empty is the system's folder of temporary files.
func New(clickhouse Engine, folder string, log *slog.Logger) *Server {
	return &Server{clickhouse: clickhouse, log: log, folder: folder, stallTimeout: stallTimeout, grace: grace}
}

// AllowHosts accepts names in the Host header in addition to localhost and
// addresses.
func (s *Server) AllowHosts(names ...string) *Server {
	s.hosts = map[string]bool{}
	for _, name := range names {
		s.hosts[strings.ToLower(name)] = true
	}
	return s
}

// grace is how long running statements have once Serve is to end.
const grace = 5 * time.Second

// Serve answers on ln until ctx ends; then running statements have five seconds
// before they are ended too. It returns when none are left.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	requests, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var active sync.WaitGroup // net/http forgets connections that were taken over
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			active.Add(1)
			defer active.Done()
			s.ServeHTTP(w, r)
		}),
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-ctx.Done()
		defer time.AfterFunc(s.grace, end).Stop()
		limit, cancel := context.WithTimeout(requests, s.grace)
		defer cancel()
		if server.Shutdown(limit) != nil {
			_ = server.Close()
		}
		active.Wait()
	}()
	err := server.Serve(ln)
	stop()
	<-done
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve ClickHouse's HTTP interface: %w", err)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s.checkOrigin(r); err != nil {
		fail(w, err)
		return
	}
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
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	live := &live{ResponseWriter: w, ctx: ctx, cancel: cancel, stallTimeout: s.stallTimeout}
	whole := false
	defer func() { live.end(whole) }()
	if err := s.serve(live, r.WithContext(ctx), id); err != nil {
		fail(live, err)
	}
	whole = true
}

// serve reads a request, executes and streams; an error means that nothing was
// sent yet.
func (s *Server) serve(w *live, r *http.Request, id string) error {
	control := http.NewResponseController(w)
	// The request keeps its body: net/http closes the connection when some of
	// it is left, which it must see.
	body, err := decode(r, deadlineBody{r.Body, control, s.stallTimeout})
	if err != nil {
		return err
	}
	defer body.Close()
	r, rest, err := form(r, body)
	if err != nil {
		return err
	}
	q, err := parse(r, rest)
	if err != nil {
		return err
	}
	q.request.QueryID = id
	if q.request.Watch, err = w.watch(r, q.request.Input != nil); err != nil {
		return err
	}
	result, err := s.clickhouse.Query(r.Context(), q.request)
	if err != nil {
		return err
	}
	defer result.Close()
	h, tag := w.Header(), newTag()
	h.Set("Content-Type", contentType(q.format))
	h.Set("X-ClickHouse-Format", q.format)
	h.Set("X-ClickHouse-Exception-Tag", tag)
	out := &answer{w: deadlineWriter{w, control, s.stallTimeout}, before: func() { summarise(h, result.Statistics()) },
		whole: isOn(r.URL.Query().Get("wait_end_of_query")), folder: s.folder}
	defer out.close()
	coded, err := encoder(out, h, r)
	if err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		out.before()
		return nil
	}
	if err = s.copy(coded, result, r, q); err == nil {
		err = errors.Join(coded.Close(), out.release())
	}
	if err != nil && out.drop() {
		return err
	}
	if err != nil {
		interrupt(w, r, coded, exceptionBlock(tag, engine.ExceptionOf(err).Error()))
	}
	return nil
}

// interrupt breaks off a response whose status has been sent: like ClickHouse
// it says why in the body and breaks the connection, so that nobody takes the
// part for the whole.
func interrupt(w http.ResponseWriter, r *http.Request, out coder, why string) {
	if r.Context().Err() == nil {
		// Errors mean that the client has left.
		_, _ = io.WriteString(out, why)
		_ = out.Flush()
		_ = http.NewResponseController(w).Flush()
	}
	panic(http.ErrAbortHandler)
}

// copy streams the result, in the revision of Native that was asked for.
func (s *Server) copy(w io.Writer, result io.Reader, r *http.Request, q *query) error {
	if q.revision == 0 || !strings.EqualFold(q.format, "Native") {
		_, err := io.Copy(w, result)
		return err
	}
	return blocks.Recode(w, result, q.revision, func() []string { return s.columnTypes(r.Context(), q.request) })
}

// describePatience is how long a result waits for the types of its columns.
// The engine runs a bounded number of statements at once, this one among them.
const describePatience = 2 * time.Second

var lastFormat = regexp.MustCompile(`(?i)(\sFORMAT\s+[A-Za-z0-9_]+)?[\s;]*$`)

// columnTypes asks for the full types of the columns of a SELECT; nil for
// another statement, or without an answer: the values are right either way.
func (s *Server) columnTypes(ctx context.Context, of engine.Request) []string {
	ctx, cancel := context.WithTimeout(ctx, describePatience)
	defer cancel()
	of.SQL = "DESCRIBE TABLE (" + lastFormat.ReplaceAllString(of.SQL, "") + "\n)"
	of.QueryID, of.Format = "", "JSONCompactEachRow"
	result, err := s.clickhouse.Query(ctx, of)
	if err != nil {
		return nil
	}
	defer result.Close()
	var types []string
	for rows := json.NewDecoder(result); ; {
		var row []string
		if err := rows.Decode(&row); err != nil || len(row) < 2 {
			return types
		}
		types = append(types, row[1])
	}
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
	"wait_end_of_query": true, "buffer_size": true,
	"send_progress_in_http_headers": true, "http_headers_progress_interval_ms": true,
	"http_write_exception_in_output_format": true, "cancel_http_readonly_queries_on_client_close": true,
}

// options picks database, settings and parameters from URL and headers.
func options(values url.Values, h http.Header, r *engine.Request) {
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

// isOn reads a parameter that is true or false.
func isOn(value string) bool { return value == "1" || value == "true" }
