package text

import (
	"fmt"
	"io"
	"strings"
	"time"

	"understudy.dev/comparator/report"
)

// Report writes a report in one of Formats. A table is for people, and lists at
// most so many routes, the others in one line (0 lists all); csv is the
// scorecard with the latencies.
func Report(w io.Writer, r *report.Report, format string, routes int) error {
	v := view{value: r, table: func(p *page) { p.report(r, routes) }}
	v.columns, v.records = records(r)
	return v.render(w, format)
}

// Verdicts writes in a few lines for people what a run came to.
func Verdicts(w io.Writer, r *report.Report) error {
	p := &page{}
	for _, d := range r.Diagnoses {
		p.line("%s: %s", heads[d.Name], d.What)
	}
	others := ""
	if text := r.Total.Others(); text != "" {
		others = ". Not a match: " + text
	}
	p.line("Run %s: %s of %s selected match%s.", r.Run.Name, report.Percent(r.Total.Match, r.Total.Selected), report.Count(r.Total.Selected), others)
	if r.Run.Ended() && r.Balance.Holds && !r.Balance.Trusted() { // what breaks its own is among the diagnoses
		p.holds(r.Balance)
	}
	_, err := io.WriteString(w, p.String())
	return err
}

func (p *page) report(r *report.Report, routes int) {
	p.diagnoses(r.Diagnoses)
	p.head(r.Run)
	p.judgement(r)
	p.line("")
	p.scorecard(r, routes)
	p.discrepancies(r)
	p.control(r.Control)
	p.doubts(r)
	p.latency(r, routes)
	p.noise(r)
	p.balance(r.Balance)
}

// diagnoses come first. What is to be copied has a line of its own and is not
// wrapped.
func (p *page) diagnoses(all []report.Diagnosis) {
	for _, d := range all {
		p.line("%s: %s", heads[d.Name], d.What)
		p.item("%s", d.Remedy)
		for line := range strings.SplitSeq(d.Try, "\n") {
			if line != "" {
				p.lines("    " + report.Clean(line))
			}
		}
		p.line("")
	}
}

var heads = map[string]string{
	report.NotJudged: "NOT JUDGED", report.NotSelected: "NOTHING SELECTED", report.Unbalanced: "NOT BALANCED",
	report.Unreachable: "NO ANSWER", report.Unauthorized: "NOT AUTHORIZED", report.Pending: "NOT FINISHED?",
	report.Unordered: "OUT OF ORDER", report.NotCompared: "NOT COMPARED", report.NotSafe: "NOT SENT", report.NotApplied: "NOT APPLIED",
}

func (p *page) head(r report.Run) {
	p.line("Run %s: %s%s", r.Name, r.State, prefixed(": ", r.Detail))
	speed := fmt.Sprintf("at %g×", r.Speed)
	if r.Follow {
		speed += ", following"
	}
	p.item("against %s %s, %s for %s", r.Candidate, speed, r.Start.UTC().Format("2006-01-02 15:04:05 UTC"), lasted(r))
	if r.Load != "" {
		p.item("load: %s", r.Load)
	}
	p.item("rate %.1f/s of %.1f/s planned; lag p50 %s, p99 %s, max %s",
		r.AchievedRate, r.PlannedRate, lag(r.LagP50), lag(r.LagP99), lag(r.LagMax))
	p.item("completion mode %s; completed: %s", orNone(r.Completion), orNone(report.Reasons(r.Completed)))
	if r.LocationsRefused > 0 {
		p.item("locations of the candidate refused: %s", report.Count(r.LocationsRefused))
	}
}

// judgement says which one the verdicts are of.
func (p *page) judgement(r *report.Report) {
	j := r.Judgement
	if j == nil {
		return
	}
	others := ""
	if r.Judgements > 1 {
		others = fmt.Sprintf("; understudy judge list %s shows all %d", r.Run.Name, r.Judgements)
	}
	p.item("judgement %s of %s, rules: %s%s", j.Name(), made(j.Time), ruleNames(j.Config), others)
}

func lasted(r report.Run) string {
	if !r.Ended() {
		return "now"
	}
	return r.End.Sub(r.Start).Round(100 * time.Millisecond).String()
}

// lag writes a duration with three digits that mean something.
func lag(nano int64) string {
	d, step := time.Duration(nano), time.Duration(1)
	for d.Abs()/step >= 1000 {
		step *= 10
	}
	return d.Round(step).String()
}

func (p *page) scorecard(r *report.Report, most int) {
	var rows [][]string
	row := func(name string, s report.Score) {
		rows = append(rows, []string{name, report.Count(s.Replays), report.Percent(s.Match, s.Selected), s.Others()})
	}
	shown, rest := fold(r.Routes, most)
	for _, s := range shown {
		row(s.Route, s)
	}
	if len(rest) > 0 {
		row(fmt.Sprintf("and %s more routes", report.Count(uint64(len(rest)))), report.Total(rest))
	}
	row("total", r.Total)
	p.table([]column{{"Route", 34, false}, {"Replays", 9, true}, {"Match", 8, true}, {"Other verdicts", 22, false}}, rows)
	if len(rest) > 0 {
		p.line("The routes with the most that is no match come first; --routes N or --all shows more.")
	}
	p.share(r.Total)
	p.line("")
}

// share says of what the match rate is one, and what was not compared.
func (p *page) share(s report.Score) {
	if s.Selected == 0 {
		return
	}
	of := func(n uint64) string { return report.Percent(n, s.Selected) }
	p.line("Of all %s selected %s match; %s were skipped, %s incomplete, %s only presumed.",
		report.Count(s.Selected), of(s.Match), of(s.Skipped), of(s.Incomplete), of(s.Presumed))
}

// fold parts a list after the first most; 0 keeps it whole, and so does what
// would save no line.
func fold[T any](all []T, most int) (shown, rest []T) {
	if most <= 0 || len(all) <= most+1 {
		return all, nil
	}
	return all[:most], all[most:]
}

func (p *page) discrepancies(r *report.Report) {
	if len(r.Discrepancies) == 0 {
		switch {
		case r.Total.Replays == 0:
			p.line("No replay of this run has been judged.")
		case r.Total.Judged == 0:
			p.line("Nothing of this run was sent.")
		default:
			p.line("No discrepancies.")
		}
		p.line("")
		return
	}
	more := ""
	if uint64(len(r.Discrepancies)) < r.Places {
		more = "; --top N lists more"
	}
	p.line("Discrepancies: %d of %s kinds%s", len(r.Discrepancies), report.Count(r.Places), more)
	var rows [][]string
	for _, d := range r.Discrepancies {
		rows = append(rows, []string{
			report.Count(d.Replays), d.Route + " " + d.Path, d.Kind,
			shorten(report.Clean(d.Baseline), 48), shorten(report.Clean(d.Candidate), 48),
		})
	}
	p.table([]column{{"Replays", 7, true}, {"Where", 24, false}, {"How", 7, false}, {"Baseline", 16, false}, {"Candidate", 16, false}}, rows)
	p.line("")
}

func (p *page) latency(r *report.Report, most int) {
	if len(r.Latency) == 0 {
		return
	}
	p.line("Latency, milliseconds (candidate: from the intended send time)")
	var rows [][]string
	slow, lost := 0, uint64(0)
	shown, rest := fold(r.Latency, most)
	for _, l := range r.Latency {
		lost += l.Lost
		if l.Slow {
			slow++
		}
	}
	for _, l := range shown {
		mark := ""
		if l.Slow {
			mark = "slow"
		}
		rows = append(rows, []string{
			l.Route, millis(l.BaselineP50), millis(l.BaselineP99), millis(l.AckP50), millis(l.AckP99),
			millis(l.CompletionP50), millis(l.CompletionP99), mark,
		})
	}
	p.table([]column{
		{"Route", 24, false}, {"Base\np50", 6, true}, {"\np99", 6, true}, {"Ack\np50", 6, true}, {"\np99", 6, true},
		{"Done\np50", 6, true}, {"\np99", 6, true}, {"", 4, false},
	}, rows)
	if len(rest) > 0 {
		p.line("and %s more routes, whose candidate is less behind.", report.Count(uint64(len(rest))))
	}
	if lost > 0 {
		p.line("never: the quantile lies among the %s that did not complete in time.", report.Count(lost))
	}
	if slow > 0 {
		p.line("%d of %d routes are slow in the tail.", slow, len(r.Latency))
	}
	p.line("")
}

// maxList bounds a list of reasons or classes.
const maxList = 10

// doubts are what keeps replays from matching without a difference that counts.
func (p *page) doubts(r *report.Report) {
	if len(r.Presumed) > 0 {
		places, parts := classes(r.Presumed)
		p.line("Presumed harmless, not proven: %s places (%s); SELECT * FROM presumed shows them.", report.Count(places), parts)
		p.line("")
	}
	p.paired(r.Paired)
	if len(r.Incomplete) > 0 {
		p.line("Not compared:")
		shown, rest := fold(r.Incomplete, maxList)
		for _, why := range shown {
			p.item("%s replays: %s", report.Count(why.Replays), why.Reason)
		}
		if len(rest) > 0 {
			p.item("and %d other reasons; the column incomplete of comparisons has them", len(rest))
		}
		p.line("")
	}
}

func (p *page) noise(r *report.Report) {
	if len(r.Noise) == 0 {
		return
	}
	places, parts := classes(r.Noise)
	p.line("Left out as noise: %s places (%s); SELECT * FROM noise shows them.", report.Count(places), parts)
	p.line("")
}

func classes(all []report.NoiseClass) (places uint64, text string) {
	parts := []string{}
	for _, n := range all {
		places += n.Places
	}
	shown, rest := fold(all, maxList)
	for _, n := range shown {
		parts = append(parts, fmt.Sprintf("%s %s on %s", n.Class, report.Count(n.Places), routes(len(n.Routes))))
	}
	if len(rest) > 0 {
		parts = append(parts, fmt.Sprintf("and %d more classes", len(rest)))
	}
	return places, strings.Join(parts, ", ")
}

// records are the scorecard with the latencies, a row for each route.
func records(r *report.Report) ([]string, [][]any) {
	latency := map[string]report.Latency{}
	for _, l := range r.Latency {
		latency[l.Route] = l
	}
	columns := []string{
		"run", "route", "replays", "judged", "match", "mismatch", "rejected", "lost", "late", "duplicate", "contradictory",
		"out_of_order", "orphan", "error", "skipped", "incomplete", "presumed", "rejected_by_baseline", "rejected_by_candidate",
		"selected", "match_rate", "baseline_p50_ms", "baseline_p99_ms", "ack_p50_ms",
		"ack_p99_ms", "completion_p50_ms", "completion_p99_ms", "lost_completions", "slow",
	}
	var rows [][]any
	for _, s := range r.Routes {
		l := latency[s.Route]
		rows = append(rows, []any{
			r.Run.Name, s.Route, s.Replays, s.Judged, s.Match, s.Mismatch, s.Rejected, s.Lost, s.Late, s.Duplicate, s.Contradictory,
			s.OutOfOrder, s.Orphan, s.Error, s.Skipped, s.Incomplete, s.Presumed, s.RejectedByBaseline, s.RejectedByCandidate,
			s.Selected, s.MatchRate, l.BaselineP50, l.BaselineP99, l.AckP50,
			l.AckP99, l.CompletionP50, l.CompletionP99, l.Lost, l.Slow,
		})
	}
	return columns, rows
}

func routes(n int) string {
	if n == 1 {
		return "1 route"
	}
	return report.Count(uint64(n)) + " routes"
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
