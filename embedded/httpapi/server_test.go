package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"understudy.dev/embedded/blocks"
	"understudy.dev/embedded/httpapi"
)

type response struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

// ask sends a request as curl would; more are headers.
func ask(t *testing.T, method, target string, body io.Reader, more ...string) response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/"+target, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(more); i += 2 {
		req.Header.Set(more[i], more[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req) // which decompresses nothing that we ask for
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return response{resp.StatusCode, resp.Header, string(got), err}
}

func post(t *testing.T, sql string, want string) {
	t.Helper()
	if r := ask(t, "POST", "", strings.NewReader(sql)); r.status != 200 || r.body != want {
		t.Errorf("%s: got %d %q, want %q", sql, r.status, r.body, want)
	}
}

func target(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return "?" + v.Encode()
}

func zipped(s string) *bytes.Buffer {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(s))
	z.Close()
	return &b
}

func framed(t *testing.T, s string) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := blocks.NewFrameWriter(&b, "LZ4")
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return &b
}

func TestCompressedBodies(t *testing.T) {
	post(t, "CREATE OR REPLACE TABLE coded (n UInt64) ENGINE = MergeTree ORDER BY n", "")
	f := func(body io.Reader, pairs []string, headers ...string) {
		t.Helper()
		if r := ask(t, "POST", target(pairs...), body, headers...); r.status != 200 || r.body != "" {
			t.Errorf("%q: got %d %q", headers, r.status, r.body)
		}
	}
	insert := []string{"query", "INSERT INTO coded FORMAT CSV"}
	f(zipped("1\n"), insert, "Content-Encoding", "gzip")
	f(zipped("INSERT INTO coded FORMAT CSV\n2\n"), nil, "Content-Encoding", "gzip")
	f(framed(t, "3\n"), append(insert, "decompress", "1"))
	f(zipped(framed(t, "4\n").String()), append(insert, "decompress", "1"), "Content-Encoding", "gzip")
	f(strings.NewReader("INSERT INTO coded VALUES (5), (6);"), nil)
	f(strings.NewReader("INSERT INTO coded SETTINGS async_insert = 0 VALUES ({n:UInt64})"), []string{"param_n", "7"})
	f(strings.NewReader(""), []string{"query", "INSERT INTO coded SELECT 8"})
	post(t, "SELECT groupArray(n) FROM (SELECT n FROM coded ORDER BY n)", "[1,2,3,4,5,6,7,8]\n")
}

func TestCompressedAnswers(t *testing.T) {
	const want = "4999950000\n"
	sql := "SELECT sum(number) FROM numbers(100000)"
	f := func(pairs []string, accept, encoding string, decode func(io.Reader) (io.Reader, error)) {
		t.Helper()
		r := ask(t, "GET", target(append(pairs, "query", sql)...), nil, "Accept-Encoding", accept)
		if r.status != 200 || r.header.Get("Content-Encoding") != encoding {
			t.Errorf("%s: got %d, %q", accept, r.status, r.header.Get("Content-Encoding"))
		}
		plain, err := decode(strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(plain); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v", accept, got, err)
		}
	}
	same := func(r io.Reader) (io.Reader, error) { return r, nil }
	unframe := func(r io.Reader) (io.Reader, error) { return blocks.Decompress(r), nil }
	unzip := func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	unzstd := func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) }
	allowed := []string{"enable_http_compression", "1"}
	f(nil, "gzip", "", same)
	f(allowed, "gzip", "gzip", unzip)
	f(allowed, "br, gzip;q=0, zstd", "zstd", unzstd)
	f(allowed, "br", "", same)
	f([]string{"compress", "1"}, "", "", unframe)
	f([]string{"compress", "1", "network_compression_method", "ZSTD"}, "", "", unframe)
}

// Grafana asks with its format and settings, and looks at /ping.
func TestGrafana(t *testing.T) {
	if r := ask(t, "GET", "ping", nil); r.body != "Ok.\n" {
		t.Errorf("ping gave %q", r.body)
	}
	sql := "SELECT toStartOfMinute(toDateTime(number, 'UTC')) AS time, count() AS n FROM numbers(120) GROUP BY time ORDER BY time SETTINGS max_threads = 2 FORMAT JSON"
	r := ask(t, "POST", target("default_format", "Native", "max_execution_time", "60"), strings.NewReader(sql), "X-ClickHouse-Database", "default", "X-ClickHouse-User", "any", "X-ClickHouse-Key", "any")
	if r.status != 200 || !strings.Contains(r.body, `"n": 60`) || r.header.Get("Content-Type") != "application/json; charset=UTF-8" {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestHeaders(t *testing.T) {
	r := ask(t, "POST", target("query_id", "mine"), strings.NewReader("SELECT number FROM numbers(10) FORMAT JSONEachRow"))
	f := func(name, want string) {
		t.Helper()
		if got := r.header.Get(name); !strings.Contains(got, want) || got == "" {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	f("X-ClickHouse-Query-Id", "mine")
	f("X-ClickHouse-Format", "JSONEachRow")
	f("X-ClickHouse-Summary", `"read_rows":"10"`)
	f("X-ClickHouse-Summary", `"result_rows":"10"`)
	f("Content-Type", "ndjson")
	f("X-ClickHouse-Timezone", "")
	if r := ask(t, "HEAD", target("query", "SELECT 1"), nil); r.status != 200 || r.body != "" {
		t.Errorf("HEAD: got %d %q", r.status, r.body)
	}
}

// An error after the first rows have gone is told within the data, framed, and
// the response breaks off.
func TestExceptionInTheMiddle(t *testing.T) {
	r := ask(t, "POST", "", strings.NewReader("SELECT throwIf(number = 3000000, 'in the middle') FROM numbers(4000000) SETTINGS max_threads = 1"))
	tag := r.header.Get("X-ClickHouse-Exception-Tag")
	if r.status != 200 || r.err == nil || len(tag) != 16 {
		t.Errorf("got %d, error %v, tag %q", r.status, r.err, tag)
	}
	_, block, _ := strings.Cut(r.body, "\r\n__exception__\r\n"+tag+"\r\nCode: 395. ")
	if !strings.HasSuffix(block, " "+tag+"\r\n__exception__\r\n") {
		t.Errorf("the data end with %q", r.body[max(0, len(r.body)-500):])
	}
}

// With wait_end_of_query an answer is whole or an error with its status.
func TestWaitEndOfQuery(t *testing.T) {
	f := func(sql string, status, size int, suffix string) {
		t.Helper()
		r := ask(t, "POST", target("wait_end_of_query", "1"), strings.NewReader(sql))
		if r.err != nil || r.status != status || len(r.body) < size || !strings.HasSuffix(r.body, suffix) {
			t.Errorf("%s: got %d, %d bytes, %v, ending with %.200q", sql, r.status, len(r.body), r.err, r.body[max(0, len(r.body)-200):])
		}
		if summary := r.header.Get("X-ClickHouse-Summary"); status == 200 && !strings.Contains(summary, `"result_rows":"4000000"`) {
			t.Errorf("%s: summary %s", sql, summary)
		}
	}
	f("SELECT number FROM numbers(4000000) SETTINGS max_threads = 1", 200, 20<<20, "\n3999999\n")
	f("SELECT throwIf(number = 3000000, 'in the middle') FROM numbers(4000000) SETTINGS max_threads = 1", 500, 0, "(FUNCTION_THROW_IF_VALUE_IS_NON_ZERO)\n")
}

func TestHostileInput(t *testing.T) {
	post(t, "CREATE OR REPLACE TABLE hostile (n UInt64) ENGINE = MergeTree ORDER BY n", "")
	f := func(r response, status int, want string) {
		t.Helper()
		if r.status != status || !strings.Contains(r.body, want) {
			t.Errorf("got %d %.300q, want %d %q", r.status, r.body, status, want)
		}
	}
	insert := []string{"query", "INSERT INTO hostile FORMAT CSV", "decompress", "1"}
	good := framed(t, strings.Repeat("1\n", 100)).String()
	f(ask(t, "POST", target(insert...), strings.NewReader("no frame at all, but longer than the header of one")), 400, "compressed frame")
	f(ask(t, "POST", target(insert...), strings.NewReader(good[:len(good)-1])), 400, "compressed frame")
	f(ask(t, "POST", target(insert...), strings.NewReader(good[:25])), 400, "compressed frame")
	f(ask(t, "POST", target(insert...), strings.NewReader(good+"x")), 400, "compressed frame")
	f(ask(t, "POST", target(insert...), strings.NewReader(good[:20]+"\xff"+good[21:])), 400, "compressed frame")
	f(ask(t, "POST", target(insert[:2]...), strings.NewReader("no gzip"), "Content-Encoding", "gzip"), 400, "not gzip")
	f(ask(t, "POST", target(insert[:2]...), bytes.NewReader(zipped("1\n").Bytes()[:15]), "Content-Encoding", "gzip"), 400, "unexpected EOF")
	f(ask(t, "POST", target(insert[:2]...), strings.NewReader("1"), "Content-Encoding", "rot13"), 501, "rot13")
	f(ask(t, "POST", target("query", "SELECT 1", "client_protocol_version", "x"), nil), 400, "client_protocol_version")
	f(ask(t, "POST", "", strings.NewReader("SELECT '"+strings.Repeat("x", 17<<20)+"'")), 413, "QUERY_IS_TOO_LARGE")
	f(ask(t, "POST", "", strings.NewReader("INSERT INTO hostile SELECT '"+strings.Repeat("x", 17<<20)+"'")), 413, "QUERY_IS_TOO_LARGE")
	f(ask(t, "GET", target("query", "SELECT '"+strings.Repeat("x", 2<<20)+"'"), nil), 431, "")
	f(ask(t, "DELETE", target("query", "SELECT 1"), nil), 405, "")
	f(ask(t, "GET", "nowhere", nil), 404, "")
	post(t, "SELECT count() FROM hostile", "0\n")
}

// A client that goes away in the middle of an INSERT leaves no rows.
func TestInsertThatBreaksOff(t *testing.T) {
	post(t, "CREATE OR REPLACE TABLE partial (n UInt64) ENGINE = MergeTree ORDER BY n", "")
	conn, err := net.Dial("tcp", address())
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(conn, "POST /"+target("query", "INSERT INTO partial FORMAT CSV")+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n1\n2\n3\n")
	if err := errors.Join(err, conn.(*net.TCPConn).CloseWrite()); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn) // until the server is done with it
	if err != nil || strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		t.Errorf("got %q, %v", answer, err)
	}
	conn.Close()
	post(t, "SELECT count() FROM partial", "0\n")
}

// A client that goes away ends its statement, even one that gives no rows.
func TestClientGoesAway(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", server.URL, strings.NewReader("SELECT max(number) AS endless FROM system.numbers"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := http.DefaultClient.Do(req); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	for r := ""; r != "0\n"; { // the test's own limit of time bounds this
		r = ask(t, "GET", target("query", "SELECT count() FROM system.processes WHERE query LIKE '%max(number) AS end'||'less%'"), nil).body
	}
}

// A client that stalls in the middle of sending or of taking does not keep the
// place of its statement for ever.
func TestClientStalls(t *testing.T) {
	post(t, "CREATE OR REPLACE TABLE stalled (n UInt64) ENGINE = MergeTree ORDER BY n", "")
	strict := httptest.NewServer(httpapi.New(shared, "", slog.New(slog.DiscardHandler)).StallTimeout(200 * time.Millisecond))
	defer strict.Close()
	send := func(target, rest string) net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", strict.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, "POST /"+target+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: "+rest); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	sending := send(target("query", "INSERT INTO stalled FORMAT CSV"), "1000\r\n\r\n1\n2\n")
	if got, err := io.ReadAll(sending); err != nil || !strings.Contains(string(got), "\r\nConnection: close\r\n") || strings.HasPrefix(string(got), "HTTP/1.1 200") {
		t.Errorf("got %q, %v", got, err)
	}
	post(t, "SELECT count() FROM stalled", "0\n")

	send(target("query", "SELECT number AS untaken FROM system.numbers"), "0\r\n\r\n")
	for seen, running := false, true; running; {
		r := ask(t, "GET", target("query", "SELECT count() FROM system.processes WHERE query LIKE '%AS un'||'taken%'"), nil)
		running = r.body != "0\n" || !seen
		seen = seen || r.body == "1\n"
	}

	// A statement may take longer than a client may stall.
	taking := send(target("query", "SELECT sleep(1)"), "0\r\nConnection: close\r\n\r\n")
	if got, err := io.ReadAll(taking); err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 200") {
		t.Errorf("got %q, %v", got, err)
	}
}
