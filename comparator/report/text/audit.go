package text

import (
	"cmp"
	"fmt"
	"io"
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
	v.columns = []string{"run", "of", "name", "class", "planted", "found", "presumed", "hidden", "default", "recall"}
	add := func(of string, s audit.NamedScore) {
		recall := any("")
		if s.Recall != nil {
			recall = *s.Recall
		}
		v.records = append(v.records, []any{r.Run, of, s.Name, string(s.Class), s.Planted, s.Found, s.Presumed, s.Hidden, s.Default, recall})
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
		p.item("found %s of %s, %s; presumed harmless %s; hidden %s", report.Count(t.Found), report.Count(t.Counted()), report.Percent(t.Found, t.Counted()),
			report.Count(t.Presumed), report.Count(t.Hidden))
	}
	if t.Default > 0 {
		p.item("%s more are in places that are covered by default, see below", report.Count(t.Default))
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
		rows = append(rows, []string{s.Name, report.Count(s.Counted()), report.Percent(s.Found, s.Counted()), dash(s.Presumed), dash(s.Hidden), dash(s.Default)})
	}
	if len(rows) > 0 {
		p.table([]column{{head, 32, false}, {"Planted", 8, true}, {"Found", 8, true}, {"Presumed", 8, true}, {"Hidden", 6, true}, {"Default", 7, true}}, rows)
	}
	if whole > 0 {
		p.line("and %d more with %s faults, %s.", whole, report.Count(planted), atLeast(all[len(all)-whole:]))
	}
	p.line("")
}

// atLeast says how the worst of some scores fares; they are in order.
func atLeast(all []audit.NamedScore) string {
	if worst := all[0]; worst.Found < worst.Counted() {
		return "of each at least " + report.Percent(worst.Found, worst.Counted()) + " found"
	}
	return "all found"
}

func dash(n uint64) string {
	if n == 0 {
		return "-"
	}
	return report.Count(n)
}

// places says what keeps faults from being found, the worst first, each with
// the places where it does.
func (p *page) places(r audit.Result) {
	covers, defaults := coversOf(r.Places)
	left := screenful
	for i, c := range covers {
		if left <= 0 {
			p.line("and %d more of them; -o json has all.", len(covers)-i)
			break
		}
		shown := c.places[:min(len(c.places), left, screenful/2)]
		left -= len(shown)
		if c.by == audit.Unexplained {
			p.line("%s not found at %s, and nothing says why; please report it:", faults(c.lost), count(len(c.places), "place"))
		} else {
			p.line("%s%s keeps %s from being found, at %s:", c.by, inBrackets(c.source), faults(c.lost), count(len(c.places), "place"))
		}
		var rows [][]string
		for _, place := range shown {
			rows = append(rows, []string{
				place.Route + " " + place.Path, report.Count(place.Lost), report.Count(place.Planted), strings.Join(some(place.Kinds, 1), ", "),
			})
		}
		p.table([]column{{"Place", 34, false}, {"Lost", 7, true}, {"Of", 7, true}, {"Among them", 22, false}}, rows)
		if n := len(c.places) - len(shown); n > 0 {
			p.line("and %d more; -o json has all.", n)
		}
		p.line("")
	}
	if len(defaults) > 0 {
		p.line("Covered by default: %s.", report.Reasons(defaults))
	}
}

// cover is what keeps faults from being found, and where.
type cover struct {
	by, source string
	lost       uint64
	places     []audit.Place
}

func coversOf(places []audit.Place) (covers []cover, defaults map[string]uint64) {
	defaults = map[string]uint64{}
	for _, place := range places {
		if place.Outcome == audit.Default {
			defaults[place.By] += place.Lost
			continue
		}
		i := slices.IndexFunc(covers, func(c cover) bool { return c.by == place.By })
		if i < 0 {
			i = len(covers)
			covers = append(covers, cover{by: place.By, source: place.Source})
		}
		covers[i].lost += place.Lost
		covers[i].places = append(covers[i].places, place)
	}
	slices.SortStableFunc(covers, func(a, b cover) int { return cmp.Compare(b.lost, a.lost) })
	return covers, defaults
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

func faults(n uint64) string {
	if n == 1 {
		return "1 fault"
	}
	return report.Count(n) + " faults"
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return report.Count(uint64(n)) + " " + what
}

// some are the first of many, with how many more there are.
func some(all []string, n int) []string {
	if len(all) <= n {
		return all
	}
	return append(slices.Clone(all[:n]), fmt.Sprintf("%d more", len(all)-n))
}
