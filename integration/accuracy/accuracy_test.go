package accuracy

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy.dev/comparator"
)

var (
	faultsTo = flag.String("faults", "", "write examples of wrong verdicts to this file")
	update   = flag.Bool("update", false, "write the table into docs/accuracy.md")
	seed     = flag.Uint64("seed", 1, "`number` of the first world")
)

// measure makes worlds until there are n pairs, and judges them, some worlds at
// a time.
func measure(t *testing.T, n, perWorld, atOnce int, each time.Duration) *table {
	t.Helper()
	judge, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	out := newTable()
	var mu sync.Mutex
	inWorlds(t, n, perWorld, atOnce, each, func(t *testing.T, w *world) {
		all, orphans, err := w.run(t.Context(), judge)
		if err != nil {
			t.Error(err)
		}
		if len(all) != len(w.pairs) || orphans > 0 {
			t.Errorf("seed %d: %d of %d pairs have a replay, %d completions belong to none", w.seed, len(all), len(w.pairs), orphans)
		}
		mu.Lock()
		defer mu.Unlock()
		out.add(all)
	})
	out.took = time.Since(began)
	out.settle()
	return out
}

// TestAccuracy measures two thousand pairs, a hundred thousand in make accuracy.
// The bounds are those of the project but where a gap is known: there they are
// what was measured.
func TestAccuracy(t *testing.T) {
	n, perWorld, atOnce, each := 2000, 500, 4, 16*time.Millisecond
	if s := os.Getenv("UNDERSTUDY_ACCURACY"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
		perWorld = max(n/20, 500)
	}
	got := measure(t, n, perWorld, atOnce, each)
	t.Logf("\n%s", got)
	if *faultsTo != "" {
		write(t, *faultsTo, got)
	}
	if *update {
		publish(t, "measured", got.String())
	}
	atLeast := func(what string, have, want float64) {
		t.Helper()
		if have < want {
			t.Errorf("%s: %.4f, want at least %.4f", what, have, want)
		}
	}
	atMost := func(what string, have, measured, aim float64) {
		t.Helper()
		if have > measured {
			t.Errorf("%s: %.4f, want at most %.4f", what, have, measured)
		} else if have > aim {
			t.Logf("gap: %s: %.4f, to become %.4f", what, have, aim)
		}
	}
	recall := func(c class) float64 { r := got.of(c); return share(r.found, r.n) }
	atLeast("recall of outcomes", recall(outcomes), 1)
	atLeast("recall of structure", recall(structures), 1)
	atMost("values not found", 1-recall(values), maxValuesMissed, 0.01)
	atLeast("requests not sent whose name was never made", recall(unsent), 1)
	real := got.sum(differing)
	atMost("real differences that are called a match", share(real.match, real.n), maxFalseMatches, 0)
	o := got.oracle
	atMost("names not replaced in requests", 1-share(o.done, o.needed), maxNamesLeft, 0.01)
	atMost("cookies and tokens not sent back", 1-share(o.given, o.needCredentials), maxCredentialsLeft, 0.01)
	atMost("wrong replacements, of those needed", share(o.wrong, o.needed), maxWrong, 0)
	pairs, places := got.falseDiscoveries()
	atMost("false discoveries, pairs", pairs, maxFalsePairs, 0.03)
	atMost("false discoveries, places", places, maxFalsePlaces, 0.03)
}

// What was measured, where the aim is not reached: of 100,000 pairs, and a pair or
// two more for the short form. docs/accuracy.md names the causes.
const (
	maxValuesMissed    = 0.01  // 0.0001
	maxFalseMatches    = 0.002 // 0
	maxNamesLeft       = 0.01  // 0
	maxCredentialsLeft = 0.07  // 0
	maxWrong           = 0.001 // 0
	maxFalsePairs      = 0.02  // 0.0053
	maxFalsePlaces     = 0.06  // 0.0301
)

// TestKinds: there are as many as the page says, each has its own name, and each
// can stand somewhere.
func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range allKinds {
		if seen[k.name] {
			t.Errorf("two kinds are called %q", k.name)
		}
		seen[k.name] = true
	}
	if len(seen) < 60 {
		t.Errorf("only %d kinds", len(seen))
	}
	met := map[*kind]bool{overtakes: true}                                   // is met when a session has one that is late
	for seed := uint64(0); seed < 200 && len(met) <= len(allKinds); seed++ { // nil is met, too
		for _, p := range newWorld(seed, 500, 5, time.Millisecond, time.Now()).pairs {
			met[p.kind] = true
		}
	}
	for _, k := range allKinds {
		if !met[k] {
			t.Errorf("no pair of 100,000 has %q", k.name)
		}
	}
}

// publish writes a table into its place in the page.
func publish(t *testing.T, place, table string) {
	t.Helper()
	const page = "../../docs/accuracy.md"
	from, to := "<!-- "+place+" -->\n", "<!-- end -->"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), from)
	_, tail, ended := strings.Cut(rest, to)
	if !found || !ended {
		t.Fatalf("%s has no place for the table", page)
	}
	if err := os.WriteFile(page, []byte(head+from+"\n"+table+"\n"+to+tail), 0o600); err != nil {
		t.Fatal(err)
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
			describe(&b, got, r, j)
		}
	}
	for _, j := range got.wronged {
		b.WriteString("# sent wrongly\n")
		describe(&b, got, got.row(j.kind), j)
	}
	fmt.Fprintf(&b, "# requests\n%s\n# sent wrongly\n%s\n", strings.Join(got.oracle.says, "\n"), strings.Join(got.oracle.errs, "\n"))
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// describe writes one pair.
func describe(b *strings.Builder, got *table, r *row, j judged) {
	fmt.Fprintf(b, "## %s (%s): %s, strayed %t, place %s\n", r.name(), r.class(), j.comparison.Findings, j.strayed, j.place)
	fmt.Fprintf(b, "%s %s speed %v skipped %q %s incomplete %q\n", j.method, j.exchange.GetRequest().GetTarget(), j.replay.GetSpeed(), j.replay.GetSkipped(), j.replay.GetSkippedDetail(), j.comparison.Incomplete)
	fmt.Fprintf(b, "session %s: %s\n", j.session, strings.Join(got.sessions[j.session], ", "))
	fmt.Fprintf(b, "requests: %s\n", strings.Join(j.oracle.says, "; "))
	if j.strayed {
		return
	}
	for _, s := range j.replay.GetSubstitutions() {
		fmt.Fprintf(b, "  %s %s=%s %s %s\n", s.GetKind(), s.GetRecorded(), s.GetCandidate(), s.GetProof(), s.GetBrokenBy())
	}
	for _, d := range j.comparison.Differences {
		if d.Counts() || d.Presumed() {
			fmt.Fprintf(b, "- %s %s `%.200s` | `%.200s` %s\n", d.Path, d.Kind, d.Baseline, d.Candidate, d.Noise)
		}
	}
	fmt.Fprintf(b, "sent `%.300s`\nbaseline %s `%.1500s`\ncandidate %s `%.1500s`\n", j.exchange.GetRequest().GetBody().GetContent(), time.Unix(0, j.exchange.GetStartUnixNano()).UTC(), j.exchange.GetResponse(), time.Unix(0, j.replay.GetSentUnixNano()).UTC(), j.final())
	b.WriteString("\n")
}
