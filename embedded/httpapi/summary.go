package httpapi

import (
	"fmt"
	"net/http"

	"understudy.dev/embedded/engine"
)

// counts is what ClickHouse puts into X-ClickHouse-Progress and -Summary.
func counts(p engine.Progress, resultRows uint64) string {
	return fmt.Sprintf(`{"read_rows":"%d","read_bytes":"%d","written_rows":"%d","written_bytes":"%d","total_rows_to_read":"%d","result_rows":"%d","result_bytes":"0","elapsed_ns":"%d"}`,
		p.ReadRows, p.ReadBytes, p.WrittenRows, p.WrittenBytes, p.TotalRows, resultRows, p.Elapsed.Nanoseconds())
}

// summarise says in the head what the statement has done.
func summarise(h http.Header, s engine.Statistics) {
	text := counts(engine.Progress{
		ReadRows: s.ReadRows, ReadBytes: s.ReadBytes, WrittenRows: s.WrittenRows, WrittenBytes: s.WrittenBytes, Elapsed: s.Elapsed,
	}, s.ResultRows)
	h.Set("X-ClickHouse-Summary", text)
	h.Set("X-ClickHouse-Progress", text)
}
