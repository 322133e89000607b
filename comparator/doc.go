// Package comparator judges replays: what the candidate did with a request
// against what the baseline had answered. Judging is a pure function of one
// record and the configuration, so a restart gives the identical verdicts.
package comparator
