package accuracy

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"understudy.dev/comparator"
)

var (
	faultsTo = flag.String("faults", "", "write examples of wrong verdicts to this file")
	update   = flag.Bool("update", false, "write the table into docs/accuracy.md")
)

// measure makes worlds until there are n pairs, and judges them.
func measure(t *testing.T, n, perWorld int, gap time.Duration) *table {
	t.Helper()
	judge, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	out := newTable()
	for seed := uint64(1); n > 0; seed++ {
		speed := []float64{5, 1, 20, 60}[seed%4]
		w := newWorld(seed, min(n, perWorld), speed, gap, time.Now().Add(-72*time.Hour).Truncate(time.Millisecond))
		all, orphans, err := w.run(t.Context(), judge)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != len(w.pairs) {
			t.Errorf("seed %d: %d of %d pairs have a replay", seed, len(all), len(w.pairs))
		}
		out.add(all, orphans)
		n -= len(w.pairs)
	}
	out.took = time.Since(began)
	out.settle()
	return out
}

// TestAccuracy measures a few thousand pairs; UNDERSTUDY_ACCURACY says how many.
func TestAccuracy(t *testing.T) {
	n := 2000
	if s := os.Getenv("UNDERSTUDY_ACCURACY"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	got := measure(t, n, max(n/20, 500), 60*time.Millisecond)
	t.Logf("\n%s", got)
	if *faultsTo != "" {
		write(t, *faultsTo, got)
	}
}

// write writes what was judged wrongly: each place of it once with its number,
// then an example of each kind.
func write(t *testing.T, path string, got *table) {
	t.Helper()
	type place struct {
		n       int
		example string
	}
	places := map[string]*place{}
	var b strings.Builder
	for _, r := range got.sorted() {
		for _, j := range got.faults[r.kind] {
			if j.strayed || j.replay.GetSkipped() != "" {
				continue
			}
			for _, d := range j.comparison.Differences {
				if r.class() == noises && !d.Counts() && !d.Presumed() || r.class() != noises && d.Noise != "" && !d.Presumed() {
					continue
				}
				key := fmt.Sprintf("%-8s %-40s %-8s %s", r.class(), d.Path, d.Kind, d.Noise)
				if r.class() != noises {
					key = r.name() + ": " + key
				}
				if places[key] == nil {
					places[key] = &place{example: fmt.Sprintf("%s %s `%.160s` | `%.160s`", r.name(), j.route, d.Baseline, d.Candidate)}
				}
				places[key].n++
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(places)) {
		fmt.Fprintf(&b, "%5d %s  e.g. %s\n", places[key].n, key, places[key].example)
	}
	b.WriteString("\n")
	for _, r := range got.sorted() {
		for _, j := range got.faults[r.kind] {
			fmt.Fprintf(&b, "## %s (%s): %s, strayed %t, place %s\n", r.name(), r.class(), j.comparison.Findings, j.strayed, j.place)
			fmt.Fprintf(&b, "%s %s speed %v skipped %q %s incomplete %q\n", j.method, j.exchange.GetRequest().GetTarget(), j.replay.GetSpeed(), j.replay.GetSkipped(), j.replay.GetSkippedDetail(), j.comparison.Incomplete)
			fmt.Fprintf(&b, "session %s: %s\n", j.session, strings.Join(got.sessions[j.session], ", "))
			fmt.Fprintf(&b, "requests: %s\n", strings.Join(j.oracle.says, "; "))
			if j.strayed {
				continue
			}
			for _, s := range j.replay.GetSubstitutions() {
				fmt.Fprintf(&b, "  %s %s=%s %s %s\n", s.GetKind(), s.GetRecorded(), s.GetCandidate(), s.GetProof(), s.GetBrokenBy())
			}
			for _, d := range j.comparison.Differences {
				if d.Counts() || d.Presumed() {
					fmt.Fprintf(&b, "- %s %s `%.200s` | `%.200s` %s\n", d.Path, d.Kind, d.Baseline, d.Candidate, d.Noise)
				}
			}
			fmt.Fprintf(&b, "sent `%.300s`\nbaseline %s `%.1500s`\ncandidate %s `%.1500s`\n", j.exchange.GetRequest().GetBody().GetContent(), time.Unix(0, j.exchange.GetStartUnixNano()).UTC(), j.exchange.GetResponse(), time.Unix(0, j.replay.GetSentUnixNano()).UTC(), j.final())
			b.WriteString("\n")
		}
	}
	fmt.Fprintf(&b, "# requests\n%s\n", strings.Join(got.oracle.says, "\n"))
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
