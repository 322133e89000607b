package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"syscall"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// exchange sends one request and reads the response within the bounds. It
// never follows a redirect.
func (c *Client) exchange(r *http.Request) (*understudyv1.Response, http.Header, error) {
	connections := 0
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connections++ }}
	resp, err := c.transport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if connections > 1 {
		c.metrics.resent.Inc()
	}
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := c.capture(resp.Body, resp.ContentLength)
	if err != nil {
		return nil, nil, err
	}
	return &understudyv1.Response{
		Status: uint32(resp.StatusCode), Protocol: resp.Proto, Headers: headers(resp.Header), Body: body, Trailers: headers(resp.Trailer),
	}, resp.Header, nil
}

// maxBody ends a body that never ends; what lies between the capture limit and
// this bound is hashed and counted.
const maxBody = 1 << 30

var buffers = sync.Pool{New: func() any { b := make([]byte, 16<<10); return &b }}

// capture keeps the first bytes of a body and hashes all of it.
func (c *Client) capture(r io.Reader, declared int64) (*understudyv1.Body, error) {
	var kept message.Capture
	kept.Expect(c.cfg.CaptureLimit, declared)
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

// transportError classifies an error without repeating what the candidate
// said.
func transportError(err error) *understudyv1.TransportError {
	e := &understudyv1.TransportError{Message: err.Error(), Kind: understudyv1.TransportError_KIND_PROTOCOL}
	var dial *net.OpError
	var timeout net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		e.Kind, e.Message = understudyv1.TransportError_KIND_TIMEOUT, "no whole answer in time"
	case errors.As(err, &dial) && dial.Op == "dial":
		e.Kind = understudyv1.TransportError_KIND_CONNECT
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		e.Kind = understudyv1.TransportError_KIND_RESET
	case strings.Contains(err.Error(), "connection broken"), strings.Contains(err.Error(), "server closed"):
		e.Kind = understudyv1.TransportError_KIND_RESET
	default:
		e.Message = "answer is not HTTP, or more than is allowed"
	}
	return e
}
