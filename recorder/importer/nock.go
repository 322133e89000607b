package importer

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Nock reads JSON fixtures of nock: an array of {scope, method, path, body,
// status, response, rawHeaders, reqheaders, responseIsBinary}.
//
// path is the request target byte for byte. A body that is a JSON string is the
// text of that string; with responseIsBinary, or beside a Content-Encoding as
// strings of hexadecimal digits only, it is the bytes of those. null and an
// absent body are empty. Any other body is its JSON text without the white space
// between tokens: numbers, escapes and the order of members stay as they are in
// the file. Beside a Content-Encoding such a body was unpacked by the recorder
// of the fixture, so that field and the length that went with it are left out.
// The method is converted to upper case.
//
// Headers keep the order of rawHeaders and reqheaders. The arrival is the
// response's Date, unless that is missing or before the arrival of the previous
// entry; then it is Options.Interval after the previous entry. The declared
// length is the Content-Length, even if the fixture's body was edited since.
func Nock(ctx context.Context, in io.Reader, o Options, emit func(*understudyv1.Exchange) error) (Summary, error) {
	r, err := newRun(ctx, o, "nock", emit)
	if err != nil {
		return Summary{}, err
	}
	elements := newElements(in, r.o.MaxEntry)
	clock := &clock{at: r.o.Start, interval: r.o.Interval}
	for {
		raw, place, err := elements.next()
		var mistake Mistake
		switch {
		case errors.Is(err, io.EOF):
			return r.sum, nil
		case errors.As(err, &mistake):
			r.bad(mistake)
			if elements.lost {
				return r.sum, fmt.Errorf("import: %w", mistake)
			}
			continue
		case err != nil:
			return r.sum, fmt.Errorf("import: read: %w", err)
		}
		e, offset, reason := r.nock(raw, clock)
		if reason != "" {
			r.bad(place.within(raw, offset, reason))
			continue
		}
		if err := r.keep(e, raw, ""); err != nil {
			return r.sum, fmt.Errorf("import: line %d: %w", place.line, err)
		}
	}
}

// clock gives arrival times that never decrease.
type clock struct {
	at       time.Time
	interval time.Duration
	running  bool
}

func (c *clock) next(headers []*understudyv1.Header) time.Time {
	date, err := http.ParseTime(message.First(headers, "date"))
	switch {
	case err == nil && (!c.running || !date.Before(c.at)):
		c.at = date
	case c.running:
		c.at = c.at.Add(c.interval)
	}
	c.running = true
	return c.at
}

// member is one value of an element and its offset there.
type member struct {
	jsontext.Value
	offset int64
}

func members(raw []byte) (map[string]member, int64, string) {
	d := jsontext.NewDecoder(strings.NewReader(string(raw)))
	if d.PeekKind() != '{' {
		return nil, 0, "the element is not an object"
	}
	fail := func(err error) (map[string]member, int64, string) {
		var syntax *jsontext.SyntacticError
		if errors.As(err, &syntax) {
			return nil, syntax.ByteOffset, "not valid JSON: " + syntax.Err.Error()
		}
		return nil, d.InputOffset(), "not valid JSON"
	}
	if _, err := d.ReadToken(); err != nil {
		return fail(err)
	}
	m := map[string]member{}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return fail(err)
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return fail(err)
		}
		m[key] = member{value.Clone(), d.InputOffset() - int64(len(value))}
	}
	if _, err := d.ReadToken(); err != nil {
		return fail(err)
	}
	return m, 0, ""
}

// nock makes an exchange of one element; reason says what is wrong at offset,
// "" if nothing is.
func (r *run) nock(raw []byte, c *clock) (e *understudyv1.Exchange, offset int64, reason string) {
	m, offset, reason := members(raw)
	if reason != "" {
		return nil, offset, reason
	}
	method, ok := text(m["method"])
	if method = strings.ToUpper(method); !ok || !isMethod(method) {
		return nil, m["method"].offset, "method is not a string with the name of a method"
	}
	target, ok := text(m["path"])
	if !ok || target == "" {
		return nil, m["path"].offset, "path is not a string with a request target"
	}
	status, err := strconv.ParseUint(string(m["status"].Value), 10, 16)
	if err != nil || status < 100 || status > 999 {
		return nil, m["status"].offset, "status is not a number of three digits"
	}
	requestHeaders, ok := headerList(m["reqheaders"].Value)
	if !ok {
		return nil, m["reqheaders"].offset, "reqheaders is neither an object of strings nor a list of names and values"
	}
	responseHeaders, ok := headerList(m["rawHeaders"].Value)
	if !ok {
		return nil, m["rawHeaders"].offset, "rawHeaders is neither a list of names and values nor an object of strings"
	}
	requestBody, requestHeaders, ok := content(m["body"].Value, false, requestHeaders)
	if !ok {
		return nil, m["body"].offset, "body cannot be read"
	}
	binary := string(m["responseIsBinary"].Value) == "true"
	responseBody, responseHeaders, ok := content(m["response"].Value, binary, responseHeaders)
	if !ok {
		return nil, m["response"].offset, "response cannot be read as hexadecimal digits"
	}
	scheme, authority := r.origin(m["scope"])
	if host := message.First(requestHeaders, "host"); host != "" {
		authority = host
	}
	return &understudyv1.Exchange{
		StartUnixNano: c.next(responseHeaders).UnixNano(),
		Request: &understudyv1.Request{
			Method: method, Target: []byte(target), Authority: authority, Scheme: scheme,
			Headers: requestHeaders, Body: requestBody,
		},
		Response: &understudyv1.Response{
			Status: uint32(status), Headers: responseHeaders, Body: responseBody,
		},
	}, 0, ""
}

// origin is scheme and authority of a scope, without a default port.
func (r *run) origin(scope member) (scheme, authority string) {
	s, _ := text(scope)
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return r.o.Scheme, r.o.Authority
	}
	if port := u.Port(); port == message.DefaultPort(u.Scheme) {
		return u.Scheme, strings.TrimSuffix(u.Host, ":"+port)
	}
	return u.Scheme, u.Host
}

func text(m member) (string, bool) {
	if m.Kind() != '"' {
		return "", false
	}
	b, err := jsontext.AppendUnquote(nil, m.Value)
	return string(b), err == nil
}

// content forms a body by the rules in the comment of Nock, and the header
// fields that describe it. binary says that the body must be hexadecimal digits.
func content(v jsontext.Value, binary bool, headers []*understudyv1.Header) (*understudyv1.Body, []*understudyv1.Header, bool) {
	encoded := message.First(headers, "content-encoding") != ""
	if binary || encoded {
		if b, ok := hexadecimal(v); ok {
			return body(b, headers), headers, true
		}
	}
	if len(v) == 0 || v.Kind() == 'n' {
		return body(nil, headers), headers, true
	}
	if binary {
		return nil, nil, false
	}
	if encoded {
		headers = slices.DeleteFunc(headers, func(h *understudyv1.Header) bool {
			return strings.EqualFold(h.GetName(), "Content-Encoding") || strings.EqualFold(h.GetName(), "Content-Length")
		})
	}
	b, ok := plain(v)
	return body(b, headers), headers, ok
}

// plain is a body that is the text of a JSON string, or JSON itself.
func plain(v jsontext.Value) ([]byte, bool) {
	if v.Kind() == '"' {
		b, err := jsontext.AppendUnquote(nil, v)
		return b, err == nil
	}
	compact := v.Clone()
	err := compact.Compact()
	return compact, err == nil
}

// hexadecimal is a body of hexadecimal digits, in one string or in several.
func hexadecimal(v jsontext.Value) ([]byte, bool) {
	var parts []string
	switch v.Kind() {
	case '"':
		b, err := jsontext.AppendUnquote(nil, v)
		if err != nil {
			return nil, false
		}
		parts = []string{string(b)}
	case '[':
		var ok bool
		if parts, ok = stringList(v, false); !ok || len(parts) == 0 {
			return nil, false
		}
	default:
		return nil, false
	}
	b, err := hex.DecodeString(strings.Join(parts, ""))
	return b, err == nil
}

// stringList are the strings of an array; numbers keep their text, if there may
// be some.
func stringList(v jsontext.Value, numbers bool) ([]string, bool) {
	d := jsontext.NewDecoder(strings.NewReader(string(v)))
	if _, err := d.ReadToken(); err != nil {
		return nil, false
	}
	var out []string
	for d.PeekKind() != ']' {
		t, err := d.ReadToken()
		if err != nil || (t.Kind() != '"' && (!numbers || t.Kind() != '0')) {
			return nil, false
		}
		out = append(out, t.String())
	}
	return out, true
}

// headerList reads [name, value, name, value, …] or {name: value or [values]}.
// A number keeps its text.
func headerList(v jsontext.Value) ([]*understudyv1.Header, bool) {
	switch v.Kind() {
	case '[':
		lines, ok := stringList(v, true)
		if !ok || len(lines)%2 != 0 {
			return nil, false
		}
		var out []*understudyv1.Header
		for i := 0; i < len(lines); i += 2 {
			out = append(out, &understudyv1.Header{Name: lines[i], Value: []byte(lines[i+1])})
		}
		return out, true
	case '{':
		return headerObject(v)
	}
	return nil, len(v) == 0 || v.Kind() == 'n'
}

func headerObject(v jsontext.Value) ([]*understudyv1.Header, bool) {
	d := jsontext.NewDecoder(strings.NewReader(string(v)))
	_, _ = d.ReadToken() // the brace that Kind saw
	var out []*understudyv1.Header
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, false
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil, false
		}
		lines := []string{string(value)}
		switch value.Kind() {
		case '"':
			b, err := jsontext.AppendUnquote(nil, value)
			if err != nil {
				return nil, false
			}
			lines[0] = string(b)
		case '[':
			var ok bool
			if lines, ok = stringList(value, true); !ok {
				return nil, false
			}
		case '0':
		default:
			return nil, false
		}
		for _, line := range lines {
			out = append(out, &understudyv1.Header{Name: key, Value: []byte(line)})
		}
	}
	return out, true
}
