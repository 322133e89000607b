// Package sql runs a person's own query over ClickHouse's HTTP interface and
// streams the answer as the server writes it, in any of its formats.
package sql

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Client asks one server.
type Client struct {
	// URL of the HTTP interface without a path, http://127.0.0.1:18123.
	URL                      string
	Database, User, Password string
	// Format is the default one, for a query without FORMAT; empty is
	// PrettyCompact.
	Format string
	// Parameters fill {name:Type} in the query.
	Parameters map[string]string
}

// Error is what the server says about a query.
type Error struct {
	// Code is ClickHouse's number, 0 when the server gave none.
	Code    int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("clickhouse: code %d: %s", e.Code, e.Message) }

// ErrUnreachable is wrapped when the server does not answer.
var ErrUnreachable = errors.New("does not answer")

// dialTimeout bounds how long the connection may take; the query itself is
// bounded by the context alone.
const dialTimeout = 5 * time.Second

// maxError bounds how much of an error answer is read.
const maxError = 64 << 10

// Query sends the query and copies the answer to w as it comes. A mistake in
// the query is an *Error, also when the server finds it while it answers.
func (c Client) Query(ctx context.Context, query string, w io.Writer) error {
	request, err := c.request(ctx, query)
	if err != nil {
		return err
	}
	transport := &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext, TLSHandshakeTimeout: dialTimeout,
	}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport, CheckRedirect: refuseRedirect}).Do(request)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the URL is said once, here
		}
		return fmt.Errorf("clickhouse at %s %w: %w; start one (understudy dev) or name another (--clickhouse)", c.URL, ErrUnreachable, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, maxError))
		return parseError(answer, text)
	}
	// The server has sent 200 before it can know that the query will fail.
	tail := &tail{w: w, tag: answer.Header.Get("X-ClickHouse-Exception-Tag")}
	_, err = io.Copy(tail, answer.Body)
	if late := tail.exception(); late != nil && tail.err == nil {
		return late
	}
	if err != nil {
		return fmt.Errorf("read the answer of clickhouse: %w", err)
	}
	return nil
}

// refuseRedirect keeps the password from going to another place.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (c Client) request(ctx context.Context, query string) (*http.Request, error) {
	if strings.TrimSpace(query) == "" {
		return nil, errors.New("the query is empty")
	}
	format := c.Format
	if format == "" {
		format = "PrettyCompact"
	}
	values := url.Values{"default_format": {format}, "output_format_pretty_color": {"0"}}
	if c.Database != "" {
		values.Set("database", c.Database)
	}
	for name, value := range c.Parameters {
		values.Set("param_"+name, escape(value))
	}
	// An address that holds a password is not repeated in an error.
	if u, err := url.Parse(c.URL); err != nil || u.User != nil || u.Host == "" {
		return nil, errors.New("clickhouse address: want http://host:port, user and password apart from it")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/?"+values.Encode(), strings.NewReader(query))
	if err != nil {
		return nil, fmt.Errorf("clickhouse address %s: %w", c.URL, err)
	}
	request.Header.Set("User-Agent", "understudy")
	if c.User != "" || c.Password != "" {
		request.Header.Set("X-ClickHouse-User", cmp.Or(c.User, "default"))
		request.Header.Set("X-ClickHouse-Key", c.Password)
	}
	return request, nil
}

// escape writes a parameter as a field of TabSeparated, which the server reads
// it as.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`).Replace(s)
}

var (
	codePattern    = regexp.MustCompile(`(?s)Code: (\d+)\. (?:DB::Exception: )?(.*)`)
	versionPattern = regexp.MustCompile(`\s*\(version [^()]*(?:\([^()]*\))?[^()]*\)\s*$`)
)

func parseError(answer *http.Response, text []byte) error {
	e := exceptionOf(string(text))
	if e.Code == 0 {
		e.Code, _ = strconv.Atoi(answer.Header.Get("X-ClickHouse-Exception-Code"))
	}
	if e.Message == "" {
		e.Message = answer.Status
	}
	return e
}

func exceptionOf(text string) *Error {
	text = strings.TrimSpace(text)
	e := &Error{Message: text}
	if m := codePattern.FindStringSubmatch(text); m != nil {
		e.Code, _ = strconv.Atoi(m[1])
		e.Message = m[2]
	}
	e.Message = versionPattern.ReplaceAllString(e.Message, "")
	return e
}

// tail passes an answer on and keeps its end: an error in the middle of an
// answer stands there, behind a line that names the tag of the header
// X-ClickHouse-Exception-Tag.
type tail struct {
	w    io.Writer
	tag  string
	last []byte
	err  error // of w
}

func (t *tail) Write(p []byte) (int, error) {
	if t.tag != "" {
		t.last = append(t.last, p...)
		if extra := len(t.last) - maxError; extra > 0 {
			t.last = append(t.last[:0], t.last[extra:]...)
		}
	}
	n, err := t.w.Write(p)
	t.err = err
	return n, err
}

// exception reads the trailer: "__exception__\r\nTAG\r\nTEXT\r\nLENGTH
// TAG\r\n__exception__\r\n".
func (t *tail) exception() error {
	if t.tag == "" {
		return nil
	}
	begin := []byte("__exception__\r\n" + t.tag + "\r\n")
	at := bytes.LastIndex(t.last, begin)
	if at < 0 {
		return nil
	}
	text := string(t.last[at+len(begin):])
	if end := strings.LastIndex(text, " "+t.tag); end >= 0 {
		text = strings.TrimRight(text[:end], "0123456789")
	}
	return exceptionOf(text)
}
