package watching

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dashboard is what a dashboard must have, of Grafana's schema 39.
type dashboard struct {
	UID, Title    string
	SchemaVersion int
	Templating    struct {
		List []struct {
			Name, Type string
			Query      json.RawMessage
		}
	}
	Panels []panel
}

type panel struct {
	ID          int
	Type, Title string
	Datasource  source
	GridPos     struct{ H, W, X, Y int }
	Targets     []struct {
		RefID        string
		Datasource   source
		Expr, RawSQL string
	}
}

type source struct{ Type, UID string }

// TestDashboards: each panel has a place, targets, and a data source that is a
// variable; and what it asks Prometheus for is there.
func TestDashboards(t *testing.T) {
	files, err := filepath.Glob("../../deployments/grafana/*.json")
	if err != nil || len(files) < 4 {
		t.Fatalf("%v, %v", files, err)
	}
	known, uids := exposed(t), map[string]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(data, &d); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		name := filepath.Base(file)
		if d.UID != "understudy-"+strings.TrimSuffix(name, ".json") || d.Title == "" || d.SchemaVersion != 39 || uids[d.UID] || len(d.Panels) == 0 {
			t.Errorf("%s: uid %q, title %q, schema %d, %d panels", name, d.UID, d.Title, d.SchemaVersion, len(d.Panels))
		}
		uids[d.UID] = true
		sources, variables := map[source]bool{}, map[string]bool{}
		for _, v := range d.Templating.List {
			variables[v.Name] = true
			if v.Type == "datasource" {
				var of string
				if err := json.Unmarshal(v.Query, &of); err != nil {
					t.Errorf("%s: variable %s: %v", name, v.Name, err)
				}
				sources[source{of, "${" + v.Name + "}"}] = true
			}
		}
		cells, ids := map[[2]int]string{}, map[int]bool{}
		for _, p := range d.Panels {
			where := name + ", " + p.Title
			if p.Title == "" || p.Type == "" || len(p.Targets) == 0 || ids[p.ID] || p.ID == 0 || !sources[p.Datasource] {
				t.Errorf("%s: type %q, %d targets, id %d, data source %v", where, p.Type, len(p.Targets), p.ID, p.Datasource)
			}
			ids[p.ID] = true
			g := p.GridPos
			if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
				t.Errorf("%s: place %+v", where, g)
			}
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					if other := cells[[2]int{x, y}]; other != "" && other != p.Title {
						t.Fatalf("%s lies over %s", where, other)
					}
					cells[[2]int{x, y}] = p.Title
				}
			}
			refs := map[string]bool{}
			for _, q := range p.Targets {
				if q.RefID == "" || refs[q.RefID] || q.Datasource != p.Datasource || (q.Expr == "") == (q.RawSQL == "") {
					t.Errorf("%s: target %q, %v", where, q.RefID, q.Datasource)
				}
				refs[q.RefID] = true
				for _, text := range []string{q.Expr, q.RawSQL} {
					checkVariables(t, where, text, variables)
				}
				if q.Expr != "" {
					checkExpr(t, where, strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*").Replace(q.Expr), known)
				}
			}
		}
	}
}

// checkVariables says which variables a query names that there are not.
func checkVariables(t *testing.T, where, text string, known map[string]bool) {
	t.Helper()
	for _, part := range strings.Split(text, "$")[1:] {
		name := strings.TrimPrefix(part, "{")
		if i := strings.IndexFunc(name, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }); i >= 0 {
			name = name[:i]
		}
		if !known[name] && name != "__rate_interval" && name != "__timeFilter" {
			t.Errorf("%s: there is no variable %s", where, name)
		}
	}
}
