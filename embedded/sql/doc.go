// Package sql cuts statements of ClickHouse's SQL into tokens.
package sql
