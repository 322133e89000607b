// Package understudyv1 is what Understudy's processes say to each other through
// Kafka: exchanges, tallies, replays, runs and dead letters. All of it but this
// comment is generated from the .proto files beside it (make generate).
package understudyv1
