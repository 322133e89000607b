// Package audit tests the verdict on the user's own traffic, as mutation
// testing tests a test suite: it plants known differences into copies of a
// run's replays, judges them as the run is judged, and counts which are found,
// which are only presumed harmless, and which a rule or a class of noise hides.
//
// A Survey looks at all replays and chooses a sample; an Audit then plants into
// that sample. Each fault is made by the structure of the answer that it is put
// into, and is checked to have changed what the answer means. Only replays in
// which nothing counts are audited, so that what counts afterwards was planted.
package audit
