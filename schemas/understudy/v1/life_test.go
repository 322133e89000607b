package understudyv1_test

import (
	"testing"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestLives: what says no start is one life with what earlier versions wrote.
func TestLives(t *testing.T) {
	exchange := &understudyv1.Exchange{Recorder: "r", RecorderStartUnixNano: 5}
	tally := &understudyv1.Tally{Recorder: "r", StartUnixNano: 5, IntervalNano: 1}
	if exchange.Life() != tally.Life() || exchange.Life().StartUnixNano != 5 {
		t.Errorf("%v, %v", exchange.Life(), tally.Life())
	}
	exchange.RecorderStartUnixNano, tally.IntervalNano = 0, 0
	if exchange.Life() != tally.Life() || tally.Life().StartUnixNano != 0 {
		t.Errorf("without a start: %v, %v", exchange.Life(), tally.Life())
	}
}
