// Package evidence says how much counts prove, however often one looks at them.
//
// It knows one statistic for whether two systems differ, the fair coin: if the
// candidate were but another instance of the baseline, whatever tells its answer
// from that of a control would point either way equally often. An e-value is how
// many times its stake a bet against that has earned; it may be read at any
// moment, and looking does not wear it out. For rates there are bounds that hold
// at all moments at once. docs/statistics.md derives both.
//
// The package is pure, and everything in it is safe for concurrent use.
package evidence
