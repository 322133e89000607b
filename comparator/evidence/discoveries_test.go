package evidence

import (
	"math"
	"slices"
	"testing"
)

func TestDiscoveries(t *testing.T) {
	f := func(alpha float64, es []float64, want ...int) {
		t.Helper()
		logs := make([]float64, len(es))
		for i, e := range es {
			logs[i] = math.Log(e)
		}
		if got := Discoveries(logs, alpha); !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", es, got, want)
		}
	}
	f(0.05, nil)
	f(0.05, []float64{19})
	f(0.05, []float64{21}, 0)
	f(0.05, []float64{21, 1}) // of two, one alone needs 40
	f(0.05, []float64{21, 1, 59})
	f(0.05, []float64{21, 1, 61}, 2)        // of three, 60 alone
	f(0.05, []float64{21, 30, 25}, 1, 2, 0) // all three together 20 each
	f(0.05, []float64{61, 1, 31}, 0, 2)
	f(0, []float64{1e300})
}

func BenchmarkDiscoveries(b *testing.B) {
	logs := make([]float64, 1000)
	for i := range logs {
		logs[i] = float64(i%37) / 3
	}
	for b.Loop() {
		Discoveries(logs, 0.05)
	}
}
