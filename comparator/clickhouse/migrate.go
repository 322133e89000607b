package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"understudy.dev/schemas/table"
)

// Migration is one step of the schema.
type Migration struct {
	Version int64
	Name    string
	// WasThere says whether the database had it before Migrate.
	WasThere bool
}

// Migrate creates the database if it is missing and applies the migrations
// that it does not have. Every statement says IF NOT EXISTS or OR REPLACE, so
// that two processes that migrate at once do no harm: if one does not find what
// the other has replaced meanwhile, it goes on behind it.
func Migrate(ctx context.Context, c Config) ([]Migration, error) {
	t, err := c.Target()
	if err != nil {
		return nil, err
	}
	if err := createDatabase(ctx, t); err != nil {
		return nil, err
	}
	db := clickhouse.OpenDB(t.options())
	defer db.Close()
	files, err := fs.Sub(table.Migrations, table.Dir)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	provider, err := goose.NewProvider(database.DialectClickHouse, db, files)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	before, err := provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read which migrations %s has: %w", t, err)
	}
	for try := 1; ; try++ {
		if _, err = provider.Up(ctx); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			try = migrateTries
		case <-time.After(time.Second):
		}
		if try >= migrateTries {
			return nil, fmt.Errorf("migrate %s: %w", t, err)
		}
	}
	var out []Migration
	for _, s := range before {
		name := s.Source.Path[strings.LastIndexByte(s.Source.Path, '/')+1:]
		out = append(out, Migration{s.Source.Version, name, s.State == goose.StateApplied})
	}
	return out, nil
}

// migrateTries is how often Migrate tries, a second apart: as long as another
// process takes for all migrations of a new database, on a busy machine.
const migrateTries = 6

func createDatabase(ctx context.Context, t Target) error {
	name := t.Database
	t.Database = "default"
	conn, err := Connect(ctx, Config{Address: t.address()})
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS `"+strings.ReplaceAll(name, "`", "\\`")+"`"); err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// address puts a target together again.
func (t Target) address() string {
	u := url.URL{Scheme: "clickhouse", Host: t.Host, Path: "/" + t.Database}
	switch {
	case t.HTTP && t.TLS:
		u.Scheme = "https"
	case t.HTTP:
		u.Scheme = "http"
	case t.TLS:
		u.Scheme = "clickhouses"
	}
	if t.User != "" {
		u.User = url.UserPassword(t.User, t.Password)
	}
	return u.String()
}

// Check reports, wrapping ErrSchema, when the tables are missing or older than
// this program.
func Check(ctx context.Context, conn driver.Conn) error {
	files, err := fs.ReadDir(table.Migrations, table.Dir)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	want, err := goose.NumericComponent(files[len(files)-1].Name()) // they are sorted
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	var have int64
	err = conn.QueryRow(ctx, "SELECT toInt64(max(version_id)) FROM goose_db_version WHERE is_applied = 1").Scan(&have)
	var e *clickhouse.Exception
	switch {
	case errors.As(err, &e) && e.Code == 60: // UNKNOWN_TABLE
		return fmt.Errorf("%w: they do not exist; run understudy migrate", ErrSchema)
	case err != nil:
		return fmt.Errorf("read the schema's version: %w", err)
	case have < want:
		return fmt.Errorf("%w: version %d, this program needs %d; run understudy migrate", ErrSchema, have, want)
	}
	return nil
}
