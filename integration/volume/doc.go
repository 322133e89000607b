// Package volume judges runs of many replays with the built program, on the
// embedded broker and engine, and measures it: rows, memory, CPU.
package volume
