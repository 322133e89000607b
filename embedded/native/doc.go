// Package native serves ClickHouse's native TCP protocol over an engine in the
// same process, so that clickhouse-go, clickhouse-driver and other clients of
// a ClickHouse server work against it unchanged.
//
// Results and rows pass through block by block. The engine speaks revision 0
// of the Native format and clients a later one; for the revisions served here
// the two differ in what surrounds the values, never in the values, so blocks
// are walked and copied, not decoded and encoded.
package native
