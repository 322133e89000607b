package report

import (
	"io"
	"strings"
)

// Render writes the balance in one of Formats; csv has a line for each
// equation.
func (b Balance) Render(w io.Writer, format string) error {
	v := view{value: b, table: b.page, columns: []string{"run", "equation", "left", "right", "holds"}}
	for _, e := range b.Equations() {
		v.records = append(v.records, []any{b.Run, e.Name, e.Left, e.Right, e.Holds()})
	}
	return v.render(w, format)
}

func (b Balance) page(p *page) {
	p.line("Balance of run %s (%s)", b.Run, b.State)
	for _, e := range b.Equations() {
		p.item("%s", e)
	}
	for _, r := range b.Recorders {
		r.remarks(p)
	}
	if b.Holds {
		p.line("The balance holds.")
		return
	}
	p.line("The balance DOES NOT HOLD: %s.", strings.Join(b.Broken, "; "))
	if b.State == "running" {
		p.line("The run is still going, or was killed.")
	} else {
		p.line("The run is not valid. Has understudy compare read it to its end?")
	}
}

func (r RecorderBalance) remarks(p *page) {
	if r.Final && r.Pending > 0 {
		p.line("Recorder %s ended with %s pending: what became of them is unknown.", r.Recorder, count(r.Pending))
	}
	if !r.Final {
		p.line("Recorder %s has not said its last word: it runs, or it was killed.", r.Recorder)
	}
	if r.Final && r.Stored < r.Recorded {
		p.line("Recorder %s: %s of %s exchanges are in the table exchanges (not read yet, or expired).", r.Recorder, count(r.Stored), count(r.Recorded))
	}
}

// RenderRuns writes a list of runs in one of Formats.
func RenderRuns(w io.Writer, runs []Run, format string) error {
	v := view{value: runs, columns: []string{"run", "state", "candidate", "speed", "start", "selected", "replayed", "skipped", "achieved_rate"}}
	var rows [][]string
	for _, r := range runs {
		start := r.Start.UTC().Format("2006-01-02T15:04:05Z")
		v.records = append(v.records, []any{r.Name, r.State, r.Candidate, r.Speed, start, r.Selected, r.Replayed, sum(r.Skipped), r.AchievedRate})
		rows = append(rows, []string{r.Name, r.State, start, count(r.Selected), count(r.Replayed), count(sum(r.Skipped))})
	}
	v.table = func(p *page) {
		if len(rows) == 0 {
			p.line("No runs. Replay one with understudy replay.")
			return
		}
		p.table([]column{{"Run", 22, false}, {"State", 9, false}, {"Start", 20, false}, {"Selected", 8, true}, {"Replayed", 8, true}, {"Skipped", 7, true}}, rows)
	}
	return v.render(w, format)
}
