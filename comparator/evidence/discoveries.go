package evidence

import (
	"cmp"
	"math"
	"slices"
)

// Discoveries are the questions, by their index, that are answered with "it
// differs" when the expected share of wrong ones among them may be at most alpha:
// those with the k greatest e-values, for the greatest k of which each is at
// least n/(alpha·k) of n questions. The greatest comes first.
//
// This is e-BH (Wang and Ramdas, "False discovery rate control with e-values",
// 2022). It holds however the questions depend on each other, so several places
// of one answer may be asked about at once. All questions that were asked must be
// among logs, also those that nothing speaks for.
func Discoveries(logs []float64, alpha float64) []int {
	order := make([]int, len(logs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(logs[b], logs[a]) })
	bar := math.Log(float64(len(logs)) / alpha)
	for k := len(order); k > 0; k-- {
		if logs[order[k-1]] >= bar-math.Log(float64(k)) {
			return order[:k]
		}
	}
	return nil
}
