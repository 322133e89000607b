package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/embedded/engine"
)

// engine is one for all tests: libchdb has one storage path a process.
var clickhouse *engine.Engine

func TestMain(m *testing.M) {
	os.Exit(embeddedtest.WithLibrary(func(library, dir string) int { return run(m, library, dir) }))
}

func run(m *testing.M, path, dir string) int {
	if d := os.Getenv("CHDB_TEST_CHILD"); d != "" {
		return writeAndHang(path, d)
	}
	if d := os.Getenv("CHDB_TEST_READ"); d != "" {
		return readAll(path, d)
	}
	cfg := engine.Config{DataDir: dir}
	if os.Getenv("ENGINE_TEST_UNCONFINED") != "" {
		cfg = engine.Unconfined(cfg)
	}
	var err error
	if clickhouse, err = engine.Open(path, cfg); err != nil {
		fmt.Println(err)
		return 1
	}
	code := m.Run()
	if err := clickhouse.Close(); err != nil {
		fmt.Println(err)
		return 1
	}
	return code
}

func query(t *testing.T, r engine.Request) (string, error) {
	t.Helper()
	if r.Format == "" {
		r.Format = "TSV"
	}
	res, err := clickhouse.Query(t.Context(), r)
	if err != nil {
		return "", err
	}
	defer res.Close()
	out, err := io.ReadAll(res)
	return string(out), err
}

func TestStatisticsOfAnInsert(t *testing.T) {
	if _, err := query(t, engine.Request{SQL: "CREATE TABLE counted (n UInt64) ENGINE = Memory"}); err != nil {
		t.Fatal(err)
	}
	res, err := clickhouse.Query(t.Context(), engine.Request{SQL: "INSERT INTO counted SELECT number FROM numbers(7)"})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Close()
	if _, err := io.Copy(io.Discard, res); err != nil {
		t.Fatal(err)
	}
	if s := res.Statistics(); s.WrittenRows != 7 || s.WrittenBytes != 56 || s.ReadRows != 7 {
		t.Errorf("got %+v", s)
	}
}

func TestQuery(t *testing.T) {
	f := func(r engine.Request, want string) {
		t.Helper()
		got, err := query(t, r)
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", r.SQL, got, err, want)
		}
	}
	db := engine.Request{Database: "q`uote"}
	with := func(sql string) engine.Request { r := db; r.SQL = sql; return r }
	f(engine.Request{SQL: "SELECT 1"}, "1\n")
	f(engine.Request{SQL: "SELECT {a:String} || {b:UInt8}", Params: map[string]string{"a": "x'\\\\y\\t", "b": "7"}}, "x\\'\\\\y\\t7\n")
	f(engine.Request{SQL: "SELECT getSetting('max_threads')", Settings: map[string]string{"max_threads": "3"}}, "3\n")
	f(engine.Request{SQL: "SELECT getSetting('max_threads') = 3"}, "0\n")
	f(engine.Request{SQL: "CREATE DATABASE `q\\`uote`"}, "")
	f(with("CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100"), "")
	f(with("SELECT currentDatabase()"), "q`uote\n")
	f(with("INSERT INTO t VALUES (1, 'x')"), "")
	insert := with("INSERT INTO t (b, a)")
	for range 2 { // the second one is a repetition
		insert.InputFormat, insert.Input = "CSV", strings.NewReader("y,2\nz,3\n")
		insert.Settings = map[string]string{"insert_deduplication_token": "once", "async_insert": "0"}
		f(insert, "")
	}
	f(with("SELECT * FROM t ORDER BY a"), "1\tx\n2\ty\n3\tz\n")
	f(with("SELECT a FROM t ORDER BY a LIMIT 1 FORMAT JSONEachRow"), "{\"a\":1}\n")
	f(engine.Request{SQL: "SELECT 9007199254740993 AS n FORMAT PrettyCompact"},
		"   ┌────────────────n─┐\n1. │ 9007199254740993 │ -- 9.01 quadrillion\n   └──────────────────┘\n")
}

func TestExceptionsCarryTheirCode(t *testing.T) {
	f := func(r engine.Request, code int32, name string) {
		t.Helper()
		_, err := query(t, r)
		var e *engine.Exception
		if !errors.As(err, &e) || e.Code != code || e.Name != name || e.Message == "" || strings.Contains(e.Message, "Code:") {
			t.Errorf("%s: got %#v, want code %d %s", r.SQL, err, code, name)
		}
	}
	f(engine.Request{SQL: "SELECT * FROM nowhere"}, 60, "UNKNOWN_TABLE")
	f(engine.Request{SQL: "SELECT FROM WHERE"}, 62, "SYNTAX_ERROR")
	f(engine.Request{SQL: "SELECT 1", Database: "nowhere"}, 81, "UNKNOWN_DATABASE")
	f(engine.Request{SQL: "SELECT 1", Settings: map[string]string{"nonsense": "1"}}, 115, "UNKNOWN_SETTING")
	f(engine.Request{SQL: "SELECT throwIf(number = 500000, 'here') FROM numbers(1000000)"}, 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO")
	f(engine.Request{SQL: "INSERT INTO nowhere (a)", InputFormat: "CSV", Input: strings.NewReader("1")}, 60, "UNKNOWN_TABLE")
}

func TestStreamsFarMoreThanItHolds(t *testing.T) {
	res, err := clickhouse.Query(t.Context(), engine.Request{SQL: "SELECT number FROM numbers(3000000)", Format: "RowBinary"})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Close()
	n, err := io.Copy(io.Discard, res)
	if err != nil || n != 8*3000000 || res.Statistics().ResultRows != 3000000 {
		t.Errorf("got %d bytes, %v, %+v", n, err, res.Statistics())
	}
}

func TestCancelEndsAnEndlessStatement(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	res, err := clickhouse.Query(ctx, engine.Request{SQL: "SELECT number FROM system.numbers", Format: "TSV"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, res, 1<<20); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, res); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	if err := res.Close(); err != nil {
		t.Error(err)
	}
	if got, err := query(t, engine.Request{SQL: "SELECT 1"}); err != nil || got != "1\n" {
		t.Errorf("after a cancel: %q, %v", got, err)
	}
}

func TestStatementsRunSideBySide(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			got, err := query(t, engine.Request{SQL: "SELECT {i:UInt64} * sum(number) FROM numbers(100001)", Params: map[string]string{"i": fmt.Sprint(i)}})
			if want := fmt.Sprint(i*5000050000) + "\n"; err != nil || got != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		})
	}
	wg.Wait()
}

// writeAndHang is a process that inserts until it is killed; it prints each
// number once the engine has acknowledged it.
func writeAndHang(path, dir string) int {
	e, err := engine.Open(path, engine.Config{DataDir: dir})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	do := func(sql string) {
		res, err := e.Query(context.Background(), engine.Request{SQL: sql})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		res.Close()
	}
	do("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	for i := 0; ; i++ {
		do(fmt.Sprintf("INSERT INTO t SELECT %d", i))
		fmt.Println("wrote", i)
	}
}

func readAll(path, dir string) int {
	e, err := engine.Open(path, engine.Config{DataDir: dir})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer e.Close()
	res, err := e.Query(context.Background(), engine.Request{SQL: "SELECT count(), max(a) FROM t", Format: "TSV"})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer res.Close()
	_, _ = io.Copy(os.Stdout, res)
	return 0
}

func TestAcknowledgedRowsSurviveKill9(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	writer := exec.Command(self)
	writer.Env = append(os.Environ(), "CHDB_TEST_CHILD="+filepath.Join(dir, "data"))
	var out bytes.Buffer
	writer.Stdout = &out
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond)
	if err := writer.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Wait()
	acked := strings.Count(out.String(), "wrote")
	if acked == 0 {
		t.Fatalf("the child wrote nothing: %s", out.String())
	}
	reader := exec.Command(self)
	reader.Env = append(os.Environ(), "CHDB_TEST_READ="+filepath.Join(dir, "data"))
	got, err := reader.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	var count, largest int
	if _, err := fmt.Sscan(string(got), &count, &largest); err != nil || count < acked || count != largest+1 {
		t.Errorf("acknowledged %d rows, found %q (%v)", acked, got, err)
	}
	t.Logf("killed after %d acknowledged rows, found %d", acked, count)
}

// A statement that gives nothing for long ends with its context too, even when
// all places for statements are taken.
func TestCancelEndsAStatementWithoutRows(t *testing.T) {
	f := func(r engine.Request) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		for range 20 { // 16 run, the others wait for a place
			wg.Go(func() {
				res, err := clickhouse.Query(ctx, r)
				if err == nil {
					_, err = io.Copy(io.Discard, res)
					res.Close()
				}
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: got %v, want the end of the context", r.SQL, err)
				}
			})
		}
		wg.Wait()
		if got, err := query(t, engine.Request{SQL: "SELECT count() FROM system.processes"}); err != nil || got != "1\n" {
			t.Errorf("%s: %q statements run after it (%v), want this one", r.SQL, got, err)
		}
	}
	f(engine.Request{SQL: "SELECT max(sleepEachRow(0.01)) FROM numbers(1000000000) SETTINGS max_block_size = 10, function_sleep_max_microseconds_per_block = 0", Format: "TSV"})
	f(engine.Request{SQL: "SELECT max(number) FROM system.numbers FORMAT JSON"})
	f(engine.Request{SQL: "INSERT INTO FUNCTION null('n UInt64') SELECT number FROM system.numbers"})
	f(engine.Request{SQL: "/* INSERT */ SELECT count() FROM system.numbers /* SELECT */", Format: "Native"})
}

func TestQueryIDIsTheLogComment(t *testing.T) {
	f := func(r engine.Request, want string) {
		t.Helper()
		r.SQL = "SELECT getSetting('log_comment'), Settings['log_comment'] FROM system.processes WHERE query LIKE '%getSetting%'"
		if got, err := query(t, r); err != nil || got != want {
			t.Errorf("%+v: got %q, %v, want %q", r, got, err, want)
		}
	}
	f(engine.Request{QueryID: "it's"}, "it\\'s\tit\\'s\n")
	f(engine.Request{QueryID: "a", Settings: map[string]string{"log_comment": "b"}}, "b\tb\n")
}

func TestMessagesDoNotShowTheMark(t *testing.T) {
	for _, sql := range []string{"SELECT FROM WHERE", "SELECT 1 FROM nowhere", "SELECT '", "SELEC 1", "INSERT INTO nowhere SELECT 1"} {
		if _, err := query(t, engine.Request{SQL: sql}); err == nil || strings.Contains(err.Error(), "/* statement") {
			t.Errorf("%s: got %v", sql, err)
		}
	}
}
