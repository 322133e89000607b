package engine_test

import (
	"testing"

	"understudy.dev/embedded/engine"
)

func TestWatch(t *testing.T) {
	var told []engine.Progress
	returned := false
	watch := &engine.Watch{Tell: func(p engine.Progress) {
		if returned {
			t.Error("told after Query had returned")
		}
		told = append(told, p)
	}}
	// 20 blocks of 10 rows, one after the other, for a second in all.
	res, err := clickhouse.Query(t.Context(), engine.Request{
		SQL:    "SELECT max(sleepEachRow(0.005)) FROM numbers(200) SETTINGS max_block_size = 10, max_threads = 1",
		Format: "TSV", Watch: watch,
	})
	returned = true
	if err != nil {
		t.Fatal(err)
	}
	defer res.Close()
	if len(told) < 3 {
		t.Fatalf("told %d times in a second", len(told))
	}
	for i, p := range told[1:] {
		if p.ReadRows < told[i].ReadRows || p.Elapsed <= told[i].Elapsed {
			t.Errorf("%+v came after %+v", p, told[i])
		}
	}
	if last := told[len(told)-1]; last.ReadRows == 0 || last.ReadRows > 200 || last.ReadBytes != 8*last.ReadRows || last.TotalRows != 200 {
		t.Errorf("the last one was %+v", last)
	}
}
