package embedded_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/embedded"
	"understudy.dev/embedded/embeddedtest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("EMBEDDED_TEST_DIR"); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

// child runs a platform until it is killed.
func child(dir string) int {
	cfg := embedded.DefaultConfig()
	cfg.DataDir, cfg.Kafka, cfg.HTTP, cfg.Native = dir, "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	p, err := embedded.New(cfg, slog.New(slog.NewTextHandler(os.Stderr, nil)), nil)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	go func() { <-p.Ready(); fmt.Println(p.At().Kafka, p.At().HTTP, p.At().Native) }()
	if err := p.Run(context.Background()); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func connect(t *testing.T, address string, protocol clickhouse.Protocol) *sql.DB {
	t.Helper()
	db := clickhouse.OpenDB(&clickhouse.Options{Addr: []string{address}, Protocol: protocol})
	t.Cleanup(func() { db.Close() })
	return db
}

func TestNativeClient(t *testing.T) {
	at := embeddedtest.Start(t)
	db := connect(t, at.Native, clickhouse.Native)
	name := strings.ToLower(t.Name())
	for _, q := range []string{
		"CREATE DATABASE " + name,
		"CREATE TABLE " + name + ".t (id UInt64, s LowCardinality(String), at DateTime64(9, 'UTC'), tags Array(String)) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100",
	} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": "a", "async_insert": "0"}))
	at0 := time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC)
	for range 2 {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		stmt, err := tx.PrepareContext(ctx, "INSERT INTO "+name+".t")
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(1000) {
			if _, err := stmt.ExecContext(ctx, 9007199254740993+i, fmt.Sprint("s", i%3), at0.Add(time.Duration(i)), []string{"a", "b"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	var n, first uint64
	var last time.Time
	if err := db.QueryRowContext(t.Context(), "SELECT count(), min(id), max(at) FROM "+name+".t").Scan(&n, &first, &last); err != nil {
		t.Fatal(err)
	}
	if n != 1000 || first != 9007199254740993 || !last.Equal(at0.Add(999)) {
		t.Errorf("got %d rows, first %d, last %s", n, first, last)
	}
	_, err := db.ExecContext(t.Context(), "SELECT * FROM nowhere")
	var e *clickhouse.Exception
	if !errors.As(err, &e) || e.Code != 60 {
		t.Errorf("got %v, want exception 60", err)
	}
}

func TestHTTPInterface(t *testing.T) {
	at := embeddedtest.Start(t)
	f := func(method, query, body string, status int, want string) http.Header {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+at.HTTP+"/"+query, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != status || !strings.HasPrefix(string(got), want) {
			t.Errorf("%s %s %q: got %d %q, want %d %q", method, query, body, resp.StatusCode, got, status, want)
		}
		return resp.Header
	}
	q := func(sql string, more ...string) string {
		v := url.Values{"query": {sql}}
		for i := 0; i < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		return "?" + v.Encode()
	}
	f("GET", "ping", "", 200, "Ok.\n")
	f("GET", q("SELECT 1"), "", 200, "1\n")
	f("POST", "", "SELECT 1 FORMAT JSONEachRow", 200, "{\"1\":1}\n")
	f("POST", q("SELECT {x:UInt8} + getSetting('max_threads')", "param_x", "4", "max_threads", "3"), "", 200, "7\n")
	f("POST", "", "CREATE DATABASE http", 200, "")
	f("POST", "?database=http", "CREATE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY a", 200, "")
	f("POST", q("INSERT INTO t FORMAT CSV", "database", "http"), "1,one\n2,two\n", 200, "")
	f("POST", "?database=http", "INSERT INTO t FORMAT JSONEachRow\n{\"a\":3,\"s\":\"FORMAT; it's\"}\n", 200, "")
	f("POST", "?database=http", "INSERT INTO t (s, a) VALUES ('four', 4), ('five', 5)", 200, "")
	f("POST", "?database=http", "INSERT INTO t SELECT 6, 'six'", 200, "")
	f("POST", "?database=http", "SELECT a, s FROM t ORDER BY a", 200, "1\tone\n2\ttwo\n3\tFORMAT; it\\'s\n4\tfour\n5\tfive\n6\tsix\n")
	f("POST", "?database=http&default_format=CSV", "SELECT count() FROM t", 200, "6\n")
	h := f("POST", "", "SELECT * FROM nowhere", 404, "Code: 60. DB::Exception: ")
	if got := h.Get("X-ClickHouse-Exception-Code"); got != "60" {
		t.Errorf("exception code header %q, want 60", got)
	}
	h = f("POST", "", "SELECT sum(number) FROM numbers(10)", 200, "45\n")
	if !strings.Contains(h.Get("X-ClickHouse-Summary"), `"read_rows":"10"`) {
		t.Errorf("summary %q", h.Get("X-ClickHouse-Summary"))
	}
	f("POST", "", "", 400, "Code: 62. DB::Exception: Empty query")
}

func TestOneProcessPerFolder(t *testing.T) {
	dir := t.TempDir()
	first := startChild(t, dir)
	cmd := exec.Command(first.Path)
	cmd.Env = append(os.Environ(), "EMBEDDED_TEST_DIR="+dir)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "in use by another process") {
		t.Errorf("second process: %v: %s", err, out)
	}
}

func TestPortInUseIsSaid(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	cfg := embedded.DefaultConfig()
	cfg.DataDir, cfg.HTTP = t.TempDir(), ln.Addr().String()
	p, err := embedded.New(cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context()); err == nil || !strings.Contains(err.Error(), ln.Addr().String()+" is in use") {
		t.Errorf("got %v", err)
	}
}

type process struct {
	*exec.Cmd
	kafka, native string
}

func startChild(t *testing.T, dir string) *process {
	t.Helper()
	embeddedtest.Start(t) // skips or fails when there is no engine
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(self)}
	p.Env = append(os.Environ(), "EMBEDDED_TEST_DIR="+dir)
	p.Stderr = os.Stderr
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	var httpAddress string
	if _, err := fmt.Fscan(out, &p.kafka, &httpAddress, &p.native); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestKill9KeepsWhatWasAcknowledged writes to both halves, kills the process
// and finds everything again.
func TestKill9KeepsWhatWasAcknowledged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var want []string
	for life := range 3 {
		p := startChild(t, dir)
		client, err := kgo.NewClient(kgo.SeedBrokers(p.kafka), kgo.DefaultProduceTopic("t"), kgo.ConsumeTopics("t"))
		if err != nil {
			t.Fatal(err)
		}
		db := connect(t, p.native, clickhouse.Native)
		if life == 0 {
			if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, "t"); err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), "CREATE TABLE t (s String) ENGINE = MergeTree ORDER BY s"); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, readTopic(t, client, len(want))); diff != "" {
			t.Errorf("life %d: topic (-want +got):\n%s", life, diff)
		}
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count() FROM t").Scan(&n); err != nil || n != len(want) {
			t.Errorf("life %d: table has %d rows (%v), want %d", life, n, err, len(want))
		}
		for i := range 50 {
			s := fmt.Sprintf("%d-%03d", life, i)
			if err := client.ProduceSync(t.Context(), kgo.StringRecord(s)).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), "INSERT INTO t SELECT ?", s); err != nil {
				t.Fatal(err)
			}
			want = append(want, s)
		}
		_ = p.Process.Kill()
		_ = p.Wait()
		client.Close()
	}
}

// TestKill9WhileProducing kills the process in the middle of many records on
// their way: what was acknowledged is there, and so is a group's offset.
func TestKill9WhileProducing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p := startChild(t, dir)
	client, err := kgo.NewClient(kgo.SeedBrokers(p.kafka), kgo.DefaultProduceTopic("t"), kgo.RecordDeliveryTimeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	admin := kadm.NewClient(client)
	if _, err := admin.CreateTopic(t.Context(), 1, 1, nil, "t"); err != nil {
		t.Fatal(err)
	}
	offsets := kadm.Offsets{}
	offsets.AddOffset("t", 0, 17, -1)
	if err := admin.CommitAllOffsets(t.Context(), "g", offsets); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	acked := map[string]bool{}
	enough := make(chan struct{})
	for i := range 20_000 {
		value := fmt.Sprintf("%06d%s", i, strings.Repeat("x", 1018))
		client.Produce(t.Context(), kgo.StringRecord(value), func(r *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				return // it was on its way when the process was killed
			}
			if acked[string(r.Value[:6])] = true; len(acked) == 2000 {
				close(enough)
			}
		})
	}
	select {
	case <-enough:
	case <-t.Context().Done():
	}
	_ = p.Process.Kill()
	_ = p.Wait()
	client.Close()

	p = startChild(t, dir)
	if client, err = kgo.NewClient(kgo.SeedBrokers(p.kafka), kgo.ConsumeTopics("t")); err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), "t")
	if err != nil {
		t.Fatal(err)
	}
	end, _ := ends.Lookup("t", 0)
	mu.Lock()
	defer mu.Unlock()
	n := len(acked)
	for _, value := range readTopic(t, client, int(end.Offset)) {
		delete(acked, value[:6])
	}
	if len(acked) > 0 {
		t.Errorf("%d of %d acknowledged records are lost", len(acked), n)
	}
	committed, err := kadm.NewClient(client).FetchOffsets(t.Context(), "g")
	if at, ok := committed.Lookup("t", 0); err != nil || !ok || at.At != 17 {
		t.Errorf("the group is at %+v (%v), want 17", at, err)
	}
	t.Logf("killed after %d acknowledged records, found %d", n, end.Offset)
}

func readTopic(t *testing.T, client *kgo.Client, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var got []string
	for len(got) < n && ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	return got
}

// TestDataAreNobodyElses: what was recorded in production is for its owner only.
func TestDataAreNobodyElses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(dir, 0o755); err != nil { // as an earlier version made it
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "EMBEDDED_TEST_DIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	var kafka, web, native string
	if _, err := fmt.Fscan(out, &kafka, &web, &native); err != nil {
		t.Fatalf("no platform: %v", err)
	}
	db := connect(t, native, clickhouse.Native)
	for _, statement := range []string{"CREATE TABLE t (n UInt8) ENGINE = MergeTree ORDER BY n", "INSERT INTO t SELECT 1"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	files := 0
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // the engine removes files of its own meanwhile
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // likewise
		}
		files++
		if d.Type()&os.ModeSymlink == 0 && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return nil
	})
	if err != nil || files < 10 {
		t.Errorf("looked at %d files: %v", files, err)
	}
}
