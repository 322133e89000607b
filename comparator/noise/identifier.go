package noise

import "understudy.dev/exchange/names"

// maxIdentifier is the longest value that is an identifier, in bytes.
const maxIdentifier = 128

// identifiers says whether one value renames the other: the name calls it an
// identifier, or both have the shape of generated ones, and the pairing is one
// to one within the record and the session.
func (e *Evidence) identifiers(name string, baseline, candidate Value) bool {
	b, c := baseline.Text, candidate.Text
	if baseline.Number {
		return names.IsMinted(name) && names.IsDigits(b) && names.IsDigits(c) && e.renamed.Admit(b, c)
	}
	if names.IsMinted(name) && generated(b) && generated(c) {
		return e.renamed.Admit(b, c)
	}
	return names.IsUnique(b) && names.IsUnique(c) && e.renamed.Admit(b, c)
}

func generated(s string) bool { return len(s) <= maxIdentifier && names.IsGenerated(s) }
