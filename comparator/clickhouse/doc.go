// Package clickhouse writes what the comparator found into ClickHouse: tables
// by migration, rows by pure functions, each with the identity of the record that
// it is made of, so that what is written again leaves no second trace.
package clickhouse
