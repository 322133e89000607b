package sender

import (
	"bytes"
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
	"sync/atomic"
	"time"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// transport is net/http's.
type transport struct {
	*http.Transport
	timeout time.Duration
	limit   int64
	resent  func()
	clock   *clock
	h2      atomic.Bool // the last answer came by HTTP/2
}

func newTransport(cfg Config) *transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!cfg.H2C)
	protocols.SetHTTP2(!cfg.H2C)
	protocols.SetUnencryptedHTTP2(cfg.H2C)
	t := &transport{timeout: cfg.Timeout, limit: cfg.CaptureLimit, resent: cfg.Resent, clock: new(clock), Transport: &http.Transport{
		DialContext: cfg.Dial,
		DialTLSContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			conn, err := cfg.dialTLS(ctx, address, cfg.secure(address))
			if err != nil {
				return nil, err // and no interface that holds a nil
			}
			return conn, nil
		},
		MaxIdleConns:          cfg.Connections,
		MaxIdleConnsPerHost:   cfg.Connections,
		IdleConnTimeout:       maxIdle,
		ExpectContinueTimeout: time.Second,
		// A recorded Accept-Encoding is sent as it is, and what comes back is
		// captured as it is.
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHead,
		Protocols:              protocols,
	}}
	t.h2.Store(cfg.H2C)
	return t
}

// Close implements Sender.
func (t *transport) Close() { t.CloseIdleConnections() }

// Open implements Sender.
func (t *transport) Open(r *http.Request) (*http.Response, error) {
	t.load(r, nil)
	return t.RoundTrip(r)
}

// Exchange implements Sender.
func (t *transport) Exchange(ctx context.Context, q Request) (*understudyv1.Response, error) {
	t.clock.at(q.At, nothing{})
	now := time.Now()
	q.said(now, now, true)
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	connections := 0
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connections++ }}
	r := q.HTTP.WithContext(httptrace.WithClientTrace(ctx, trace))
	t.load(r, q.Body)
	resp, err := t.RoundTrip(r)
	for range connections - 1 {
		t.resent()
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	t.h2.Store(resp.ProtoMajor == 2)
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, message.ErrUnexpectedUpgrade // no replay asks for it
	}
	body, err := Capture(resp.Body, resp.ContentLength, t.limit)
	if err != nil {
		return nil, err
	}
	return &understudyv1.Response{
		Status: uint32(resp.StatusCode), Protocol: resp.Proto, Headers: Headers(resp.Header), Body: body, Trailers: Headers(resp.Trailer),
	}, nil
}

// load gives the request its body, in the framing that it is to have.
//
// net/http sends a request again when an idle connection breaks under it, if it
// takes it for repeatable: one that is safe, or has an idempotency key. It does
// not take it so if it has a body that cannot be had again, and an empty one will
// do, which it does not send by HTTP/1. By HTTP/2 it repeats only what the server
// says it has not acted on.
func (t *transport) load(r *http.Request, body []byte) {
	message.SendOnce(r.Header)
	isChunked := slices.Contains(r.TransferEncoding, "chunked")
	r.ContentLength, r.Body, r.GetBody = int64(len(body)), http.NoBody, nil
	switch {
	case len(body) > 0 || isChunked:
		r.Body = io.NopCloser(bytes.NewReader(body))
		if isChunked {
			r.ContentLength = -1
		}
		if !message.IsSafe(r.Method) { // asked for only when nothing at all was written
			r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		}
	case message.IsSafe(r.Method) && !t.h2.Load():
		r.Body = once{}
	}
}

// once is an empty body that cannot be had again.
type once struct{}

func (once) Read([]byte) (int, error) { return 0, io.EOF }
func (once) Close() error             { return nil }

var buffers = sync.Pool{New: func() any { b := make([]byte, 16<<10); return &b }}

// Capture keeps the first bytes of a body, up to limit, and hashes all of it.
// declared is its length, -1 if that is not known.
func Capture(r io.Reader, declared, limit int64) (*understudyv1.Body, error) {
	var kept message.Capture
	kept.Expect(limit, declared)
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
			return nil, brokeOff(&kept, err)
		}
		if kept.Length() > maxBody {
			return nil, errEndless
		}
	}
	b := new(understudyv1.Body)
	kept.Fill(b, true)
	return b, nil
}

func brokeOff(kept *message.Capture, err error) error {
	return fmt.Errorf("body broke off after %d bytes: %w", kept.Length(), err)
}

// Headers are the fields, by their names.
func Headers(h http.Header) []*understudyv1.Header {
	var out []*understudyv1.Header
	for name, values := range h {
		for _, v := range values {
			out = append(out, &understudyv1.Header{Name: name, Value: []byte(v)})
		}
	}
	slices.SortStableFunc(out, func(a, b *understudyv1.Header) int { return strings.Compare(a.GetName(), b.GetName()) })
	return out
}
