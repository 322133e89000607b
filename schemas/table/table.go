// Package table holds the ClickHouse schema as numbered migrations. Names are
// unqualified: they live in the database of the connection. docs/tables.md
// describes every table and view.
package table

import "embed"

// Migrations are the files migrations/NNNNN_name.sql in goose's format, to be
// applied in the order of their numbers.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Dir is the folder within Migrations.
const Dir = "migrations"
