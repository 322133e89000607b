package native

import (
	"context"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

func TestZZ(t *testing.T) {
	a := realServer(t)
	c := dial(t, a, clickhouse.CompressionLZ4)
	exec(t, c, "CREATE TABLE b (n UInt64, d DateTime('Asia/Tokyo')) ENGINE=MergeTree ORDER BY n")
	lat := func(name string, f func()) {
		f()
		s := time.Now()
		for range 50 {
			f()
		}
		t.Log(name, time.Since(s)/50)
	}
	q := func(s string) func() {
		return func() {
			r, err := c.Query(context.Background(), s)
			if err != nil {
				t.Fatal(err)
			}
			for r.Next() {
			}
			r.Close()
		}
	}
	lat("ping", func() { c.Ping(context.Background()) })
	lat("select 1", q("SELECT 1"))
	lat("select now tz", q("SELECT now('Asia/Tokyo')"))
	lat("describe", q("DESCRIBE TABLE (SELECT 1)"))
	lat("empty", q("SELECT 1 WHERE 0"))
	lat("insert", func() {
		b, err := c.PrepareBatch(context.Background(), "INSERT INTO b")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 1000 {
			b.Append(uint64(i), time.Now())
		}
		if err := b.Send(); err != nil {
			t.Fatal(err)
		}
	})
	s := time.Now()
	b, _ := c.PrepareBatch(context.Background(), "INSERT INTO b")
	for i := range 1000000 {
		b.Append(uint64(i), time.Now())
	}
	if err := b.Send(); err != nil {
		t.Fatal(err)
	}
	t.Log("insert 1M", time.Since(s))
	s = time.Now()
	q("SELECT number, toString(number) FROM numbers(10000000)")()
	t.Log("10M rows", time.Since(s))
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	s = time.Now()
	t.Log(c.Exec(ctx, "SELECT count() FROM numbers(100000000000) WHERE cityHash64(number) = 1"), time.Since(s))
	s = time.Now()
	q("SELECT 1")()
	t.Log("after", time.Since(s))
	time.Sleep(time.Second)
	t.Log("ending")
	s = time.Now()
	t.Cleanup(func() { t.Log("close", time.Since(s)) })
}
