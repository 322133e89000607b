package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	pretty "github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	"understudy.dev/exchange/redact"
	"understudy.dev/replayer"
	"understudy.dev/replayer/kafka"
	"understudy.dev/stream"
)

// dryRunFlags say how a run is shown that does not take place.
type dryRunFlags struct {
	on    bool
	first int
}

func (f *dryRunFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.BoolVar(&f.on, "dry-run", false, "say what would be sent, skipped and changed, and when; send nothing and write nothing")
	fl.IntVar(&f.first, "first", 20, "with --dry-run: how many requests are listed; the others are counted")
}

// dryRun shows a run and does not run it.
func (a *app) dryRun(ctx context.Context, f replayFlags, d dryRunFlags) error {
	r := &a.cfg.Replay
	if a.output != outputText && a.output != text.JSON {
		return usagef("--output %q: want text or json, as nothing is sent", a.output)
	}
	if d.first < 0 {
		return usagef("--first %d is negative", d.first)
	}
	if r.Follow {
		return usagef("--dry-run cannot tell what is yet to be recorded: leave out --follow")
	}
	if r.Run == "" {
		r.Run = "dry-run"
	}
	window, err := a.asked(ctx, f, "replay --dry-run")
	if err != nil {
		return err
	}
	a.ownKey()
	keys, err := a.cfg.Record.Keys()
	if err != nil {
		return usagef("record.key: %w", err)
	}
	r.Redactor = redact.New(a.cfg.Record.Redact, keys.Current(), keys[1:]...)
	producer, err := a.replayProducer(ctx, stream.NewOutage(a.log)) // for its client; nothing is produced
	if err != nil {
		return err
	}
	defer producer.Close()
	if _, err := a.begin(ctx, producer, &window); err != nil {
		return err
	}
	timeline, err := stream.OpenTimeline(ctx, a.cfg.Kafka.Config, window, func(*kgo.Record, error) {})
	if err != nil {
		return dependency(err)
	}
	defer timeline.Close()
	p, err := r.Preview(ctx, kafka.NewSource(timeline), d.first)
	if err != nil {
		return refusal(err)
	}
	if p.Selected == 0 {
		return usagef("%w: %s", replayer.ErrNothing, a.recorded(ctx, f))
	}
	if a.output == text.JSON {
		return json.NewEncoder(a.out).Encode(struct {
			Run       string `json:"run"`
			Candidate string `json:"candidate"`
			*replayer.Preview
		}{r.Run, r.Candidate, p})
	}
	return printPreview(a.out, r.Candidate, p)
}

// Widths of the columns of a preview: a line has 80 at most.
const (
	widthAt      = 9
	widthRequest = 36
	widthWhat    = 24
)

func printPreview(w io.Writer, candidate string, p *replayer.Preview) error {
	fmt.Fprintf(w, "Nothing was sent. Of %s selected, %s would be sent within %s\nto %s\n",
		report.Count(p.Selected), report.Count(p.Sent), short(time.Duration(p.LengthNS).Round(time.Millisecond)), report.Clean(candidate))
	if len(p.First) > 0 {
		fmt.Fprintln(w)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "#\tAT\tREQUEST\tWHAT")
		for _, x := range p.First {
			for i, line := range strings.Split(pretty.WrapSoft(whatOf(x), widthWhat), "\n") {
				line = strings.TrimRight(line, " ")
				if i > 0 {
					fmt.Fprintf(t, "\t\t\t%s\n", line)
					continue
				}
				fmt.Fprintf(t, "%d\t%s\t%s\t%s\n", x.Ordinal, clip("+"+short(time.Duration(x.AtNS).Round(time.Millisecond)), widthAt),
					clip(report.Clean(x.Method+" "+x.Target), widthRequest), line)
			}
		}
		if err := t.Flush(); err != nil {
			return err
		}
		if rest := p.Selected - uint64(len(p.First)); rest > 0 {
			fmt.Fprintf(w, "and %s more\n", report.Count(rest))
		}
	}
	fmt.Fprintln(w)
	count := func(n uint64, what string) {
		if n > 0 {
			fmt.Fprintf(w, "%10s  %s\n", report.Count(n), what)
		}
	}
	count(p.Sent, "would be sent")
	count(p.Awaiting, "  with names that the candidate's answers give")
	count(p.Rewritten, "  changed by rules of replay.rewrite")
	count(p.Redacted, "  with tokens in the place of secrets")
	count(p.Failing, "would not be sent: a rule of replay.rewrite fails on them")
	for _, reason := range slices.Sorted(maps.Keys(p.Skipped)) {
		what := "would be skipped: " + report.Clean(reason)
		if reason == "method_not_safe" {
			what += " (--isolated sends them)"
		}
		count(p.Skipped[reason], what)
	}
	for _, reason := range slices.Sorted(maps.Keys(p.Unselected)) {
		count(p.Unselected[reason], "read and not selected: "+report.Clean(reason))
	}
	count(p.Late, "late: read too late for their place in the order")
	count(p.Spread, "spread: their start was recorded to the second only")
	return nil
}

// whatOf says what would be done with a request.
func whatOf(x replayer.Planned) string {
	var parts []string
	switch {
	case x.Failed != "":
		return "error: " + report.Clean(x.Failed)
	case x.Skipped != "":
		parts = append(parts, "skip "+report.Clean(x.Skipped))
		if x.Detail != "" {
			parts = append(parts, report.Clean(x.Detail))
		}
		return strings.Join(parts, ": ")
	}
	parts = append(parts, "send")
	if x.Awaits != nil {
		parts = append(parts, strings.TrimSpace("after "+list(x.Awaits)))
	}
	if len(x.Rewritten) > 0 {
		parts = append(parts, "changed: "+report.Clean(strings.Join(x.Rewritten, ", ")))
	}
	if len(x.Without) > 0 {
		parts = append(parts, "without "+report.Clean(strings.Join(x.Without, ", ")))
	}
	if x.Redacted {
		parts = append(parts, "with tokens")
	}
	return strings.Join(parts, "; ")
}

func list(ordinals []uint64) string {
	if len(ordinals) == 0 {
		return "an answer"
	}
	var parts []string
	for _, n := range ordinals {
		parts = append(parts, fmt.Sprint("#", n))
	}
	return strings.Join(parts, ", ")
}
