// Package stream writes to Kafka and reads from it: records with CloudEvents
// headers, a producer that need not block its caller, a consumer that keeps the
// order of each partition and bounds the bytes that it holds, and a timeline
// that merges the partitions of the exchanges topic by time.
//
// It knows the messages of package schemas, but not what is done with them.
package stream
