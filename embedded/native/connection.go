package native

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"time"

	"understudy.dev/embedded/blocks"
	"understudy.dev/embedded/engine"
)

// A connection is one client with its session: database and settings.
type connection struct {
	server   *Server
	conn     net.Conn
	source   *deadlineReader
	in       *blocks.Scanner
	frames   *blocks.FrameReader // over in
	inFrames *blocks.Scanner     // over frames
	out      *output

	revision uint64
	layout   blocks.Layout
	database string
	settings map[string]string
}

func newConnection(s *Server, conn net.Conn) *connection {
	c := &connection{
		server:   s,
		conn:     conn,
		source:   &deadlineReader{conn: conn, timeout: s.cfg.HelloTimeout},
		out:      &output{conn: conn, timeout: s.cfg.TransferTimeout},
		settings: map[string]string{},
	}
	c.in = blocks.NewScanner(c.source)
	c.frames = &blocks.FrameReader{In: c.in}
	return c
}

func (c *connection) close() {
	c.frames.Release()
	_ = c.conn.Close()
}

// run greets the client and answers its packets until it leaves.
func (c *connection) run(ctx context.Context) error {
	if err := c.greet(ctx); err != nil {
		return c.farewell(err)
	}
	for ctx.Err() == nil {
		c.source.timeout = c.server.cfg.IdleTimeout
		if _, err := c.in.Peek(1); err != nil {
			return leaving(err)
		}
		c.source.timeout = c.server.cfg.TransferTimeout
		if err := c.packet(ctx); err != nil {
			return c.farewell(err)
		}
	}
	return nil
}

// leaving turns the ways in which a client may leave between packets, or idle
// for too long, into nil.
func leaving(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// farewell tells the client why the connection ends, if possible.
func (c *connection) farewell(err error) error {
	if c.out.rollback() {
		c.out.buf = appendException(c.out.buf, engine.ExceptionOf(err))
		// An error here matters less than err.
		_ = c.out.flush()
		c.linger()
	}
	return err
}

// linger lets the client read the farewell: closing a connection with bytes
// not yet read would make the system drop what was sent.
func (c *connection) linger() {
	if tcp, ok := c.conn.(*net.TCPConn); ok {
		if err := tcp.CloseWrite(); err != nil {
			return
		}
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.CopyN(io.Discard, c.conn, 16<<20)
}

// First bytes of what reaches this port by mistake.
const (
	tlsHandshake = 0x16
	httpAnswer   = "HTTP/1.0 400 Bad engine.Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" +
		"This port speaks ClickHouse's native protocol (clickhouse-client, clickhouse-go, clickhouse-driver).\r\n" +
		"For HTTP use the HTTP port, by default 18123.\r\n"
)

// httpStarts are the first letters of HTTP's methods, and no packet.
const httpStarts = "GPHDOCT"

func (c *connection) greet(ctx context.Context) error {
	first, err := c.in.Peek(1)
	if err != nil {
		return fmt.Errorf("waiting for the client's hello: %w", err)
	}
	switch {
	case first[0] == tlsHandshake:
		return blocks.Malformed("a TLS handshake reached the native port, which has no TLS: connect without it (clickhouse-go: no TLS option, clickhouse-driver: secure=False)")
	case bytes.IndexByte([]byte(httpStarts), first[0]) >= 0:
		c.out.buf = append(c.out.buf, httpAnswer...)
		_ = c.out.flush() // a client that left needs no answer
		c.out.begin()     // nothing may follow
		c.out.sent = true
		c.linger()
		return blocks.Malformed("HTTP reached the native port: use the HTTP port")
	case first[0] != clientHello:
		return exception(codeUnexpectedPacket, "the first packet must be Hello, not number %d", first[0])
	}
	if _, err := c.in.Uvarint(); err != nil {
		return err
	}
	g, err := readGreeting(c.in)
	if err != nil {
		return fmt.Errorf("reading the client's hello: %w", err)
	}
	if err := c.admit(ctx, g); err != nil {
		return err
	}
	identity, err := c.server.engineInfo.identity(ctx)
	if err != nil {
		return fmt.Errorf("asking the engine for its version: %w", err)
	}
	c.out.buf = appendServerHello(c.out.buf, identity, c.revision)
	if err := c.out.flush(); err != nil {
		return err
	}
	if c.revision >= revisionAddendum {
		if _, err := c.in.Str("the quota key", maxHelloBytes); err != nil {
			return err
		}
	}
	return nil
}

const (
	defaultUser       = "default"
	interserverMarker = " INTERSERVER SECRET "
)

// admit checks who asks. There is one user, without a password.
func (c *connection) admit(ctx context.Context, g greeting) error {
	switch {
	case g.revision < oldestRevision:
		return exception(codeUnknownException, "client %q speaks protocol revision %d: at least %d (ClickHouse 20.1) is needed", g.client, g.revision, oldestRevision)
	case g.user == interserverMarker:
		return exception(codeNotImplemented, "the embedded platform does not take part in clusters: connect as a user")
	case g.user != "" && g.user != defaultUser:
		return exception(codeAuthentication, "%s: the embedded platform has only the user default", g.user)
	}
	c.revision = min(g.revision, serverRevision)
	c.layout = blocks.LayoutOf(c.revision)
	c.database = c.server.cfg.Database
	if g.database != "" {
		return c.use(ctx, g.database)
	}
	return nil
}

// refuse tells a client that there are too many connections.
func (c *connection) refuse(context.Context) error {
	r := blocks.Reader{In: c.in}
	if r.Uvarint() == clientHello && r.Err == nil {
		if _, err := readGreeting(c.in); err != nil {
			return err
		}
	}
	return c.farewell(exception(codeTooManyRequests, "Too many connections: %d are open, the limit of max_connections", c.server.cfg.MaxConnections))
}

// packet answers one packet. An error ends the connection.
func (c *connection) packet(ctx context.Context) error {
	code, err := c.in.Uvarint()
	if err != nil {
		return err
	}
	switch code {
	case clientPing:
		c.out.buf = binary.AppendUvarint(c.out.buf, serverPong)
		return c.out.flush()
	case clientQuery:
		return c.query(ctx)
	case clientCancel, clientKeepAlive:
		return nil // a query that it would cancel has just ended
	case clientData:
		return exception(codeUnexpectedPacket, "Data came without a query that expects it")
	default:
		return exception(codeNotImplemented, "packet number %d is not understood: it belongs to clusters or to a newer protocol", code)
	}
}

// request makes a request of the session and the query.
func (c *connection) request(sql string) engine.Request {
	return engine.Request{SQL: sql, Database: c.database, Settings: maps.Clone(c.settings)}
}
