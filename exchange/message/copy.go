package message

import "fmt"

// Copy is by what a candidate is told one replay of an exchange from another of
// the same run: that of a lap and a clone, both from 1. The first of both has the
// exchange's own id.
func Copy(id string, lap, clone uint32) string {
	if lap <= 1 && clone <= 1 {
		return id
	}
	return fmt.Sprintf("%s~%d.%d", id, max(lap, 1), max(clone, 1))
}
