// Package clickhouse tests what the comparator writes, on the real engine.
package clickhouse
