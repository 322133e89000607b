// Package kill ends `understudy compare` with SIGKILL at random moments and
// asks whether the tables are those of an undisturbed run, on real Kafka and
// the real ClickHouse engine.
package kill
