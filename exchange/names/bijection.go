package names

// Bijection pairs the values of the baseline with those of the candidate, one
// to one. The zero value is ready for use; it belongs to one goroutine.
type Bijection struct {
	candidate map[string]string // by the baseline's value
	baseline  map[string]string // by the candidate's
}

// Know adds a pair that is known from elsewhere. Of two pairs with one value the
// first stays.
func (b *Bijection) Know(baseline, candidate string) {
	if b.candidate == nil {
		b.candidate, b.baseline = map[string]string{}, map[string]string{}
	}
	if _, known := b.candidate[baseline]; !known {
		b.candidate[baseline] = candidate
	}
	if _, known := b.baseline[candidate]; !known {
		b.baseline[candidate] = baseline
	}
}

// Candidate is the candidate's value for one of the baseline's.
func (b *Bijection) Candidate(baseline string) (candidate string, known bool) {
	candidate, known = b.candidate[baseline]
	return candidate, known
}

// Admit adds a pair unless one of its values is paired otherwise, and says
// whether it may stand.
func (b *Bijection) Admit(baseline, candidate string) bool {
	if c, known := b.candidate[baseline]; known && c != candidate {
		return false
	}
	if v, known := b.baseline[candidate]; known && v != baseline {
		return false
	}
	b.Know(baseline, candidate)
	return true
}
