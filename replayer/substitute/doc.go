// Package substitute remembers, per session, which recorded values correspond to
// which of the candidate's, so that a later request names the candidate's
// order and not the baseline's.
package substitute
