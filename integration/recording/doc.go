// Package recording takes Kafka, the disk and the process itself away from
// `understudy record` while clients use it, and asks `understudy recorder
// balance` what became of their requests, on real Kafka.
package recording
