package clickhouse

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestQueriesOfTheDashboards runs every query, of panels and of variables, that the
// dashboards put to ClickHouse.
func TestQueriesOfTheDashboards(t *testing.T) {
	conn := database(t, "dashboards")
	fill(t, conn, 30)
	files, err := filepath.Glob("../../deployments/grafana/*.json")
	if err != nil {
		t.Fatal(err)
	}
	queries := 0
	run := func(file, where, query string) {
		t.Helper()
		queries++
		query = regexp.MustCompile(`\$__timeFilter\((\w+)\)`).ReplaceAllString(query, "$1 >= toDateTime(0) AND $1 <= now()")
		query = regexp.MustCompile(`\$\{(\w+)\}`).ReplaceAllString(query, "$1")
		rows, err := conn.Query(t.Context(), query)
		if err == nil {
			for rows.Next() { // an error may come with the rows
			}
			err = rows.Err()
			rows.Close()
		}
		if err != nil {
			t.Errorf("%s, %s: %v\n%s", filepath.Base(file), where, err, query)
		}
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			Templating struct {
				List []struct {
					Name       string
					Datasource struct{ Type string }
					Query      any
				}
			}
			Panels []struct {
				Title   string
				Targets []struct{ RawSQL string }
			}
		}
		if err := json.Unmarshal(data, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, v := range d.Templating.List {
			if text, ok := v.Query.(string); ok && strings.Contains(v.Datasource.Type, "clickhouse") {
				run(file, v.Name, text)
			}
		}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if q.RawSQL != "" {
					run(file, p.Title, q.RawSQL)
				}
			}
		}
	}
	if queries < 15 {
		t.Errorf("found only %d queries", queries)
	}
}
