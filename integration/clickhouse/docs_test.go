package clickhouse

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func tablesPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/tables.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// TestQueriesInTheDocs runs every query that docs/tables.md shows.
func TestQueriesInTheDocs(t *testing.T) {
	conn := database(t, "docs")
	fill(t, conn, 30)
	queries := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(tablesPage(t), -1)
	if len(queries) < 10 {
		t.Fatalf("found only %d queries", len(queries))
	}
	for _, q := range queries {
		rows, err := conn.Query(t.Context(), q[1])
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
}

// documented reads the sections of docs/tables.md: their columns by table.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	_, page, ok := strings.Cut(tablesPage(t), "\n## Columns\n")
	if !ok {
		t.Fatal("docs/tables.md has no section Columns")
	}
	name, column := regexp.MustCompile("`(\\w+)`"), regexp.MustCompile("(?m)^\\| `(\\w+)` \\| .+ \\|$")
	got := map[string][]string{}
	for _, section := range strings.Split(page, "\n### ")[1:] {
		head, body, _ := strings.Cut(section, "\n")
		for _, table := range name.FindAllStringSubmatch(head, -1) {
			for _, c := range column.FindAllStringSubmatch(body, -1) {
				got[table[1]] = append(got[table[1]], c[1])
			}
		}
	}
	return got
}

// TestColumnsInTheDocs compares docs/tables.md with what the engine has: every
// table and view, every column, in order, and none that is not there.
func TestColumnsInTheDocs(t *testing.T) {
	conn := database(t, "columns")
	rows, err := conn.Query(t.Context(), `SELECT table, name FROM system.columns
WHERE database = currentDatabase() AND table != 'goose_db_version' AND NOT endsWith(table, '_mv') ORDER BY table, position`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	want := map[string][]string{}
	for rows.Next() {
		var table, name string
		if err := rows.Scan(&table, &name); err != nil {
			t.Fatal(err)
		}
		want[table] = append(want[table], name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, documented(t)); diff != "" {
		t.Errorf("docs/tables.md (-engine +page):\n%s", diff)
	}
}
