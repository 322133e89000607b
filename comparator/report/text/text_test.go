package text

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/comparator/audit"
	"understudy.dev/comparator/report"
)

var update = flag.Bool("update", false, "write testdata anew")

// example has one of everything, and a payload that attacks the terminal.
func example() *report.Report {
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	routes := []report.Score{
		{Route: "POST /orders", Replays: 12_357, Match: 12_000, Mismatch: 250, Lost: 25, Late: 20, Rejected: 10, RejectedByCandidate: 10,
			Incomplete: 10, Presumed: 30, Judged: 12_345, Selected: 12_357, MatchRate: 12_000. / 12_357, Skipped: 12},
		{Route: "GET /customers/{id}/orders/{id}/positions", Replays: 10, Match: 10, Judged: 10, Selected: 10, MatchRate: 1},
		{Route: "(orphan)", Replays: 2, Orphan: 2},
	}
	r := &report.Report{
		Run: report.Run{
			Name: "lunch", State: "completed", Candidate: "http://127.0.0.1:9", Speed: 5, Completion: "auto", Start: start, End: start.Add(90 * time.Second),
			Selected: 12_367, Replayed: 12_355, Skipped: map[string]uint64{"unsafe": 10, "truncated": 2}, Completed: map[string]uint64{"poll": 12_000, "callback": 3},
			PlannedRate: 137.3, AchievedRate: 137.2, LagP50: 90, LagP99: 1_100_000, LagMax: 75_711_234,
		},
		Judgement:  &report.Judgement{ID: "5e5f0c1d6e9a1b4c", Current: true, Version: 1, Time: start.Add(2 * time.Minute), MadeBy: "host, process 7", Replays: 12_369, Match: 12_010, Config: "rules: [{name: cents}]"},
		Judgements: 2,
		Routes:     routes, Total: report.Total(routes), Places: 17,
		Discrepancies: []report.Discrepancy{
			{Route: "POST /orders", Path: "$.total", Kind: "value", Places: 300, Replays: 300, Baseline: "9007199254740993", Candidate: "9007199254740992", Exchange: "e1"},
			{Route: "POST /orders", Path: "$.note", Kind: "value", Places: 1, Replays: 1, Baseline: "plain", Candidate: "\x1b[2J\u009b31m\u202egone\xff", Exchange: "e2"},
		},
		Latency: []report.Latency{
			{Route: "POST /orders", Replays: 12_345, BaselineP50: 4.2, BaselineP99: 31, AckP50: 1.1, AckP99: 3.9, CompletionP50: 48, CompletionP99: report.Never, Asynchronous: 12_000, Lost: 250, Slow: true},
			{Route: "GET /customers/{id}/orders/{id}/positions", Replays: 10, BaselineP50: 2, BaselineP99: 2.5, AckP50: 1.5, AckP99: 2.2},
		},
		Noise: []report.NoiseClass{
			{Class: "identifier", Places: 24_000, Replays: 12_000, Paths: 3, Routes: []string{"GET /customers/{id}/orders/{id}/positions", "POST /orders"}},
			{Class: "timestamp", Places: 300, Replays: 300, Paths: 1, Routes: []string{"POST /orders"}},
		},
		Presumed:   []report.NoiseClass{{Class: "presumed:random", Places: 30, Replays: 30, Paths: 1, Routes: []string{"POST /orders"}}},
		Paired:     []report.Pairing{{Route: "POST /orders", Path: "$.customer_id", Places: 30, Pairs: 12, Repeats: 18}},
		Incomplete: []report.Reason{{Reason: "a log has no headers", Replays: 10}},
		Control: report.Control{Replays: 1_200, Explained: 31, Judged: 1_100, Mismatches: 12, Lower: .0041, Upper: .0248, Places: []report.VolatilePlace{
			{Route: "POST /orders", Path: "$.delivery.estimate_days", Controlled: 1_200, Control: 900, Candidate: 1_000, Both: 840, LogE: 20, Different: true,
				Coins: []report.Coin{{Statistic: "number", Heads: 700, Tails: 420, LogE: 20.7}, {Statistic: "differs", Heads: 60, Tails: 55, LogE: -1}}},
			{Route: "POST /orders", Path: "$.carrier", Controlled: 1_200, Control: 600, Candidate: 500, Both: 310, LogE: 8.5, Different: true,
				Coins: []report.Coin{{Statistic: "share", Word: "\x1b[2Jexpress", Heads: 380, Tails: 210, LogE: 9}}},
			{Route: "POST /orders", Path: "$.hint", Controlled: 1_200, Control: 600, Candidate: 610, Both: 300, LogE: -1, Excess: .07, Alike: true, Coins: []report.Coin{{Statistic: "presence", Heads: 300, Tails: 310, LogE: -1}}},
			{Route: "GET /customers/{id}/orders/{id}/positions", Path: "$.hint", Controlled: 20, Control: 8, Candidate: 7, Both: 3, LogE: -1, Excess: 1, Coins: []report.Coin{}},
		}},
		Balance: report.Balance{
			Run: "lunch", State: "completed", Selected: 12_367, Replayed: 12_355, Skipped: 12, SkippedBy: map[string]uint64{"unsafe": 10, "truncated": 2},
			Orphans: 2, Written: 12_369, Judged: 12_355, JudgedSkipped: 12, JudgedOrphans: 2,
			Recorders: []report.RecorderBalance{{Recorder: "web-1", Served: 13_000, Recorded: 12_990, Dropped: map[string]uint64{"full": 10}, Stored: 12_990, InRun: 12_367, Final: true, State: "ended", Start: time.Unix(1, 0), Records: 12_990, Highest: 13_000, Holds: true}},
			Control:   report.ControlBalance{Sampled: 1_240, Answered: 1_200, Unanswered: map[string]uint64{"connect": 30, "method_not_safe": 10}, Judged: 1_200, Holds: true},
			Facts:     report.FactBalance{Comparisons: 12_369, ByMinute: 12_369, InTotals: 12_369, Places: 24_631, Differences: 24_631, DifferencesByMinute: 24_631, DifferencesInTotals: 24_631, Judgement: "5e5f0c1d6e9a1b4c"},
			Holds:     true, Broken: []string{},
		},
	}
	return r
}

// exampleAudit has more kinds, routes, covers and places than are shown.
func exampleAudit() audit.Result {
	recall := func(s audit.Score) audit.Score {
		r := float64(s.Found) / float64(s.Counted())
		s.Recall = &r
		return s
	}
	r := audit.Result{
		Run: "lunch", Seed: 1, Replays: 12_367, Sampled: 2000, Audited: 1900, Total: recall(audit.Score{Planted: 70_000, Found: 66_000, Presumed: 900, Hidden: 2100, Default: 1000}),
		Unplantable: map[string]uint64{"mismatch": 90, "orphan": 10}, Bodies: map[string]uint64{"a body that was cut": 3},
	}
	for i := range uint64(16) {
		r.Kinds = append(r.Kinds, audit.NamedScore{Name: fmt.Sprint("time of another precision ", i), Class: audit.Values, Score: recall(audit.Score{Planted: 1000, Found: min(60*i, 900), Hidden: 900 - min(60*i, 900), Default: 100})})
		r.Routes = append(r.Routes, audit.NamedScore{Name: fmt.Sprint("GET /customers/{id}/orders/{id}/positions/", i), Score: recall(audit.Score{Planted: 9000, Found: min(8000+100*i, 9000), Presumed: 1000 - min(100*i, 1000)})})
		r.Places = append(r.Places, audit.Place{Route: "GET /customers/{id}/orders/{id}", Path: fmt.Sprint("$.orders[].positions[].amount", i), By: "rule:everything-at-all", Source: "/etc/understudy/understudy.yaml:41", Lost: 100 - i, Planted: 120, Found: 20, Kinds: []string{"number 1 % more", "number one more"}, Outcome: audit.Hidden})
		r.Places = append(r.Places, audit.Place{Route: "POST /sessions", Path: "$.token\x1b[2J", By: fmt.Sprint("presumed:", i), Lost: 1, Planted: 3, Found: 2, Kinds: []string{"text cut short"}, Outcome: audit.Presumed})
	}
	r.Places = append(r.Places, audit.Place{Route: "GET /", Path: "$.id", By: audit.Unexplained, Lost: 2, Planted: 9, Found: 7, Kinds: []string{"name of the baseline"}, Outcome: audit.Hidden})
	r.Places = append(r.Places, audit.Place{Route: "GET /", Path: "header:date", By: "default:date-server", Lost: 1000, Planted: 1000, Outcome: audit.Default})
	return r
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestRender(t *testing.T) {
	r := example()
	broken := r.Balance
	broken.Judged--
	broken.Holds, broken.Broken = false, []string{broken.Own()[2].String()}
	f := func(name, format string, render func(*bytes.Buffer, string) error) {
		t.Helper()
		var out bytes.Buffer
		if err := render(&out, format); err != nil {
			t.Fatal(err)
		}
		for _, c := range out.String() {
			if c != '\n' && report.Unsafe(c) {
				t.Errorf("%s: %U goes to the terminal", name, c)
			}
		}
		if format == Table {
			for _, line := range strings.Split(out.String(), "\n") {
				if n := utf8.RuneCountInString(line); n > 80 {
					t.Errorf("%s: a line of %d columns: %s", name, n, line)
				}
			}
		}
		golden(t, name, out.String())
	}
	whole := func(b *bytes.Buffer, format string) error { return Report(b, r, format, 0) }
	f("report.txt", Table, whole)
	f("report.json", JSON, whole)
	ill := *r
	ill.Diagnoses = []report.Diagnosis{
		{Name: report.Unauthorized, Replays: 7_000, Of: 12_367, What: "The candidate answered 401 or 403 to 7,000 of 12,367 requests (56.60 %) that the baseline accepted: POST /orders 7,000.",
			Remedy: "Give the candidate credentials:", Try: "understudy replay --run lunch-2 --candidate http://127.0.0.1:9 \\\n  --header \"Authorization: Bearer TOKEN\""},
		{Name: report.Pending, Replays: 10, Of: 10, What: "POST /orders: 202.", Remedy: "Say how its end is known:", Try: "replay:\n  routes:\n    - route: POST /orders\n      channel: \x1b[2J"},
	}
	ill.Routes, ill.Latency = nil, nil
	for i := range 1973 {
		route := fmt.Sprintf("GET /r%d", i)
		ill.Routes = append(ill.Routes, report.Score{Route: route, Replays: 2, Selected: 2, Judged: 2, Match: 1, Incomplete: 1})
		ill.Latency = append(ill.Latency, report.Latency{Route: route, Replays: 2, BaselineP50: 1, AckP50: 1, Slow: i == 1000})
	}
	ill.Balance.Recorders = nil
	for i := range 40 {
		ill.Balance.Recorders = append(ill.Balance.Recorders, report.RecorderBalance{Recorder: fmt.Sprint("w", i), Served: 1, Recorded: 1, InRun: 1, Final: true, State: "ended", Stored: uint64(1 - i%2), Holds: i%2 == 0})
	}
	f("folded.txt", Table, func(b *bytes.Buffer, format string) error { return Report(b, &ill, format, 3) })
	f("verdicts.txt", Table, func(b *bytes.Buffer, _ string) error { return Verdicts(b, &ill) })
	f("report.csv", CSV, whole)
	f("broken.txt", Table, func(b *bytes.Buffer, format string) error { return Balance(b, broken, format) })
	f("balance.csv", CSV, func(b *bytes.Buffer, format string) error { return Balance(b, r.Balance, format) })
	runs := func(b *bytes.Buffer, format string) error { return Runs(b, []report.Run{r.Run}, format) }
	f("runs.txt", Table, runs)
	f("runs.csv", CSV, runs)
	audited := func(b *bytes.Buffer, format string) error { return Audit(b, exampleAudit(), format) }
	f("audit.txt", Table, audited)
	f("audit.csv", CSV, audited)
	f("none.txt", Table, func(b *bytes.Buffer, format string) error { return Runs(b, nil, format) })
	if err := Report(&bytes.Buffer{}, r, "yaml", 0); err == nil || !strings.Contains(err.Error(), "table, json, csv") {
		t.Errorf("an unknown format: %v", err)
	}
}

// TestBooksOfRecorders: what compare says of them is what the report says, and a
// recorder that has not said its last word, or nothing at all, is told of.
func TestBooksOfRecorders(t *testing.T) {
	f := func(want string, said bool, b report.Balance) {
		t.Helper()
		b.Run, b.State, b.Holds, b.Replayed, b.Control.Holds = "r", "completed", true, 1, true
		r := &report.Report{Run: report.Run{Name: "r", State: "completed"}, Balance: b}
		var whole, verdicts bytes.Buffer
		if err := errors.Join(Report(&whole, r, Table, 0), Verdicts(&verdicts, r)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(strings.Fields(whole.String()), " "); !strings.HasSuffix(got, want) {
			t.Errorf("got %s, want %q", got, want)
		}
		if got := strings.Join(strings.Fields(verdicts.String()), " "); strings.HasSuffix(got, want) != said {
			t.Errorf("compare says %s; %q: %v", got, want, said)
		}
	}
	ended := report.RecorderBalance{Recorder: "w", State: "ended", Final: true, Holds: true}
	f("The balance holds.", false, report.Balance{Recorders: []report.RecorderBalance{ended}})
	f("record and replay again for a run without gaps.", true, report.Balance{Recorders: []report.RecorderBalance{{Recorder: "w", State: "ended", Final: true}}})
	f("or was killed before its first. The balance holds as far as it is known: the last word of 1 of 2 recorders is not there.", false,
		report.Balance{Recorders: []report.RecorderBalance{ended, {Recorder: "x", State: "unknown", Untallied: true, InRun: 3, Holds: true}}})
	f("has not said its last word: it runs. The balance holds as far as it is known: the last word of 1 of 1 recorders is not there.", false,
		report.Balance{Recorders: []report.RecorderBalance{{Recorder: "w", State: "running", Holds: true}}})
}

// TestNothingToCompare: a run that shows nothing is not praised.
func TestNothingToCompare(t *testing.T) {
	f := func(want string, change func(*report.Report)) {
		t.Helper()
		r := &report.Report{Run: report.Run{Name: "r", State: "completed"}, Balance: report.Balance{Run: "r", State: "completed", Holds: true}}
		change(r)
		var out bytes.Buffer
		if err := Report(&out, r, Table, 0); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); !strings.Contains(got, want) || strings.Contains(got, "No discrepancies.") || strings.Contains(got, "holds.\n") {
			t.Errorf("want %q: %s", want, got)
		}
	}
	f("No replay of this run has been judged.", func(*report.Report) {})
	f("Nothing of this run was sent.", func(r *report.Report) {
		r.Total = report.Score{Replays: 3, Skipped: 3, Selected: 3}
		r.Balance.Selected, r.Balance.Skipped, r.Balance.Written, r.Balance.JudgedSkipped = 3, 3, 3, 3
	})
}

func TestJSONKeepsTheText(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		var out bytes.Buffer
		if err := writeJSON(&out, text); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", text, got, err, want)
		}
	}
	f("plain <b> & ü 😀", "plain <b> & ü 😀")
	f("\x1b[2J\x7f\u009b\u202e\u2028\U000E0041", "\x1b[2J\x7f\u009b\u202e\u2028\U000E0041")
	f("\xff", "\uFFFD")
}

func TestCSVIsNoFormula(t *testing.T) {
	var out bytes.Buffer
	if err := writeCSV(&out, []string{"a", "b"}, [][]any{{"=1+1", -3}, {"x,\"y\"\n", 0.5}}); err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(&out).ReadAll()
	if want := [][]string{{"a", "b"}, {"'=1+1", "-3"}, {`x,"y"\n`, "0.5"}}; err != nil || !cmp.Equal(want, got) {
		t.Errorf("%v %s", err, cmp.Diff(want, got))
	}
}

func FuzzTerminal(f *testing.F) {
	f.Add([]byte("plain\tü\n\x1b[2J"), 3)
	f.Add([]byte("\xf0\x9f\x98\x80\xf0\x9f"), 2)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		cut = min(max(cut, 0), len(in))
		var whole, parts bytes.Buffer
		for out, pieces := range map[*bytes.Buffer][][]byte{&whole: {in}, &parts: {in[:cut], in[cut:]}} {
			w := Terminal(out)
			for _, p := range pieces {
				if n, err := w.Write(p); n != len(p) || err != nil {
					t.Fatal(n, err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if whole.String() != parts.String() {
			t.Errorf("%q cut at %d: got %q, want %q", in, cut, parts.String(), whole.String())
		}
		for _, r := range whole.String() {
			if r != '\n' && r != '\t' && report.Unsafe(r) {
				t.Errorf("%q: %U gets through", in, r)
			}
		}
	})
}

func TestNumbers(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(report.Percent(0, 0), "-")
	f(report.Percent(99_999_999, 100_000_000), "99.99 %")
	f(report.Percent(1, 100_000_000), "0.01 %")
	f(report.Percent(3, 3), "100 %")
	f(millis(0), "-")
	f(millis(1.234), "1.23")
	f(millis(812.4), "812")
	f(shorten("äöü", 2), "ä…")
	f(lag(0), "0s")
	f(lag(90), "90ns")
	f(lag(44_799_123), "44.8ms")
	f(lag(-1_234_567), "-1.23ms")
	f(lag(61_234_567_890), "1m1.2s")
}
