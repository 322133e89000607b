// Package substitute is the memory of a run: which names the recorded answers
// of a session made, what the candidate calls the same things, and so what a
// later request of the session must say to be the one that its user would have
// sent.
//
// A name is never sent on trust. A request that needs one which is not known,
// or which may be somebody else's on the candidate, is unresolved.
package substitute
