package volume

import (
	"testing"
)

// memory is what compare may hold, whatever it judges (docs/compare.md).
const memory = 400 << 20

// TestCompareStaysSmall judges runs whose bodies are hard in one way each. It
// measures too: UNDERSTUDY_COMPARE=100000 is the run of docs/compare.md.
func TestCompareStaysSmall(t *testing.T) {
	n := number(t, "UNDERSTUDY_COMPARE", 2000)
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			n := max(n/k.share, 20)
			p := newPlace(t, "volume_"+k.name)
			differing := publish(t, p, "r", n, k)
			c, err := p.understudy(t, "compare", "--run", "r")
			if err != nil {
				t.Fatal(err)
			}
			if got := p.count(t, "SELECT count() FROM comparisons"); got != uint64(n) {
				t.Errorf("%d of %d replays are in the tables", got, n)
			}
			if got := p.count(t, "SELECT countIf(verdict = 'mismatch') FROM comparisons"); got != differing {
				t.Errorf("%d replays are mismatches, want %d", got, differing)
			}
			if c.peak > memory {
				t.Errorf("compare held %d MiB, want at most %d", c.peak>>20, int64(memory)>>20)
			}
			t.Logf("%d replays in %s: %.0f per second of CPU", n, c, float64(n)/c.cpu.Seconds())
		})
	}
}
