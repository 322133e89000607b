// Package spool is a log on disk that holds what Kafka cannot take now: frames
// are appended at one end and taken from the other.
//
// A Log is a folder of segments. Each frame is its length, the CRC32C of length
// and content, and the content. Frames gather in memory and are written and
// synced together; only then are they said to be safe, and only then can they
// be taken. What a crash has torn is cut off when the log is opened. Where
// taking stands is the caller's to keep: a Position.
//
// The log is bounded in bytes and age. Files are for their owner only.
package spool
