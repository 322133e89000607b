package httpapi_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"understudy.dev/embedded/httpapi"
)

// slow takes a second to give one row.
const slow = "SELECT sum(sleepEachRow(0.01)) AS slow FROM numbers(100) SETTINGS max_block_size = 5, max_threads = 1"

// open sends a statement that wants to know its progress, and returns when the
// first line of it has come.
func open(t *testing.T, address, id, sql string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	q := target("query_id", id, "send_progress_in_http_headers", "1", "http_headers_progress_interval_ms", "50")
	fmt.Fprintf(conn, "POST /%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", q, len(sql), sql)
	in := bufio.NewReader(conn)
	for line := ""; !strings.HasPrefix(line, "X-ClickHouse-Progress: "); {
		if line, err = in.ReadString('\n'); err != nil || line == "\r\n" {
			t.Fatalf("the head ended with %q, %v", line, err)
		}
	}
	return conn, in
}

func running(t *testing.T, id string) string {
	t.Helper()
	return ask(t, "GET", target("query", "SELECT count() FROM system.processes WHERE Settings['log_comment'] = '"+id+"'"), nil).body
}

func TestProgressComesWhileTheStatementRuns(t *testing.T) {
	_, in := open(t, address(), "live", slow)
	if n := running(t, "live"); n != "1\n" {
		t.Errorf("%q statements run when the first progress has come, want 1", n)
	}
	rest, err := http.ReadResponse(bufio.NewReader(io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\n"+
		"Transfer-Encoding: chunked\r\n"), in)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rest.Body.Close()
	body, err := io.ReadAll(rest.Body)
	if err != nil || string(body) != "0\n" {
		t.Errorf("got %q, %v", body, err)
	}
	if n := len(rest.Header.Values("X-ClickHouse-Progress")); n < 3 {
		t.Errorf("%d more lines of progress in a second", n)
	}
	if got := rest.Header.Get("X-ClickHouse-Summary"); !strings.Contains(got, `"read_rows":"100"`) {
		t.Errorf("summary %s", got)
	}
}

// 100 lines are all that Python's http.client takes.
func TestProgressIsBounded(t *testing.T) {
	r := ask(t, "POST", target("send_progress_in_http_headers", "1", "http_headers_progress_interval_ms", "0"),
		strings.NewReader(strings.Replace(slow, "0.01", "0.025", 1)))
	if n := len(r.header.Values("X-ClickHouse-Progress")); n < 40 || n > 60 || r.body != "0\n" {
		t.Errorf("got %d lines of progress, %q", n, r.body)
	}
}

func TestProgressLeavesTheAnswerAsItIs(t *testing.T) {
	f := func(sql string, status int, code, want string, more ...string) {
		t.Helper()
		pairs := append([]string{"send_progress_in_http_headers", "1", "http_headers_progress_interval_ms", "10"}, more...)
		for _, body := range []string{sql, strings.Replace(sql, "number", "number + sleep(0.2)", 1)} { // without and with progress
			r := ask(t, "POST", target(pairs...), strings.NewReader(body), "Accept-Encoding", "gzip")
			if r.header.Get("Content-Encoding") == "gzip" {
				r.body = unzipped(t, r.body)
			}
			if live := body != sql; live && r.status != 200 || !live && r.status != status {
				t.Errorf("%s: status %d", body, r.status)
			}
			if !strings.Contains(r.body, want) || r.header.Get("X-ClickHouse-Exception-Code") != code || len(r.header.Values("Content-Type")) != 1 {
				t.Errorf("%s: got %.200q, %v", body, r.body, r.header)
			}
		}
	}
	f("SELECT max(number) FROM numbers(10)", 200, "", "9\n")
	f("SELECT max(number) FROM numbers(10) FORMAT JSON", 200, "", `"rows": 1`, "enable_http_compression", "1")
	f("SELECT number FROM numbers(100000)", 200, "", "\n99999\n")
	f("SELECT number FROM numbers(10) WHERE number < 0", 200, "", "")
	f("SELECT throwIf(max(number) = 9, 'at the end') FROM numbers(10)", 500, "395", "Code: 395. DB::Exception: at the end")
	f("INSERT INTO FUNCTION null('n UInt64') SELECT number FROM numbers(10)", 200, "", "")
}

func unzipped(t *testing.T, s string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func TestClientGoesAwayAfterProgress(t *testing.T) {
	conn, _ := open(t, address(), "left", "SELECT max(number) FROM system.numbers")
	conn.Close()
	for running(t, "left") != "0\n" { // the test's own limit of time bounds this
	}
}

// The end of the server ends statements whose connection net/http has given
// away.
func TestServeEndsLiveStatements(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- httpapi.New(shared, "", slog.New(slog.DiscardHandler)).Grace(50*time.Millisecond).Serve(ctx, ln)
	}()
	_, in := open(t, ln.Addr().String(), "ended", "SELECT max(number) FROM system.numbers")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := running(t, "ended"); n != "0\n" {
		t.Errorf("%q statements run after the end", n)
	}
	if rest, _ := io.ReadAll(in); strings.HasSuffix(string(rest), "0\r\n\r\n") {
		t.Errorf("the response was completed: %q", rest)
	}
}
