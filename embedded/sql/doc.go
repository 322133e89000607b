// Package sql reads statements of ClickHouse's SQL as far as their tokens:
// Tokens cuts them, a Cursor walks over them.
package sql
