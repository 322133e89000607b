package source

import "strings"

// suggestion names the key that was probably meant.
func suggestion(key string, fields []Field) string {
	best, distance := "", max(2, len(key)/3)+1
	for _, f := range fields {
		if d := edits(strings.ToLower(key), f.Key); d < distance {
			best, distance = f.Key, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
