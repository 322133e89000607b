package text

import (
	"fmt"
	"io"
	"strings"

	"understudy.dev/comparator"
	"understudy.dev/comparator/explain"
	"understudy.dev/comparator/report"
)

// Explanation writes why a replay has its verdict, as a table or as JSON.
func Explanation(w io.Writer, x explain.Explanation, format string) error {
	return view{value: x, table: func(p *page) { p.explanation(x) }}.render(w, format)
}

func (p *page) explanation(x explain.Explanation) {
	p.line("Run %s, ordinal %d: %s", x.Run, x.Ordinal, string(x.Verdict))
	p.item("%s, exchange %s%s", orNone(x.Route), orNone(x.Exchange), map[bool]string{true: fmt.Sprintf(", attempt %d", x.Attempt)}[x.Attempt > 1])
	for _, f := range x.Findings {
		p.item("%s: %s", f.Verdict, f.Because)
	}
	p.stored(x)
	p.sent(x.Sent)
	p.rewrites(x.Rewrites)
	p.completion(x.Completion)
	p.names(x)
	p.line("")
	if len(x.Places) == 0 {
		p.line("No place differs.")
	}
	for i, d := range x.Places {
		if i > 0 {
			p.line("")
		}
		p.place(d)
	}
	if x.Dropped > 0 {
		p.line("")
		p.line("And %s places more.", report.Count(uint64(x.Dropped)))
	}
}

// stored says which judgement it is, and holds the explanation against what the
// tables have of it.
func (p *page) stored(x explain.Explanation) {
	s := x.Stored
	which := map[bool]string{true: "the current judgement", false: "judgement"}[s.Current]
	p.item("%s %s, of %s", which, s.Judgement, made(s.Since))
	if x.Under != "" {
		p.item("explained under %s", x.Under)
	}
	if x.Agrees {
		p.item("the tables say the same")
		return
	}
	p.item("THE TABLES SAY %s (%s; %d places count, %d are presumed, %d are noise%s)%s",
		s.Verdict, strings.Join(s.Findings, ", "), s.Counting, s.Presumed, s.Harmless, prefixed("; not compared: ", s.Incomplete),
		map[bool]string{true: ": another version has judged it"}[x.Under == ""])
}

func (p *page) sent(s explain.Sent) {
	if s.Sent.IsZero() {
		return
	}
	p.line("")
	p.line("Request")
	held := ""
	if s.HeldNS > 0 {
		held = fmt.Sprintf(", held back %s for an answer that it needs", lag(s.HeldNS))
	}
	p.item("sent %s%s, %s after its time%s", s.Sent.Format("2006-01-02 15:04:05.000 UTC"), prefixed(" to ", s.Authority), lag(s.LagNS), held)
	if s.AckNS > 0 {
		p.item("acknowledged after %s", lag(s.AckNS))
	}
}

// rewrites says what rules changed in the request, a line for each rule.
func (p *page) rewrites(all []explain.Rewrite) {
	if len(all) == 0 {
		return
	}
	p.line("")
	p.line("Changed by replay.rewrite")
	for from := 0; from < len(all); {
		var places []string
		to := from
		for ; to < len(all) && all[to].Rule == all[from].Rule; to++ {
			places = append(places, all[to].Place+prefixed(" ", all[to].Name))
		}
		p.item("rule %d: %s", all[from].Rule, strings.Join(places, ", "))
		from = to
	}
}

func (p *page) completion(c *explain.Completion) {
	if c == nil {
		return
	}
	p.line("")
	p.line("Completion by %s", c.Channel)
	if c.Location != "" {
		p.item("at %s", c.Location)
	}
	if c.Reason != "" {
		p.item("none: %s%s", c.Reason, prefixed(" — ", c.Detail))
	}
	if c.Seen > 0 {
		p.item("after %s with status %d%s, %d seen", lag(c.CompletedNS), c.Status, map[bool]string{true: ", and the operation says that it failed"}[c.Failed], c.Seen)
	}
	if c.Polls > 0 {
		p.item("%d polls; the last \"not yet\" was asked for at %s, \"done\" at %s", c.Polls, orNever(c.PendingNS), orNever(c.AskedNS))
	}
	if c.EarliestNS > 0 {
		p.item("a client that asks without a pause could not have known before %s", lag(c.EarliestNS))
	}
	if c.DeadlineNS > 0 {
		p.item("deadline %s", lag(c.DeadlineNS))
	}
}

func orNever(nano int64) string {
	if nano == 0 {
		return "no time"
	}
	return lag(nano)
}

// names lists the pairs of names; those that are equal on both sides rename
// nothing and are only counted.
func (p *page) names(x explain.Explanation) {
	equal := 0
	var rows [][]string
	for _, n := range x.Names {
		if n.Recorded == n.Candidate && n.BrokenBy == "" {
			equal++
			continue
		}
		uses := "no"
		if n.Uses > 0 {
			uses = fmt.Sprintf("%d×", n.Uses)
		}
		rows = append(rows, []string{orNone(n.Kind), n.Recorded, n.Candidate, source(n, x.Exchange), uses})
	}
	if len(rows) > 0 {
		p.line("")
		p.line("Names")
		p.table([]column{{"Of", 10, false}, {"Baseline", 18, false}, {"Candidate", 18, false}, {"Known from", 16, false}, {"Sent", 5, true}}, rows)
	}
	if equal > 0 || x.NamesDropped > 0 {
		p.item("%d more names are the same on both sides; %d found no room in the record", equal, x.NamesDropped)
	}
}

// source says how a pair is known.
func source(n explain.Name, exchange string) string {
	s := n.Proof + " in "
	if n.LearnedFrom == exchange {
		s += "this exchange"
	} else {
		s += n.LearnedFrom
	}
	return s + prefixed(", contradicted by ", n.BrokenBy)
}

func (p *page) place(d explain.Place) {
	class := "counts"
	switch {
	case d.Class != "" && d.Proof == explain.ByNothing:
		class = d.Class + ", which nothing proves"
	case d.Class != "":
		class = d.Class + ", proven by the " + d.Proof
	}
	p.line("%s (%s): %s", d.Location, d.Kind, class)
	p.item("baseline:  %s", orNothing(d.Baseline))
	p.item("candidate: %s", orNothing(d.Candidate))
	why := d.Why
	if r := d.Rule; r != nil {
		why = why[:len(why)-1] // which repeats the rule
		p.item("rule:      %s%s%s%s", r.Reason, prefixed(" — ", author(r)), prefixed(", until ", r.Expires), prefixed("; ", r.Where))
	}
	for _, w := range why {
		pair := ""
		if n := w.Pair; n != nil {
			pair = fmt.Sprintf(" (%s: %s = %s, %s in %s%s)", orNone(n.Kind), n.Recorded, n.Candidate, n.Proof, n.LearnedFrom, prefixed(", contradicted by ", n.BrokenBy))
		}
		p.item("why:       %s%s", w.Text, pair)
	}
}

// author is who answers for a rule of the user.
func author(r *explain.Rule) string {
	if r.Owner == comparator.OwnRules {
		return ""
	}
	return r.Owner
}

func orNothing(s string) string {
	if s == "" {
		return "(nothing)"
	}
	return s
}
