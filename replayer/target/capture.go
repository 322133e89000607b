package target

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// exchange sends one request and reads the response within the bounds. It
// never follows a redirect.
func (c *Direct) exchange(r *http.Request) (*understudyv1.Response, error) {
	connections := 0
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connections++ }}
	resp, err := c.transport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if connections > 1 {
		c.resent()
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, message.ErrUnexpectedUpgrade // no replay asks for it
	}
	body, err := c.capture(resp.Body, resp.ContentLength)
	if err != nil {
		return nil, err
	}
	return &understudyv1.Response{
		Status: uint32(resp.StatusCode), Protocol: resp.Proto, Headers: headers(resp.Header), Body: body, Trailers: headers(resp.Trailer),
	}, nil
}

// open sends one request and gives the response with its body unread, for who
// reads a stream; the caller closes it.
func (c *Direct) open(r *http.Request) (*http.Response, error) { return c.transport.RoundTrip(r) }

// maxBody ends a body that never ends; what lies between the capture limit and
// this bound is hashed and counted.
const maxBody = 1 << 30

var buffers = sync.Pool{New: func() any { b := make([]byte, 16<<10); return &b }}

// capture keeps the first bytes of a body and hashes all of it.
func (c *Direct) capture(r io.Reader, declared int64) (*understudyv1.Body, error) {
	var kept message.Capture
	kept.Expect(c.captureLimit, declared)
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	buf := *buffer
	for {
		n, err := r.Read(buf)
		_, _ = kept.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("body broke off after %d bytes: %w", kept.Length(), err)
		}
		if kept.Length() > maxBody {
			return nil, errEndless
		}
	}
	b := new(understudyv1.Body)
	kept.Fill(b, true)
	return b, nil
}

var errEndless = fmt.Errorf("body is longer than %d bytes", maxBody)

func headers(h http.Header) []*understudyv1.Header {
	var out []*understudyv1.Header
	for name, values := range h {
		for _, v := range values {
			out = append(out, &understudyv1.Header{Name: name, Value: []byte(v)})
		}
	}
	slices.SortStableFunc(out, func(a, b *understudyv1.Header) int { return strings.Compare(a.GetName(), b.GetName()) })
	return out
}
