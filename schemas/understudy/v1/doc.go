// Package understudyv1 is what Understudy's processes say to each other through
// Kafka: exchanges, tallies, replays, runs and dead letters. The .pb.go files
// are generated from the .proto files beside them (make generate).
package understudyv1
