// Package stream is Understudy's way to and from Kafka: records with
// CloudEvents headers, a producer that never blocks its caller, a consumer
// that is ordered per partition and repeats a batch exactly after a crash, and
// a timeline that merges the partitions of the exchanges topic by time.
//
// It knows the messages of schemas and nothing of what is done with them.
package stream
