package text

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"understudy.dev/comparator/report"
)

// Judgements writes those of a run in one of Formats.
func Judgements(w io.Writer, run string, js []report.Judgement, format string) error {
	v := view{value: js, columns: []string{"judgement", "current", "judge_version", "time", "made_by", "replays", "match", "rules"}}
	var rows [][]string
	for _, j := range js {
		current := map[bool]string{true: "current"}[j.Current]
		at := made(j.Time)
		rules := ruleNames(j.Config)
		v.records = append(v.records, []any{j.ID, j.Current, j.Version, at, j.MadeBy, j.Replays, j.Match, rules})
		rows = append(rows, []string{j.Name(), current, at, report.Count(j.Replays), report.Count(j.Match), rules})
	}
	v.table = func(p *page) {
		if len(rows) == 0 {
			p.line("Run %s has no judgement. understudy compare judges it.", run)
			return
		}
		p.table([]column{{"Judgement", 16, false}, {"", 7, false}, {"First used", 20, false}, {"Replays", 9, true}, {"Match", 9, true}, {"Rules", 16, false}}, rows)
	}
	return v.render(w, format)
}

// made is when a judgement was first used.
func made(t time.Time) string {
	if t.Unix() <= 0 { // from before there were judgements
		return "unknown"
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// ruleNames sums up the configuration of a judge.
func ruleNames(config string) string {
	var c struct {
		Rules []struct {
			Name string `yaml:"name"`
		} `yaml:"rules"`
		Off []string `yaml:"default_rules_off"`
	}
	if err := yaml.Unmarshal([]byte(config), &c); err != nil || config == "" {
		return "unknown"
	}
	names := []string{}
	for _, r := range c.Rules {
		names = append(names, r.Name)
	}
	for _, name := range c.Off {
		names = append(names, "without "+name)
	}
	if len(names) == 0 {
		return "default"
	}
	return strings.Join(names, ", ")
}

// shown is how many changes of each kind a table lists; the others formats list
// all.
const shown = 20

// JudgementDiff writes what two judgements differ in. CSV has a line for each
// change.
func JudgementDiff(w io.Writer, d report.JudgementDiff, format string) error {
	v := view{value: d, columns: []string{"what", "route", "path", "kind", "noise_class", "old", "new", "count", "example_exchange"}}
	var verdicts, paths [][]string
	for _, t := range d.Transitions {
		v.records = append(v.records, []any{"verdict", t.Route, "", "", "", t.Old, t.New, t.Replays, t.Exchange})
		verdicts = append(verdicts, []string{t.Route, orNone(t.Old) + " → " + orNone(t.New), report.Count(t.Replays), fmt.Sprintf("%d", t.Ordinal)})
	}
	for _, c := range d.Paths {
		v.records = append(v.records, []any{"path", c.Route, c.Path, c.Kind, c.Class, c.Old, c.New, "", ""})
		paths = append(paths, []string{c.Route, c.Path, c.Kind, class(c.Class), change(c)})
	}
	v.table = func(p *page) {
		p.line("Run %s: judgement %s against %s", d.Run, d.Old, d.New)
		if d.OldDropped+d.NewDropped > 0 {
			p.line("Places that were counted but not kept are not compared: %s of %s, %s of %s; a higher compare.max_differences keeps more.",
				report.Count(d.OldDropped), d.Old, report.Count(d.NewDropped), d.New)
		}
		if len(verdicts)+len(paths) == 0 {
			p.line("No difference: %s replays have the same verdict.", report.Count(d.Same))
			return
		}
		p.line("%s replays have the same verdict under both.", report.Count(d.Same))
		if len(verdicts) > 0 {
			p.line("\nVerdicts that changed")
			p.table([]column{{"Route", 24, false}, {"Verdict", 24, false}, {"Replays", 9, true}, {"Example (ordinal)", 17, true}}, verdicts[:min(len(verdicts), shown)])
		}
		if len(paths) > 0 {
			p.line("\nPlaces that changed")
			p.table([]column{{"Route", 20, false}, {"Path", 18, false}, {"Kind", 8, false}, {"Class", 12, false}, {"Places", 14, false}}, paths[:min(len(paths), shown)])
		}
		if len(verdicts) > shown || len(paths) > shown {
			p.line("The first %d of %d and %d changes; -o json lists them all.", shown, len(verdicts), len(paths))
		}
	}
	return v.render(w, format)
}

func class(c string) string {
	if c == "" {
		return "counts"
	}
	return c
}

func change(c report.PathChange) string {
	switch {
	case c.Old == 0:
		return "appeared " + report.Count(c.New)
	case c.New == 0:
		return "vanished " + report.Count(c.Old)
	}
	return report.Count(c.Old) + " → " + report.Count(c.New)
}
