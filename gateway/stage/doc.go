// Package stage says how far a migration has come, for each of its routes, and
// who of the users is on which side. It decides and remembers; it sends nothing
// and reads no network.
//
// Stages are off, shadow, canary with a weight, live and complete. Steps lead
// from one to the next; a State is what the steps so far have made of one
// migration. A session has its place among 10,000 buckets for as long as the
// migration lasts, and is with the candidate while its bucket is below the
// weight: so widening moves nobody back, and narrowing moves those first who
// came last.
package stage
