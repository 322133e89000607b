package substitute

import "understudy.dev/exchange/names"

// Occurring are those pairs whose recorded value stands in a document as a
// whole word.
func Occurring(content []byte, pairs []Pair) []Pair {
	text := names.NewText(content)
	var out []Pair
	for _, p := range pairs {
		if text.Has(p.Recorded) {
			out = append(out, p)
		}
	}
	return out
}
