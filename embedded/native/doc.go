// Package native serves ClickHouse's native TCP protocol over an engine in the
// same process, so that clickhouse-go, clickhouse-driver and other clients of
// a ClickHouse server work against it unchanged.
//
// Results and rows pass through block by block (package blocks).
package native
