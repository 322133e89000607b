// Package engine runs the real ClickHouse engine inside this process: it finds
// or installs libchdb, the engine as a shared library, and calls it without
// cgo.
package engine
