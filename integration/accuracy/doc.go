// Package accuracy measures verdicts against the truth. A generator makes a
// small REST world twice, as baseline and as candidate, which name everything
// each in its own way; it plants known differences of many kinds among known
// noise; the real replayer sends the recording to the candidate, and the real
// judge judges what came of it. Beside it stand two other rules on the same
// pairs: exact comparison and Diffy's.
//
// Nothing here looks at how the judge decides: a kind is what a user would call
// it, and its truth is known before anything is compared.
package accuracy
