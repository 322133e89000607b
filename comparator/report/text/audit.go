package text

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"understudy.dev/comparator/audit"
	"understudy.dev/comparator/report"
)

// Audit writes what an audit has found out in one of Formats. A table is for
// people and folds what is beyond a screenful; csv has the scores of kinds and
// routes.
func Audit(w io.Writer, r audit.Result, format string) error {
	v := view{value: r, table: func(p *page) { p.audit(r) }}
	v.columns = []string{"run", "of", "name", "class", "planted", "found", "presumed", "hidden", "by_default", "recall"}
	add := func(of string, s audit.NamedScore) {
		recall := any("")
		if s.Recall != nil {
			recall = *s.Recall
		}
		v.records = append(v.records, []any{r.Run, of, s.Name, string(s.Class), s.Planted, s.Found, s.Presumed, s.Hidden, s.ByDefault, recall})
	}
	add("total", audit.NamedScore{Score: r.Total})
	for _, s := range r.Kinds {
		add("kind", s)
	}
	for _, s := range r.Routes {
		add("route", s)
	}
	return v.render(w, format)
}

// screenful is how many rows of a table are shown before the rest is folded.
const screenful = 12

func (p *page) audit(r audit.Result) {
	t := r.Total
	p.line("Audit of run %s: %s faults planted into copies of %s of its %s replays", r.Run, report.Count(t.Planted), report.Count(r.Audited), report.Count(r.Replays))
	if t.Counted() > 0 {
		p.item("found %s of %s, %s; presumed harmless %s; hidden %s", report.Count(t.Found), report.Count(t.Counted()), percent(t.Found, t.Counted()),
			report.Count(t.Presumed), report.Count(t.Hidden))
	}
	if t.ByDefault > 0 {
		p.item("%s more are in places that default rules cover (understudy rules list)", report.Count(t.ByDefault))
	}
	if n := sum(r.Unplantable); n > 0 {
		p.item("not audited %s, by their verdict: %s", report.Count(n), report.Reasons(r.Unplantable))
	}
	if n := sum(r.Bodies); n > 0 {
		p.item("nothing planted into the bodies of %s: %s", report.Count(n), report.Reasons(r.Bodies))
	}
	p.line("")
	p.scores("Kind of fault", r.Kinds)
	p.scores("Route", r.Routes)
	p.places(r)
}

func sum(m map[string]uint64) (n uint64) {
	for _, v := range m {
		n += v
	}
	return n
}

func (p *page) scores(head string, all []audit.NamedScore) {
	var rows [][]string
	var whole int
	var planted uint64
	for i, s := range all {
		perfect := s.Found == s.Counted()
		if i >= screenful || perfect && len(all) > screenful {
			whole++
			planted += s.Counted()
			continue
		}
		rows = append(rows, []string{s.Name, report.Count(s.Counted()), percent(s.Found, s.Counted()), dash(s.Presumed), dash(s.Hidden), dash(s.ByDefault)})
	}
	if len(rows) > 0 {
		p.table([]column{{head, 34, false}, {"Planted", 8, true}, {"Found", 8, true}, {"Presumed", 8, true}, {"Hidden", 6, true}, {"Default", 7, true}}, rows)
	}
	if whole > 0 {
		p.line("%s", fmt.Sprintf("and %d more with %s faults; the worst is %s found.", whole, report.Count(planted), worstOf(all[len(all)-whole:])))
	}
	p.line("")
}

func worstOf(all []audit.NamedScore) string {
	for _, s := range all {
		if s.Counted() > 0 {
			return percent(s.Found, s.Counted())
		}
	}
	return "-"
}

func dash(n uint64) string {
	if n == 0 {
		return "-"
	}
	return report.Count(n)
}

func (p *page) places(r audit.Result) {
	var rows [][]string
	folded := 0
	defaults := map[string]uint64{}
	for _, place := range r.Places {
		if place.ByDefault() {
			defaults[place.By] += place.Lost
			continue
		}
		if len(rows) == screenful {
			folded++
			continue
		}
		by := place.By + prefixed("\n", place.Source)
		rows = append(rows, []string{place.Route + " " + place.Path, by, report.Count(place.Planted), report.Count(place.Found), strings.Join(some(place.Kinds, 3), ", ")})
	}
	if len(rows) > 0 {
		p.line("Where a fault would not be reported, and why")
		p.table([]column{{"Place", 24, false}, {"By", 18, false}, {"Planted", 7, true}, {"Found", 6, true}, {"Among them", 15, false}}, rows)
		if folded > 0 {
			p.line("and %d more places; -o json has all.", folded)
		}
		p.line("")
	}
	if len(defaults) > 0 {
		var parts []string
		for _, by := range slices.SortedFunc(maps.Keys(defaults), func(a, b string) int {
			if defaults[a] != defaults[b] {
				return int(defaults[b]) - int(defaults[a])
			}
			return strings.Compare(a, b)
		}) {
			parts = append(parts, fmt.Sprintf("%s %s", by, report.Count(defaults[by])))
		}
		p.line("Covered by default rules: %s. compare.default_rules_off switches one off.", strings.Join(parts, ", "))
	}
}

// some are the first of many, with how many more there are.
func some(all []string, n int) []string {
	if len(all) <= n {
		return all
	}
	return append(slices.Clone(all[:n]), fmt.Sprintf("%d more", len(all)-n))
}
