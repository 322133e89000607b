package text

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"understudy.dev/comparator/gate"
	"understudy.dev/comparator/report"
)

// The formats of a gate beside table and json.
const (
	Markdown = "markdown"
	JUnit    = "junit"
)

// GateFormats lists those of a gate.
func GateFormats() []string { return []string{Table, JSON, Markdown, JUnit} }

// Gate writes what a gate came to in one of GateFormats. A table is for people and
// folds what is beyond a screenful.
func Gate(w io.Writer, r gate.Result, format string) error {
	switch format {
	case Markdown:
		_, err := io.WriteString(w, gateMarkdown(r))
		return err
	case JUnit:
		return gateJUnit(w, r)
	}
	return view{value: r, table: func(p *page) { p.gate(r) }}.render(w, format)
}

// words are the decisions as people say them.
func words(d gate.Decision) string { return strings.ReplaceAll(string(d), "_", " ") }

// name is what a gate was asked about, subject the same in words.
func name(r gate.Result) string {
	if r.Scope != nil {
		return r.Scope.Migration
	}
	return r.Run
}

func subject(r gate.Result) string {
	if r.Scope == nil {
		return "run " + r.Run
	}
	return fmt.Sprintf("migration %s, %s since step %d, run %s", r.Scope.Migration, r.Scope.Stage, r.Scope.Since, cmp.Or(r.Run, "(none)"))
}

func (p *page) gate(r gate.Result) {
	p.line("Gate of %s: %s", subject(r), strings.ToUpper(words(r.Decision)))
	p.line("")
	p.reasons(r)
	p.line("All routes together, %s requests", report.Count(r.Total.Requests))
	var rows [][]string
	for _, m := range r.Total.Measures {
		rows = append(rows, []string{m.Name, report.Count(m.Hits), dash(m.Unknown), gate.Percent(m.Lower), gate.Percent(m.Upper), gate.Percent(m.Limit), words(m.Decision)})
	}
	p.table([]column{{"Share of", 24, false}, {"Seen", 7, true}, {"Unknown", 7, true}, {"At least", 8, true}, {"At most", 8, true}, {"Limit", 7, true}, {"", 9, false}}, rows)
	p.line("")
	p.routes(r, screenful)
	p.together(r)
	for _, x := range r.Exempt {
		p.line("Exempt: %s, %s requests: %s", x.Route, report.Count(x.Requests), x.Why)
	}
	if r.Scope != nil {
		p.line("The candidate served %s of this stage, which are left out: who is with it does not depend on what it does.", count(int(r.Scope.Served), "request"))
	}
	p.line("The bounds hold however often one looks, all of them at %s.", gate.Percent(1-r.Alpha))
}

// routes lists so many of those that stand most in the way, and how many more
// there are.
func (p *page) routes(r gate.Result, most int) {
	var rows [][]string
	shown, rest := fold(r.Routes, most)
	for _, u := range shown {
		m, what := closest(u), ""
		if m.Name != "" {
			what = m.Name + " " + within(m)
		}
		rows = append(rows, []string{u.Route, report.Count(u.Requests), words(u.Decision), what})
	}
	if len(rows) > 0 {
		p.table([]column{{"Route", 27, false}, {"Requests", 8, true}, {"", 9, false}, {"Nearest to its limit", 28, false}}, rows)
	}
	if len(rest) > 0 {
		p.line("and %s, less in the way; -o json has all.", count(len(rest), "more route"))
	}
}

// within are the bounds of a measure and its limit.
func within(m gate.Measure) string {
	return fmt.Sprintf("%s to %s, limit %s", gate.Percent(m.Lower), gate.Percent(m.Upper), gate.Percent(m.Limit))
}

// reasons lists why the gate does not promote; where it rolls back, because of what.
func (p *page) reasons(r gate.Result) {
	listed, others := r.Reasons, 0
	if r.Decision == gate.RollBack {
		listed = slices.DeleteFunc(slices.Clone(r.Reasons), func(x gate.Reason) bool { return x.Name != gate.Exceeded })
		others = len(r.Reasons) - len(listed)
	}
	shown, rest := fold(listed, screenful)
	for _, x := range shown {
		p.item("%s", reasonText(x))
	}
	if len(rest) > 0 {
		p.item("and %s; -o json has all", count(len(rest), "more reason"))
	}
	if others > 0 {
		p.item("%s against a promotion; -o json has all", count(others, "other reason"))
	}
	if len(listed) > 0 {
		p.line("")
	}
}

func reasonText(x gate.Reason) string {
	if x.Route != "" {
		return fmt.Sprintf("%s, %s: %s", x.Name, x.Route, x.What)
	}
	return x.Name + ": " + x.What
}

// together says how much is judged with all others only.
func (p *page) together(r gate.Result) {
	routes, requests := 0, uint64(0)
	for _, u := range r.Routes {
		if u.Decision == gate.Together {
			routes++
			requests += u.Requests
		}
	}
	if routes > 0 {
		p.line("%s with %s of %s requests have too little traffic to be judged alone: they are judged together with all others.",
			count(routes, "route"), report.Count(requests), report.Count(r.Total.Requests))
	}
}

// closest is the measure that stands most in the way, or is nearest to do so.
func closest(u gate.Unit) gate.Measure {
	order := []gate.Decision{gate.RollBack, gate.Hold, gate.Promote, gate.Together}
	return slices.MinFunc(append(slices.Clone(u.Measures), gate.Measure{}), func(a, b gate.Measure) int {
		rank := func(m gate.Measure) int {
			if m.Name == "" {
				return len(order)
			}
			return slices.Index(order, m.Decision)
		}
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Lower/b.Limit, a.Lower/a.Limit), cmp.Compare(b.Upper/b.Limit, a.Upper/a.Limit))
	})
}

func gateMarkdown(r gate.Result) string {
	var b strings.Builder
	cell := func(s string) string {
		return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ", "`", "'", "*", `\*`, "_", `\_`, "[", `\[`).Replace(report.Clean(s))
	}
	fmt.Fprintf(&b, "## Gate of %s: %s\n\n", cell(subject(r)), words(r.Decision))
	for _, x := range r.Reasons {
		fmt.Fprintf(&b, "- %s\n", cell(reasonText(x)))
	}
	for _, x := range r.Warnings {
		fmt.Fprintf(&b, "- warning: %s\n", cell(x.Path+": "+x.What))
	}
	if len(r.Reasons)+len(r.Warnings) > 0 {
		b.WriteByte('\n')
	}
	b.WriteString("| route | requests | decision | share of | seen | unknown | at least | at most | limit |\n|---|--:|---|---|--:|--:|--:|--:|--:|\n")
	for _, u := range append([]gate.Unit{r.Total}, r.Routes...) {
		for _, m := range u.Measures {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", cell(cmp.Or(u.Route, "all together")), report.Count(u.Requests), words(m.Decision),
				cell(m.Name), report.Count(m.Hits), dash(m.Unknown), gate.Percent(m.Lower), gate.Percent(m.Upper), gate.Percent(m.Limit))
		}
	}
	for _, x := range r.Exempt {
		fmt.Fprintf(&b, "\nExempt: %s, %s requests: %s\n", cell(x.Route), report.Count(x.Requests), cell(x.Why))
	}
	fmt.Fprintf(&b, "\nThe bounds hold however often one looks, all of them at %s.\n", gate.Percent(1-r.Alpha))
	return b.String()
}

type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitFailure `xml:"failure"`
		Skipped *junitFailure `xml:"skipped"`
	}
	junitFailure struct {
		Type    string `xml:"type,attr,omitempty"`
		Message string `xml:"message,attr"`
	}
)

// gateJUnit writes the decision as the first suite, whose cases are the reasons of
// a hold, and a suite for each route, whose cases are its measures.
func gateJUnit(w io.Writer, r gate.Result) error {
	out := junitSuites{Name: "understudy gate " + report.Clean(name(r))}
	add := func(name string, cases []junitCase) {
		s := junitSuite{Name: report.Clean(name), Tests: len(cases), Cases: cases}
		for i, c := range cases {
			cases[i].Class = s.Name
			if c.Failure != nil {
				s.Failures++
			}
			if c.Skipped != nil {
				s.Skipped++
			}
		}
		out.Tests, out.Failures, out.Suites = out.Tests+s.Tests, out.Failures+s.Failures, append(out.Suites, s)
	}
	cases := []junitCase{{Name: "decision"}}
	if r.Decision != gate.Promote {
		cases[0].Failure = &junitFailure{string(r.Decision), words(r.Decision)}
	}
	for _, x := range r.Reasons {
		if !slices.Contains([]string{gate.Exceeded, gate.Close, gate.Unknown}, x.Name) { // which the measures say
			cases = append(cases, junitCase{Name: x.Name, Failure: &junitFailure{x.Name, report.Clean(reasonText(x))}})
		}
	}
	add("gate", cases)
	for _, u := range append([]gate.Unit{r.Total}, r.Routes...) {
		var cases []junitCase
		for _, m := range u.Measures {
			c := junitCase{Name: report.Clean(m.Name)}
			f := &junitFailure{string(m.Decision), fmt.Sprintf("%d of %d requests, %d unknown; the rate is within %s and %s, the limit is %s",
				m.Hits, u.Requests, m.Unknown, gate.Percent(m.Lower), gate.Percent(m.Upper), gate.Percent(m.Limit))}
			switch m.Decision {
			case gate.RollBack, gate.Hold:
				c.Failure = f
			case gate.Together:
				f.Type = ""
				c.Skipped = f
			}
			cases = append(cases, c)
		}
		add(cmp.Or(u.Route, "all together"), cases)
	}
	text, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}
