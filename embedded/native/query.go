package native

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"understudy.dev/embedded/blocks"
	"understudy.dev/embedded/engine"
)

// A clientError is a failure to read what the client sends. The connection
// cannot go on after one.
type clientError struct{ err error }

func (e *clientError) Error() string { return e.err.Error() }
func (e *clientError) Unwrap() error { return e.err }

// errCancelled ends a statement that its client has cancelled.
var errCancelled = errors.New("the client cancelled the query")

// query answers one Query packet. An error ends the connection; exceptions of
// the statement go to the client and do not.
func (c *connection) query(ctx context.Context) error {
	q, err := readQuery(c.in, c.revision)
	if err != nil {
		return fmt.Errorf("reading a query: %w", err)
	}
	err = c.answer(ctx, q)
	var gone *clientError
	switch {
	case err == nil, errors.Is(err, errCancelled):
		if !c.out.rollback() {
			return errCancelled
		}
		c.out.buf = binary.AppendUvarint(c.out.buf, serverEndOfStream)
	case c.out.err != nil, errors.As(err, &gone):
		return err
	case !c.out.rollback():
		// A block was cut in the middle: the client can be told nothing.
		return fmt.Errorf("a result ended within a block: %w", err)
	default:
		c.out.buf = appendException(c.out.buf, engine.ExceptionOf(err))
	}
	return c.out.flush()
}

func (c *connection) answer(ctx context.Context, q query) error {
	if err := c.refuseExternalTables(q); err != nil {
		return err
	}
	if q.secret {
		return exception(codeNotImplemented, "the embedded platform does not take part in clusters")
	}
	s, err := parse(q.text)
	if err != nil {
		return err
	}
	switch s.kind {
	case statementUse:
		return c.use(ctx, s.database)
	case statementSet:
		return c.set(ctx, s.settings)
	case statementInsert:
		return c.insert(ctx, q, s.insert)
	default:
		return c.read(ctx, q, s)
	}
}

// refuseExternalTables reads the data that follows a query: tables that come
// along with it, none of which are supported, and an empty block at the end.
func (c *connection) refuseExternalTables(q query) error {
	name, count := "", 0
	for {
		code, err := c.in.Uvarint()
		if err != nil {
			return &clientError{fmt.Errorf("reading what follows a query: %w", blocks.Unexpected(err))}
		}
		if code == clientCancel {
			return errCancelled
		}
		if code != clientData && code != clientScalar {
			return &clientError{exception(codeUnexpectedPacket, "packet number %d follows a query where Data must", code)}
		}
		table, s, err := c.receiveBlock(q, nil)
		if err != nil {
			return err
		}
		if s.Columns == 0 {
			break
		}
		name, count = table, count+1
	}
	if count > 0 {
		return exception(codeNotImplemented, "the query brings along external table %q, which the embedded platform does not support: create a table, or use a literal", name)
	}
	return nil
}

// receiveBlock reads a Data packet behind its number and moves the block to
// dst in the engine's layout.
func (c *connection) receiveBlock(q query, dst io.Writer) (table string, s blocks.Shape, err error) {
	if table, err = c.in.Str("the name of a table", maxHelloBytes); err != nil {
		return "", s, &clientError{err}
	}
	from := c.in
	if q.compressed {
		if c.inFrames == nil {
			c.inFrames = blocks.NewScanner(c.frames)
		}
		from = c.inFrames
	}
	m := blocks.Mover{In: from, Out: dst, From: c.layout}
	if s, err = m.Block(); err != nil {
		return table, s, &clientError{fmt.Errorf("reading a block of data: %w", blocks.Unexpected(err))}
	}
	return table, s, nil
}

// set changes the settings of the session, if the engine accepts them.
func (c *connection) set(ctx context.Context, settings []setting) error {
	request := c.request("SELECT 'set'")
	for _, s := range settings {
		request.Settings[s.name] = s.value
	}
	if _, err := askStrings(ctx, c.server.backend, request); err != nil {
		return err
	}
	c.settings = request.Settings
	return nil
}

// use changes the database of the session, if it exists.
func (c *connection) use(ctx context.Context, database string) error {
	quoted := "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(database) + "`"
	request := c.request("SHOW CREATE DATABASE " + quoted)
	request.Database = ""
	if _, err := askStrings(ctx, c.server.backend, request); err != nil {
		return err
	}
	c.database = database
	return nil
}

// ownSettings are the protocol's own affair: they would change the engine's
// Native blocks in ways that clients at this revision do not expect.
var ownSettings = map[string]bool{
	"output_format_native_encode_types_in_binary_format": true,
	"input_format_native_decode_types_in_binary_format":  true,
}

// start runs a statement for a query. A setting that the engine does not know
// fails the query only if the client marked it as important, as ClickHouse
// does.
func (c *connection) start(ctx context.Context, q query, sql string) (Result, error) {
	request := c.request(sql)
	request.QueryID, request.Params = q.id, q.parameters
	return c.execute(ctx, q, request)
}

// execute is start for a request that already exists.
func (c *connection) execute(ctx context.Context, q query, request engine.Request) (Result, error) {
	for _, s := range q.settings {
		if !ownSettings[s.name] {
			request.Settings[s.name] = s.value
		}
	}
	result, err := c.server.backend.Query(ctx, request)
	var e *engine.Exception
	if !errors.As(err, &e) || e.Code != codeUnknownSetting {
		return result, err
	}
	known := maps.Clone(request.Settings)
	for _, s := range q.settings {
		ok, askErr := c.server.engineInfo.knows(ctx, s.name)
		if askErr != nil {
			return nil, errors.Join(err, askErr)
		}
		if !ok && !s.important {
			delete(known, s.name)
		}
	}
	if len(known) == len(request.Settings) {
		return result, err
	}
	request.Settings = known
	return c.server.backend.Query(ctx, request)
}
