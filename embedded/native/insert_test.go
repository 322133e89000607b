package native

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"understudy.dev/embedded/engine"
)

func TestInsert(t *testing.T) {
	directory := t.TempDir()
	var mu sync.Mutex
	var spooled []byte
	backend := &fakeEngine{answer: func(_ context.Context, r engine.Request) (Result, error) {
		if strings.HasPrefix(r.SQL, "DESCRIBE TABLE db.t") {
			return resultOf(
				stringBlock("n", "UInt64", "", "", "", "", ""),
				stringBlock("m", "UInt64", "MATERIALIZED", "1", "", "", "")), nil
		}
		_, path, _ := strings.Cut(r.SQL, "FROM INFILE '")
		path, _, _ = strings.Cut(path, "'")
		b, err := os.ReadFile(path)
		mu.Lock()
		spooled = b
		mu.Unlock()
		return resultOf(), err
	}}
	if err := os.WriteFile(filepath.Join(directory, "understudy-insert-left.native"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.SpoolDirectory = directory
	address := start(t, backend, cfg)
	for name, method := range allMethods {
		conn := dial(t, address, method)
		ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": "token"}))
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO db.t SETTINGS max_threads = 1")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range uint64(1000) {
			if err := batch.Append(i); err != nil {
				t.Fatal(err)
			}
			if i == 499 {
				if err := batch.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		mu.Lock()
		if want := append(numberBlock(0, 500), numberBlock(500, 500)...); !bytes.Equal(want, spooled) {
			t.Errorf("%s: the engine read %d bytes, want %d", name, len(spooled), len(want))
		}
		mu.Unlock()
	}
	inserts := backend.asked("FROM INFILE")
	if len(inserts) != len(allMethods) || inserts[0].Settings["insert_deduplication_token"] != "token" ||
		!strings.HasPrefix(inserts[0].SQL, "INSERT INTO db.t FROM INFILE") || !strings.HasSuffix(inserts[0].SQL, "SETTINGS max_threads = 1 FORMAT Native") {
		t.Errorf("the engine got %+v", inserts)
	}
	if left, err := os.ReadDir(directory); err != nil || len(left) != 0 {
		t.Errorf("left in the spool: %v, %v", left, err)
	}
}

func TestInsertLimit(t *testing.T) {
	backend := &fakeEngine{answer: func(context.Context, engine.Request) (Result, error) {
		return resultOf(stringBlock("n", "UInt64", "", "", "", "", "")), nil
	}}
	cfg := DefaultConfig()
	cfg.MaxInsertBytes = 1000
	conn := dial(t, start(t, backend, cfg), clickhouse.CompressionNone)
	batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO t")
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(1000) {
		if err := batch.Append(i); err != nil {
			t.Fatal(err)
		}
	}
	var e *clickhouse.Exception
	if err := batch.Send(); !errors.As(err, &e) || e.Code != codeTooManyBytes {
		t.Errorf("got %v, want code %d", err, codeTooManyBytes)
	}
}

// TestInsertStatementQuotesTheFile: the folder's name is the user's.
func TestInsertStatementQuotesTheFile(t *testing.T) {
	got := insertTarget{head: "INSERT INTO t (a)", settings: "SETTINGS x = 1"}.statement(`/it's\here`)
	if want := `INSERT INTO t (a) FROM INFILE '/it\'s\\here' COMPRESSION 'none' SETTINGS x = 1 FORMAT Native`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
