package evidence_test

import (
	"fmt"

	"understudy.dev/comparator/evidence"
)

// A gate asks whether a rate is under its limit, each time it looks.
func ExampleRate() {
	for _, trials := range []uint64{1_000, 10_000} {
		b := evidence.Rate(trials/1000, trials, 0.05)
		fmt.Printf("%.3f %% to %.3f %%\n", 100*b.Lower, 100*b.Upper)
	}
	fmt.Printf("%.2f %%\n", 100*evidence.Rate(0, 1000, 0.05).Upper)
	// Output:
	// 0.000 % to 0.997 %
	// 0.021 % to 0.282 %
	// 0.70 %
}

// Three places of which one leans.
func ExampleDiscoveries() {
	places := []evidence.Coin{{Heads: 40, Tails: 44}, {Heads: 210, Tails: 121}, {Heads: 3, Tails: 1}}
	var logs []float64
	for _, p := range places {
		logs = append(logs, p.LogE())
	}
	fmt.Println(evidence.Discoveries(logs, 0.05))
	// Output: [1]
}
