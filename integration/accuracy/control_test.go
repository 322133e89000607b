package accuracy

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"understudy.dev/comparator"
	"understudy.dev/comparator/report"
)

// controlFigures are what is measured with a control.
type controlFigures struct {
	pairs, controlled, skipped int
	// found and real are the planted differences, by class.
	found, real map[class]int
	// reported pairs for more than volatile places, those of them without a
	// planted difference, and those reported for volatile places alone.
	reported, wrong, alone int
	// moved are places whose distribution has moved and that were controlled
	// often enough; steady those where both draw alike.
	moved, missed, steady, wronglyCalled []spot
	// strange are the wrong pairs by kind, and overlooked the planted differences
	// that were not found.
	strange, overlooked map[string]*counted
	took                time.Duration
}

// counted is how often, and the first.
type counted struct {
	n     int
	first string
}

func count(m map[string]*counted, name string, o said) {
	if m[name] == nil {
		m[name] = &counted{first: string(o.verdict) + " " + o.example}
	}
	m[name].n++
}

// measure says what came of it, where places count that were controlled so often.
func (c *controlled) measure(enough int, alpha float64) controlFigures {
	f := controlFigures{pairs: len(c.pairs), skipped: c.skipped, found: map[class]int{}, real: map[class]int{}, strange: map[string]*counted{}, overlooked: map[string]*counted{}}
	for _, n := range c.replays {
		f.controlled += n
	}
	for _, o := range c.pairs {
		if o.real {
			f.real[o.kind.class]++
		}
		switch {
		case o.found:
			f.found[o.kind.class]++
		case o.real:
			count(f.overlooked, o.kind.name, o)
		}
		switch {
		case c.elsewhere(o):
			f.reported++
			if !o.real {
				f.wrong++
				count(f.strange, row{kind: o.kind}.name(), o)
			}
		case o.reported:
			f.alone++
		}
	}
	different := c.different(alpha)
	moves := map[string]bool{}
	for _, v := range distributions(nil, promised) {
		moves["$."+v.key] = v.moved
	}
	for at, is := range c.unsteady {
		switch {
		case !is:
		case !moves[at.path]:
			f.steady = append(f.steady, at)
			if different[at] {
				f.wronglyCalled = append(f.wronglyCalled, at)
			}
		case c.replays[at.route] >= enough:
			f.moved = append(f.moved, at)
			if !different[at] {
				f.missed = append(f.missed, at)
			}
		}
	}
	return f
}

func (f controlFigures) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d pairs, %d of them with a control, in %s.\n\n| | |\n|---|---|\n", f.pairs, f.controlled, f.took.Round(time.Second))
	for _, c := range []class{outcomes, structures, values} {
		fmt.Fprintf(&b, "| recall, %s | %.2f %% of %d |\n", c, 100*share(f.found[c], f.real[c]), f.real[c])
	}
	fmt.Fprintf(&b, "| false discoveries, of reported pairs | %.2f %% of %d |\n", 100*share(f.wrong, f.reported), f.reported)
	fmt.Fprintf(&b, "| pairs that are reported for volatile places alone | %d |\n", f.alone)
	fmt.Fprintf(&b, "| volatile places whose distribution moved, found | %d of %d |\n", len(f.moved)-len(f.missed), len(f.moved))
	fmt.Fprintf(&b, "| volatile places that are alike, called different | %d of %d |\n", len(f.wronglyCalled), len(f.steady))
	fmt.Fprintf(&b, "| requests that were not sent, whose name had been made | %d |\n", f.skipped)
	if len(f.strange) > 0 {
		b.WriteString("\n| reported without a planted difference | pairs |\n|---|---|\n")
	}
	for _, name := range slices.Sorted(maps.Keys(f.strange)) {
		fmt.Fprintf(&b, "| %s | %d |\n", name, f.strange[name].n)
	}
	return b.String()
}

// TestControl measures with a control: 1,400 pairs, all of them controlled and
// with shifts that nobody could miss; or as many as UNDERSTUDY_CONTROL says, a
// tenth of them controlled and with the shifts that are promised.
func TestControl(t *testing.T) {
	n, perWorld, often, to, enough, alpha := 1400, 700, 1., obvious, 250, evidently
	if s := os.Getenv("UNDERSTUDY_CONTROL"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
		perWorld, often, to, enough, alpha = max(n/20, 500), 0.1, promised, 700, report.Alpha
	}
	judge, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	began, c, sampled := time.Now(), newControlled(), sampleOf(often)
	inWorlds(t, n, perWorld, 4, 16*time.Millisecond, func(t *testing.T, w *world) {
		w.controlled = sampled
		w.unsettle(to)
		all, _, err := w.run(t.Context(), judge)
		if err != nil {
			t.Error(err)
		}
		c.add(all)
	})
	f := c.measure(enough, alpha)
	f.took = time.Since(began)
	t.Logf("\n%s", f)
	if *update {
		publish(t, "control", f.String())
	}
	for _, at := range append(slices.Clone(f.moved), f.steady...) {
		t.Log(c.tosses(at))
	}
	for _, name := range slices.Sorted(maps.Keys(f.strange)) {
		t.Logf("%d times nothing but noise: %s: %s", f.strange[name].n, name, f.strange[name].first)
	}
	for _, name := range slices.Sorted(maps.Keys(f.overlooked)) {
		t.Logf("%d times not found: %s: %s", f.overlooked[name].n, name, f.overlooked[name].first)
	}
	if len(f.missed) > 0 || len(f.moved) < 3 {
		t.Errorf("of the moved distributions %v these were not found: %v", f.moved, f.missed)
	}
	// One in twenty of those that are called different may be so by chance.
	if wrong := c.measure(enough, evidently).wronglyCalled; len(wrong) > 0 {
		t.Errorf("called different, and by no chance: %v", wrong)
	}
	for _, class := range []class{outcomes, structures} {
		if f.found[class] < f.real[class] {
			t.Errorf("recall of %s: %d of %d", class, f.found[class], f.real[class])
		}
	}
	if got := share(f.found[values], f.real[values]); got < 0.99 {
		t.Errorf("recall of values: %.4f", got)
	}
	if got := share(f.wrong, f.reported); got > 0.01 {
		t.Errorf("false discoveries: %.4f", got)
	}
}

// evidently is an alpha that chance alone does not reach in all that is ever run.
const evidently = 0.0005
