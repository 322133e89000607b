package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/setting"
)

// DefaultDatabase is where the tables live unless the address names another.
const DefaultDatabase = "understudy"

// dialTimeout bounds how long Connect waits for an answer.
const dialTimeout = 5 * time.Second

// Config says where ClickHouse is.
type Config struct {
	// Address is host:port of the native protocol,
	// clickhouse://user:password@host:port/database, or http(s)://… to speak
	// HTTP; clickhouses:// or ?secure=true for TLS.
	Address string `yaml:"address"`
}

// DefaultConfig is the engine that `understudy dev` starts.
func DefaultConfig() Config { return Config{Address: "127.0.0.1:19000"} }

// Validate reports a mistake in the address.
func (c Config) Validate() error {
	_, err := c.Target()
	var ps setting.Problems
	ps.Under("address", err)
	return ps.Err()
}

// Target is an address taken apart. Its String never holds the password.
type Target struct {
	Host, Database, User, Password string
	HTTP, TLS                      bool
}

// String names the target for people.
func (t Target) String() string {
	scheme := "clickhouse"
	if t.HTTP {
		scheme = "http"
	}
	if t.TLS {
		scheme += "s"
	}
	return scheme + "://" + t.Host + "/" + t.Database
}

// Target takes the address apart.
func (c Config) Target() (Target, error) {
	address := c.Address
	if !strings.Contains(address, "://") {
		address = "clickhouse://" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		// url.Error repeats the address, which may hold a password.
		return Target{}, errors.New("is neither host:port nor a URL like clickhouse://user:password@host:port/database")
	}
	t := Target{Host: u.Host, Database: strings.Trim(u.Path, "/"), User: u.User.Username()}
	t.Password, _ = u.User.Password()
	switch u.Scheme {
	case "clickhouse", "tcp":
	case "clickhouses":
		t.TLS = true
	case "http":
		t.HTTP = true
	case "https":
		t.HTTP, t.TLS = true, true
	default:
		return Target{}, fmt.Errorf("scheme %q is not one of clickhouse, clickhouses, http, https", u.Scheme)
	}
	if t.Database == "" {
		t.Database = DefaultDatabase
	}
	if err := t.parameters(u); err != nil {
		return Target{}, err
	}
	if _, _, err := net.SplitHostPort(t.Host); err != nil {
		return Target{}, fmt.Errorf("%q has no port; write host:port", t.Host)
	}
	return t, nil
}

// parameters takes what stands behind the path: secure=true asks for TLS. What is
// not understood is refused, since to leave it out may be to connect without it;
// values are not repeated, they may be secrets.
func (t *Target) parameters(u *url.URL) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || u.Fragment != "" {
		return errors.New("has something behind the path that is not ?secure=true")
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if name != "secure" {
			return fmt.Errorf("parameter %q is not understood; only secure=true is, user and password stand before the host", name)
		}
		secure, err := strconv.ParseBool(query.Get(name))
		if err != nil || len(query[name]) > 1 {
			return errors.New("secure is neither true nor false")
		}
		if t.TLS && !secure {
			return errors.New("secure=false contradicts the scheme " + u.Scheme)
		}
		t.TLS = t.TLS || secure
	}
	return nil
}

// ports pairs the usual ports: native, HTTP; plain and TLS, and those of
// `understudy dev`.
var ports = map[string]string{"9000": "8123", "9440": "8443", "19000": "18123"}

// HTTPURL is the address of the HTTP interface that belongs to the target: the
// address itself when it speaks HTTP, otherwise the same host with the usual
// port.
func (t Target) HTTPURL() (string, error) {
	scheme := "http://"
	if t.TLS {
		scheme = "https://"
	}
	if t.HTTP {
		return scheme + t.Host, nil
	}
	host, port, err := net.SplitHostPort(t.Host)
	if err != nil {
		return "", err
	}
	other, ok := ports[port]
	if !ok {
		return "", fmt.Errorf("no HTTP port is known for native port %s; give the address of ClickHouse as http://%s:PORT", port, host)
	}
	return scheme + net.JoinHostPort(host, other), nil
}

// FindHTTP asks a server that is reached over the native protocol where its
// HTTP interface is: the port it says, or else the one that is as far from the
// native one as usual, if it answers there.
func FindHTTP(ctx context.Context, conn driver.Conn, t Target) (string, error) {
	host, native, err := net.SplitHostPort(t.Host)
	if err != nil {
		return "", err
	}
	scheme, setting := "http://", "http_port"
	if t.TLS {
		scheme, setting = "https://", "https_port"
	}
	var said uint16
	if err := conn.QueryRow(ctx, "SELECT getServerPort(?)", setting).Scan(&said); err == nil && said > 0 {
		return scheme + net.JoinHostPort(host, strconv.Itoa(int(said))), nil
	}
	n, err := strconv.Atoi(native)
	if guess := scheme + net.JoinHostPort(host, strconv.Itoa(n-9000+8123)); err == nil && isClickHouse(ctx, guess) {
		return guess, nil
	}
	return "", fmt.Errorf("the HTTP port that belongs to the native port %s of %s is not known", native, host)
}

// isClickHouse asks for what only ClickHouse answers so.
func isClickHouse(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/ping", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 16))
	return err == nil && strings.TrimSpace(string(body)) == "Ok."
}

func (t Target) options() *clickhouse.Options {
	o := &clickhouse.Options{
		Addr:        []string{t.Host},
		Auth:        clickhouse.Auth{Database: t.Database, Username: t.User, Password: t.Password},
		DialTimeout: dialTimeout,
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
		ClientInfo:  clickhouse.ClientInfo{Products: []struct{ Name, Version string }{{"understudy", "1"}}},
	}
	if t.HTTP {
		o.Protocol = clickhouse.HTTP
	}
	if t.TLS {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return o
}

// Connect opens a connection pool and waits until the server answers, at most
// five seconds. The error names the address and what to do, never the
// password. The caller closes the connection.
func Connect(ctx context.Context, c Config) (driver.Conn, error) {
	t, err := c.Target()
	if err != nil {
		return nil, err
	}
	conn, err := clickhouse.Open(t.options())
	if err != nil {
		return nil, fmt.Errorf("clickhouse client: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if err := conn.Ping(ctx); err != nil {
		conn.Close()
		var e *clickhouse.Exception
		if errors.As(err, &e) && e.Code == 81 { // UNKNOWN_DATABASE
			return nil, fmt.Errorf("%w: clickhouse at %s has no database %s; run understudy migrate", ErrSchema, t.Host, t.Database)
		}
		return nil, fmt.Errorf("clickhouse at %s does not answer: %w; start one (understudy dev) or name another (--clickhouse host:port)", t.Host, err)
	}
	return conn, nil
}

// ErrSchema is wrapped when the database answers but the tables are not there
// or not of this version.
var ErrSchema = errors.New("the ClickHouse tables are not as they must be")
