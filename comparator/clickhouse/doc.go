// Package clickhouse writes what the comparator found into ClickHouse: tables
// by migration, rows by pure functions, batches with deduplication tokens so
// that a repeated batch leaves no second trace.
package clickhouse
