// Package integration tests the parts together, and against a real Kafka and
// a real ClickHouse engine. Nothing imports it.
package integration
