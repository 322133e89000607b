package text

import (
	"io"
	"strings"

	"understudy.dev/comparator/report"
)

// Balance writes a balance in one of Formats; csv has a line for each equation.
func Balance(w io.Writer, b report.Balance, format string) error {
	v := view{value: withRemedy(b), table: func(p *page) { p.balance(b) }, columns: []string{"run", "equation", "left", "right", "holds"}}
	for _, e := range b.Equations() {
		v.records = append(v.records, []any{b.Run, e.Name, e.Left, e.Right, e.Holds()})
	}
	return v.render(w, format)
}

// remedied is a balance with what mends it.
type remedied struct {
	report.Balance
	// Remedy and Try are those of the diagnosis unbalanced.
	Remedy string `json:"remedy,omitempty"`
	Try    string `json:"try,omitempty"`
}

func withRemedy(b report.Balance) remedied {
	out := remedied{Balance: b}
	if !b.Trusted() && b.State != "running" {
		out.Remedy, out.Try = b.Remedy()
	}
	return out
}

func (p *page) balance(b report.Balance) {
	p.line("Balance of run %s (%s)", b.Run, b.State)
	for _, e := range append(b.Own(), b.Control.Equations()...) {
		p.item("%s", e)
	}
	if b.Facts.Expired {
		p.line("The run is older than 180 days, after which facts expire: that the tables agree is not asked.")
	}
	p.recorders(b.Recorders)
	p.holds(b)
}

// holds says whether the books balance.
func (p *page) holds(b report.Balance) {
	switch {
	case b.Holds && b.Replayed == 0 && b.State != "running":
		p.line("The balance holds, but nothing was replayed: the run is no evidence.")
	case b.Trusted() && b.Open() > 0:
		p.line("The balance holds as far as it is known: the last word of %d of %d recorders is not there.", b.Open(), len(b.Recorders))
	case b.Trusted():
		p.line("The balance holds.")
	case b.Holds && !b.Control.Holds:
		p.line("The balance of the run holds; that of its control sample DOES NOT.")
		p.remedy(b)
	case b.Holds:
		p.line("The balance of the run holds; that of a recorder DOES NOT.")
		p.remedy(b)
	default:
		p.broken(b)
	}
}

func (p *page) broken(b report.Balance) {
	p.line("The balance DOES NOT HOLD: %s.", strings.Join(b.Broken, "; "))
	switch {
	case strings.HasPrefix(b.Detail, "abandoned"):
		p.line("The run was %s. Replay again under another name for a run that is evidence.", b.Detail)
	case b.State == "running":
		p.line("The run is still going, or was killed; understudy runs close%s %s ends a killed one.", b.Flags, b.Run)
	default:
		p.line("The run is not valid.")
		p.remedy(b)
	}
}

// remedy says what mends the books of a run that has ended.
func (p *page) remedy(b report.Balance) {
	if b.State == "running" {
		return
	}
	remedy, try := b.Remedy()
	if try == "" {
		p.line("%s.", strings.TrimRight(remedy, ":."))
		return
	}
	p.line("%s", remedy)
	p.lines("    " + report.Clean(try))
}

// recorders are their books and what is to be said of them.
func (p *page) recorders(all []report.RecorderBalance) {
	shown, rest := fold(all, maxList)
	for _, r := range shown {
		for _, e := range r.Equations() {
			p.item("%s", e)
		}
	}
	for _, r := range shown {
		p.remarks(r)
	}
	broken := 0
	for _, r := range rest {
		if !r.Holds {
			broken++
		}
	}
	if len(rest) > 0 {
		p.line("Of %d more recorders the books of %d do not hold; -o json has all.", len(rest), broken)
	}
}

func (p *page) remarks(r report.RecorderBalance) {
	if r.Untallied {
		p.line("Recorder %s: there is no tally of it, so that what it served and dropped is unknown; it has begun just now, or was killed before its first.", r.Recorder)
	}
	if r.InRun < r.Recorded {
		p.line("Recorder %s: %s of the %s exchanges that it has recorded by now are in this run.", r.Recorder, report.Count(r.InRun), report.Count(r.Recorded))
	}
	if r.Ended() && r.Pending > 0 {
		p.line("Recorder %s ended with %s pending: what became of them is unknown.", r.Recorder, report.Count(r.Pending))
	}
	if !r.Holds {
		p.line("Recorder %s: its books DO NOT HOLD.", r.Recorder)
	}
	switch {
	case r.Untallied:
	case r.State == "running":
		p.line("Recorder %s has not said its last word: it runs.", r.Recorder)
	case r.State == "unheard":
		p.line("Recorder %s was killed without its last word: what it served since its last tally is unknown. With record.spool.dir its counts outlive it.", r.Recorder)
	case r.State == "killed":
		p.line("Recorder %s was killed; its successor has closed its books: %s exchanges were lost with it, fewer if Kafka had them.", r.Recorder, report.Count(r.Dropped["killed"]))
	}
	if r.Spooled > 0 {
		p.line("Recorder %s: %s exchanges are on its disk and will be recorded when Kafka takes them.", r.Recorder, report.Count(r.Spooled))
	}
	if r.Ended() && r.Stored < r.Recorded {
		p.line("Recorder %s: %s of %s exchanges are in the table exchanges (not read yet, or expired).", r.Recorder, report.Count(r.Stored), report.Count(r.Recorded))
	}
}

// Runs writes a list of runs in one of Formats.
func Runs(w io.Writer, runs []report.Run, format string) error {
	v := view{value: runs, columns: []string{"run", "state", "candidate", "speed", "start", "selected", "replayed", "skipped", "achieved_rate"}}
	var rows [][]string
	for _, r := range runs {
		start := r.Start.UTC().Format("2006-01-02T15:04:05Z")
		v.records = append(v.records, []any{r.Name, r.State, r.Candidate, r.Speed, start, r.Selected, r.Replayed, report.Sum(r.Skipped), r.AchievedRate})
		rows = append(rows, []string{r.Name, r.State, start, report.Count(r.Selected), report.Count(r.Replayed), report.Count(report.Sum(r.Skipped))})
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
