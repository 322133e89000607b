package text

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"understudy.dev/comparator/gate"
	"understudy.dev/comparator/report"
)

// Migration is what there is to see of a migration at one moment.
type Migration struct {
	Name string
	// Stage is where it is, in words; Step the number of the step that led there, and
	// Since its time.
	Stage string
	Step  uint64
	Since time.Time
	Now   time.Time
	// Own are the routes with a stage of their own.
	Own []OwnStage
	// Gate is what the gate says of the stage; nil if it could not be asked, and then
	// Fault is why.
	Gate  *gate.Result
	Fault string
	// Steps are the last ones, the latest first.
	Steps []MigrationStep
}

// OwnStage is the stage of a route.
type OwnStage struct{ Route, Stage string }

// MigrationStep is one step.
type MigrationStep struct {
	Number                         uint64
	Time                           time.Time
	Action, Route, Stage, Who, Why string
}

// watched is how many routes and steps a screen has room for.
const watched = 6

// Screen is a migration on a terminal of 80 columns, and about 24 lines.
func (m Migration) Screen() string {
	var p page
	p.line("Migration %s: %s for %s, step %d", m.Name, m.Stage, age(m.Now.Sub(m.Since)), m.Step)
	for _, o := range m.Own {
		p.item("%s: %s", o.Route, o.Stage)
	}
	p.line("")
	if r := m.Gate; r != nil {
		p.line("Gate: %s. %s", strings.ToUpper(words(r.Decision)), clip(r.Why(), 4*width))
		p.line("Of %s compared, run %s; the candidate has served %s.", count(int(r.Total.Requests), "request"), cmp.Or(r.Run, "(none)"), report.Count(r.Scope.Served))
		p.line("")
		total := r.Total
		total.Route = "all together"
		together := *r
		together.Routes = append([]gate.Unit{total}, r.Routes...)
		p.routes(together, watched)
	} else {
		p.line("Gate: it cannot be asked, which is a hold: %s", m.Fault)
	}
	p.line("")
	var rows [][]string
	for _, s := range m.Steps[:min(len(m.Steps), watched)] {
		what := s.Action + " " + s.Stage
		if s.Route != "" {
			what += ", " + s.Route
		}
		rows = append(rows, []string{fmt.Sprint(s.Number), s.Time.UTC().Format("01-02 15:04:05"), what, s.Who, clip(s.Why, 60)})
	}
	p.table([]column{{"Step", 4, true}, {"When (UTC)", 14, false}, {"What", 16, false}, {"Who", 14, false}, {"Why", 22, false}}, rows)
	return p.String()
}

// Line is the same for a log: what changes, in one line.
func (m Migration) Line() string {
	text := fmt.Sprintf("%s %s step %d", m.Name, m.Stage, m.Step)
	if r := m.Gate; r != nil {
		text += fmt.Sprintf("; gate %s, %s of run %s, %s by the candidate", words(r.Decision), count(int(r.Total.Requests), "request"), cmp.Or(r.Run, "(none)"), report.Count(r.Scope.Served))
		for _, u := range append([]gate.Unit{r.Total}, r.Routes...) {
			if x := closest(u); u.Decision == gate.RollBack && x.Name != "" {
				text += fmt.Sprintf("; %s: %s %s", cmp.Or(u.Route, "all"), x.Name, within(x))
			}
		}
	} else {
		text += "; gate hold, it cannot be asked: " + m.Fault
	}
	return report.Clean(text)
}

// clip cuts a text that is too long for its place, in runes.
func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// age is a time to the second, in words that stay short.
func age(d time.Duration) string {
	d = max(d, 0).Truncate(time.Second)
	if days := d / (24 * time.Hour); days > 0 {
		return fmt.Sprintf("%dd%s", days, strings.TrimSuffix((d%(24*time.Hour)).Truncate(time.Hour).String(), "0m0s"))
	}
	return d.String()
}
