package importer

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// logTime is the time of the common log format.
const logTime = "02/Jan/2006:15:04:05 -0700"

// Combined reads the combined log format of Apache httpd (LogFormat "%h %l %u
// %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"") and nginx. It also takes
// lines of the common format, which lack the last two fields, lines with further
// fields, lines that are cut off within the User-Agent, and lines that stand in
// quotes as a whole, as they occur in real logs. Escapes (\" \\ \n \t \xhh) are
// undone, so that the request target has the bytes that the client sent. A
// virtual host in front (Apache's vhost_combined, "%v:%p %h …") is the authority,
// and https its scheme if the port is 443: it is taken for one if a port follows
// it or an address stands behind it.
//
// A log gives the arrival to the second; within a second the sequence numbers
// keep the order of the file. A log gives the length of a response body but not
// its content: such a body is marked as truncated and has no hash. So is the
// request body of a method that usually has one.
func Combined(ctx context.Context, in io.Reader, o Options, emit func(*understudyv1.Exchange) error) (Summary, error) {
	r, err := newRun(ctx, o, "combined", emit)
	if err != nil {
		return Summary{}, err
	}
	lines := &lineReader{in: bufio.NewReaderSize(in, 64<<10), limit: r.o.MaxEntry}
	for {
		line, tooLong, err := lines.next()
		if errors.Is(err, io.EOF) {
			return r.sum, nil
		}
		if err != nil {
			return r.sum, fmt.Errorf("import: read line %d: %w", lines.number, err)
		}
		at := Mistake{Line: lines.number, Column: 1, Offset: lines.start}
		switch {
		case tooLong:
			at.Reason = fmt.Sprintf("line is longer than %d bytes", r.o.MaxEntry)
			r.bad(at)
			continue
		case len(bytes.TrimSpace(line)) == 0:
			continue
		}
		e, client, column, reason := r.combined(line)
		if reason != "" {
			at.Column, at.Reason = column+1, reason
			at.Offset += int64(column)
			r.bad(at)
			continue
		}
		if err := r.keep(e, line, client); err != nil {
			return r.sum, fmt.Errorf("import: line %d: %w", lines.number, err)
		}
	}
}

// lineReader reads lines of bounded length; it drops the text of a longer one.
type lineReader struct {
	in     *bufio.Reader
	limit  int
	buffer []byte
	number int
	start  int64
	offset int64
}

func (l *lineReader) next() (line []byte, tooLong bool, err error) {
	l.buffer, l.start = l.buffer[:0], l.offset
	l.number++
	for {
		part, err := l.in.ReadSlice('\n')
		l.offset += int64(len(part))
		if tooLong = tooLong || len(l.buffer)+len(part) > l.limit+1; !tooLong {
			l.buffer = append(l.buffer, part...)
		}
		switch {
		case err == nil, errors.Is(err, io.EOF) && l.offset > l.start:
			return bytes.TrimRight(l.buffer, "\r\n"), tooLong, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, err
		}
	}
}

// combined parses one line; reason says what is wrong at column, "" if nothing
// is.
func (r *run) combined(line []byte) (e *understudyv1.Exchange, client string, column int, reason string) {
	line, from := unquoteLine(line)
	p := &logLine{line: line}
	defer func() { column += from }()
	scheme, authority := r.o.Scheme, r.o.Authority
	if host, after := virtualHost(line); host != "" {
		scheme, authority = originOf(host, scheme)
		p.at = after
	}
	client = p.word()
	p.word() // identity, always "-" in practice
	// A user name may contain blanks; the time begins with a bracket.
	if i := bytes.IndexByte(line[p.at:], '['); i >= 0 {
		p.at += i
	}
	column = p.at
	start, err := time.Parse(logTime, p.bracketed())
	if err != nil {
		return nil, "", column, "no time such as [17/May/2015:10:05:03 +0000]"
	}
	column = p.at
	request, ok := p.quoted()
	if !ok {
		return nil, "", column, "the request is not in closed quotes"
	}
	method, target, protocol, ok := requestLine(request)
	if !ok {
		return nil, "", column, "the request line is not METHOD TARGET PROTOCOL"
	}
	column = p.at
	status, err := strconv.ParseUint(p.word(), 10, 16)
	if err != nil || status < 100 || status > 999 {
		return nil, "", column, "the status is not a number of three digits"
	}
	column = p.at
	length, ok := bodyLength(p.word())
	if !ok {
		return nil, "", column, "the response length is neither a number nor -"
	}
	var headers []*understudyv1.Header
	for _, name := range [...]string{"Referer", "User-Agent"} {
		column = p.at
		value, ok := p.quoted()
		if p.at == column {
			break // the common format ends here
		}
		if !ok && name == "Referer" {
			return nil, "", column, "the Referer is not in closed quotes"
		}
		if value != "-" {
			headers = append(headers, &understudyv1.Header{Name: name, Value: []byte(value)})
		}
	}
	return &understudyv1.Exchange{
		StartUnixNano: start.UnixNano(),
		Request: &understudyv1.Request{
			Method: method, Target: []byte(target), Authority: authority, Scheme: scheme, Protocol: protocol,
			Headers: headers, Body: &understudyv1.Body{DeclaredLength: -1, Truncated: hasBody(method)},
		},
		Response: &understudyv1.Response{
			Status: uint32(status),
			Body:   &understudyv1.Body{DeclaredLength: -1, Length: length, Truncated: length > 0},
		},
	}, client, 0, ""
}

// virtualHost is the virtual host that a line begins with, "" if it begins with
// the client, and where the client begins. A host name of the client (with
// HostnameLookups) cannot be told from a virtual host without a port.
func virtualHost(line []byte) (host string, after int) {
	p := &logLine{line: line}
	host = p.word()
	after = p.at
	if _, err := netip.ParseAddr(host); err == nil {
		return "", 0
	}
	if _, err := netip.ParseAddr(p.word()); err == nil {
		return host, after
	}
	if _, port, err := net.SplitHostPort(host); err == nil && port != "" && strings.Trim(port, "0123456789") == "" {
		return host, after
	}
	return "", 0
}

// originOf is scheme and authority of a virtual host, without a default port.
func originOf(host, scheme string) (string, string) {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		return scheme, host
	}
	if port == message.DefaultPort("https") {
		scheme = "https"
	}
	if port == message.DefaultPort(scheme) {
		return scheme, name
	}
	return scheme, host
}

// unquoteLine takes the quotes from a line that stands in some as a whole, with
// those within it escaped or doubled; from is where it begins.
func unquoteLine(line []byte) (inner []byte, from int) {
	if len(line) < 2 || line[0] != '"' || line[len(line)-1] != '"' {
		return line, 0
	}
	inner = line[1 : len(line)-1]
	for _, quote := range []string{`\"`, `""`} {
		if bytes.Contains(inner, []byte(quote)) {
			return bytes.ReplaceAll(inner, []byte(quote), []byte(`"`)), 1
		}
	}
	return inner, 1
}

func bodyLength(s string) (int64, bool) {
	if s == "-" {
		return 0, true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 0
}

// requestLine splits at the first and the last blank: a target may contain
// some.
func requestLine(s string) (method, target, protocol string, ok bool) {
	method, rest, found := strings.Cut(s, " ")
	if !found || !isMethod(method) {
		return "", "", "", false
	}
	target = rest
	if i := strings.LastIndexByte(rest, ' '); i >= 0 && isProtocol(rest[i+1:]) {
		target, protocol = rest[:i], rest[i+1:]
	}
	return method, target, protocol, target != ""
}

func isProtocol(s string) bool {
	version, ok := strings.CutPrefix(s, "HTTP/")
	return ok && version != "" && len(version) < 8 && strings.Trim(version, "0123456789.") == ""
}

// logLine is a position in one line.
type logLine struct {
	line []byte
	at   int
}

func (p *logLine) blanks() {
	for p.at < len(p.line) && p.line[p.at] == ' ' {
		p.at++
	}
}

func (p *logLine) word() string {
	p.blanks()
	from := p.at
	for p.at < len(p.line) && p.line[p.at] != ' ' {
		p.at++
	}
	return string(p.line[from:p.at])
}

func (p *logLine) bracketed() string {
	if p.at >= len(p.line) || p.line[p.at] != '[' {
		return ""
	}
	i := bytes.IndexByte(p.line[p.at:], ']')
	if i < 0 {
		return ""
	}
	s := string(p.line[p.at+1 : p.at+i])
	p.at += i + 1
	return s
}

// quoted reads a quoted field and undoes its escapes. It returns false with
// what there was if the field is not closed, and without moving on if there is
// no quoted field.
func (p *logLine) quoted() (string, bool) {
	from := p.at
	p.blanks()
	if p.at >= len(p.line) || p.line[p.at] != '"' {
		p.at = from
		return "", false
	}
	var out []byte
	for i := p.at + 1; i < len(p.line); i++ {
		switch c := p.line[i]; {
		case c == '"':
			p.at = i + 1
			return string(out), true
		case c == '\\' && i+1 < len(p.line):
			n, b := unescape(p.line[i+1:])
			out = append(out, b...)
			i += n
		default:
			out = append(out, c)
		}
	}
	p.at = len(p.line)
	return string(out), false
}

// unescape returns how many bytes after the backslash belong to the escape, and
// the bytes that it means.
func unescape(s []byte) (int, []byte) {
	switch s[0] {
	case '"', '\\':
		return 1, s[:1]
	case 'n':
		return 1, []byte{'\n'}
	case 't':
		return 1, []byte{'\t'}
	case 'r':
		return 1, []byte{'\r'}
	case 'b':
		return 1, []byte{'\b'}
	case 'v':
		return 1, []byte{'\v'}
	case 'x':
		if len(s) >= 3 {
			if v, err := strconv.ParseUint(string(s[1:3]), 16, 8); err == nil {
				return 3, []byte{byte(v)}
			}
		}
	}
	return 0, []byte{'\\'}
}
