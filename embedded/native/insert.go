package native

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"understudy.dev/embedded/blocks"
)

// insert answers an INSERT whose rows come from the client: it says which
// columns it wants, collects the blocks in a file, and has the engine read the
// file as one statement, so that the rows go in together or not at all.
func (c *connection) insert(ctx context.Context, q query, target insertTarget) (err error) {
	started := time.Now()
	fields, err := c.describe(ctx, q, target.table, &target)
	if err != nil {
		return err
	}
	if err := c.newSender(q).header(fields); err != nil {
		return err
	}
	spool, err := newSpool(c.server.cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spool.remove()) }()
	rows, err := c.collect(q, spool)
	if err != nil {
		return err
	}
	if rows == 0 {
		c.out.buf = appendNoEvents(c.out.buf, c.revision)
		return nil
	}
	ctx, w := newWatch(ctx, c)
	defer func() { w.stop(); err = w.why(err) }()
	request := c.request(target.statement(spool.file.Name()))
	request.QueryID, request.Params, request.Infile = q.id, q.parameters, true
	result, err := c.execute(ctx, q, request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, result) // an INSERT gives no rows
	statistics := result.Statistics()
	if err := errors.Join(err, result.Close()); err != nil {
		return err
	}
	p := progressOf(statistics, started)
	if p.wroteRows == 0 {
		p.wroteRows, p.wroteBytes = rows, uint64(spool.size)
	}
	c.out.buf = appendNoEvents(c.out.buf, c.revision)
	c.out.buf = appendProgress(c.out.buf, p, c.revision)
	return nil
}

// collect moves the client's blocks to the file until the empty one.
func (c *connection) collect(q query, spool *spool) (rows uint64, err error) {
	for {
		code, err := c.in.Uvarint()
		if err != nil {
			return 0, &clientError{fmt.Errorf("waiting for the rows of an INSERT: %w", blocks.Unexpected(err))}
		}
		switch code {
		case clientCancel:
			return 0, errCancelled
		case clientData:
		default:
			return 0, &clientError{exception(codeUnexpectedPacket, "packet number %d came within an INSERT", code)}
		}
		_, s, err := c.receiveBlock(q, spool)
		if err != nil {
			return 0, err
		}
		if s.Columns == 0 {
			return rows, spool.finish()
		}
		rows += s.Rows
		c.out.buf = appendNoEvents(c.out.buf, c.revision)
		if err := c.out.flush(); err != nil {
			return 0, err
		}
	}
}

// statement returns the INSERT that reads the file.
func (target insertTarget) statement(path string) string {
	quoted := "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(path) + "'"
	return strings.TrimSpace(target.head+" FROM INFILE "+quoted+" COMPRESSION 'none' "+target.settings) + " FORMAT Native"
}

// describe asks the engine for the columns of a table, or of those that an
// INSERT wants.
func (c *connection) describe(ctx context.Context, q query, table string, target *insertTarget) ([]blocks.Field, error) {
	request := c.request("DESCRIBE TABLE " + table)
	request.Params = q.parameters
	request.Settings["print_pretty_type_names"] = "0"
	request.Settings["describe_compact_output"] = "0"
	rows, err := askStrings(ctx, c.server.backend, request)
	if err != nil {
		return nil, err
	}
	if target == nil {
		var fields []blocks.Field
		for _, row := range rows {
			fields = append(fields, blocks.Field{Name: row[0], Kind: row[1]})
		}
		return fields, nil
	}
	return target.fields(rows)
}

// fields picks the columns to insert into from the rows of DESCRIBE TABLE:
// name, type, kind of default.
func (target insertTarget) fields(rows [][]string) ([]blocks.Field, error) {
	var fields []blocks.Field
	kinds := map[string]string{}
	for _, row := range rows {
		name, kind, origin := row[0], row[1], row[2]
		kinds[name] = kind
		stored := origin == "" || origin == "DEFAULT"
		if target.star && stored && !slices.Contains(target.columns, name) {
			fields = append(fields, blocks.Field{Name: name, Kind: kind})
		}
	}
	for _, name := range target.columns {
		kind, ok := kinds[name]
		if !ok {
			return nil, exception(codeNoSuchColumn, "No such column %s in table %s", name, target.table)
		}
		if !target.star {
			fields = append(fields, blocks.Field{Name: name, Kind: kind})
		}
	}
	return fields, nil
}

// A spool is the file that keeps the rows of an INSERT until all have come.
type spool struct {
	file  *os.File
	w     *bufio.Writer
	size  int64
	limit int64
}

const spoolPattern = "understudy-insert-*.native"

// sweep removes the files that a crash left in the server's own directory.
func sweep(cfg Config) error {
	if cfg.SpoolDirectory == "" {
		return nil
	}
	left, err := filepath.Glob(filepath.Join(cfg.SpoolDirectory, spoolPattern))
	if err != nil {
		return fmt.Errorf("looking for files of earlier INSERTs in %s: %w", cfg.SpoolDirectory, err)
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("removing what an earlier INSERT left: %w", err)
		}
	}
	return nil
}

func newSpool(cfg Config) (*spool, error) {
	file, err := os.CreateTemp(cfg.SpoolDirectory, spoolPattern)
	if err != nil {
		return nil, exception(codeCannotWrite, "making a file for the rows of an INSERT: %v", err)
	}
	return &spool{file: file, w: bufio.NewWriterSize(file, blocks.ScannerSize), limit: cfg.MaxInsertBytes}, nil
}

func (s *spool) Write(p []byte) (int, error) {
	if s.size += int64(len(p)); s.size > s.limit {
		return 0, exception(codeTooManyBytes, "the rows of an INSERT need more than %d bytes, the limit of max_insert_bytes: send them in several", s.limit)
	}
	n, err := s.w.Write(p)
	if err != nil {
		return n, exception(codeCannotWrite, "keeping the rows of an INSERT: %v", err)
	}
	return n, nil
}

func (s *spool) finish() error {
	if err := s.w.Flush(); err != nil {
		return exception(codeCannotWrite, "keeping the rows of an INSERT: %v", err)
	}
	return nil
}

func (s *spool) remove() error {
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}
