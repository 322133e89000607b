package clickhouse

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestQueriesInTheDocs runs every query that docs/tables.md shows, and checks
// that the page names every table and view that there is.
func TestQueriesInTheDocs(t *testing.T) {
	conn := database(t, "docs")
	page, err := os.ReadFile("../../docs/tables.md")
	if err != nil {
		t.Fatal(err)
	}
	queries := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllSubmatch(page, -1)
	if len(queries) < 5 {
		t.Fatalf("found only %d queries", len(queries))
	}
	for _, q := range queries {
		rows, err := conn.Query(t.Context(), string(q[1]))
		if err != nil {
			t.Errorf("%s: %v", q[1], err)
			continue
		}
		for rows.Next() { // an error may come with the rows
		}
		if err := rows.Err(); err != nil {
			t.Errorf("%s: %v", q[1], err)
		}
		rows.Close()
	}
	rows, err := conn.Query(t.Context(), "SELECT name FROM system.tables WHERE database = currentDatabase()")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_mv") && name != "goose_db_version" && !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/tables.md does not name %s", name)
		}
	}
}
