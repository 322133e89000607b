package message

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// ErrUnexpectedUpgrade says that a server switched protocols though the request
// had not asked for it.
var ErrUnexpectedUpgrade = errors.New("unexpected 101 Switching Protocols")

// ErrUnsendable says that a request was not sent, because HTTP/1.1 cannot carry
// its method, target, host or one of its fields.
var ErrUnsendable = errors.New("the request was not sent: its method, target, host or a field cannot stand in HTTP/1.1")

// ErrClientGone says that a client did not take the answer to its request.
var ErrClientGone = errors.New("the client went away")

// TransportError says what an error of net/http's Transport, or of reading its
// answer, means; nil for none. The message does not quote the other side, which
// may have sent a secret, nor a local port, so that equal failures have equal
// messages.
func TransportError(err error) *understudyv1.TransportError {
	if err == nil {
		return nil
	}
	var timeout net.Error
	var op *net.OpError
	switch {
	case errors.Is(err, ErrUnsendable):
		return failed(understudyv1.TransportError_KIND_REFUSED, ErrUnsendable.Error())
	case errors.Is(err, ErrClientGone):
		return failed(understudyv1.TransportError_KIND_CANCELED, ErrClientGone.Error())
	case errors.Is(err, context.Canceled) || strings.HasPrefix(root(err).Error(), "net/http: request canceled"):
		return failed(understudyv1.TransportError_KIND_CANCELED, "the request was canceled")
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return failed(understudyv1.TransportError_KIND_TIMEOUT, "no whole answer in time")
	case errors.As(err, &op) && op.Op == "dial":
		return failed(understudyv1.TransportError_KIND_CONNECT, "no connection"+dialReason(err))
	case isTLS(err):
		return failed(understudyv1.TransportError_KIND_CONNECT, "no connection: the TLS handshake failed")
	case broke(err):
		return failed(understudyv1.TransportError_KIND_RESET, "the connection broke before the answer was whole")
	}
	// net/http has no types for most of what it does not understand.
	return failed(understudyv1.TransportError_KIND_PROTOCOL, "the answer is not HTTP, or more than is allowed")
}

func failed(kind understudyv1.TransportError_Kind, text string) *understudyv1.TransportError {
	return &understudyv1.TransportError{Kind: kind, Message: text}
}

// dialReason is what the operating system or the resolver says.
func dialReason(err error) string {
	var lookup *net.DNSError
	var number syscall.Errno
	switch {
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return ": no such host"
	case errors.As(err, &lookup):
		return ": the host's name could not be looked up"
	case errors.As(err, &number):
		return ": " + number.Error()
	}
	return ""
}

// isTLS reports whether the TLS handshake failed, whichever side ended it.
func isTLS(err error) bool {
	var certificate *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	var alert tls.AlertError
	var authority x509.UnknownAuthorityError
	if errors.As(err, &certificate) || errors.As(err, &header) || errors.As(err, &alert) || errors.As(err, &authority) {
		return true
	}
	text := root(err).Error()
	return strings.HasPrefix(text, "tls:") || strings.HasPrefix(text, "x509:")
}

// broke reports whether the connection or the stream ended before the answer
// did.
func broke(err error) bool {
	for _, end := range [...]error{
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed,
		syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED,
	} {
		if errors.Is(err, end) {
			return true
		}
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return true
	}
	// Only the beginning is net/http's own; what follows may quote the peer.
	text := root(err).Error()
	own, _, _ := strings.Cut(text, `"`)
	for _, code := range [...]string{"PROTOCOL_ERROR", "FRAME_SIZE_ERROR", "COMPRESSION_ERROR", "FLOW_CONTROL_ERROR"} {
		if strings.Contains(own, code) {
			return false
		}
	}
	return slices.ContainsFunc(brokenTexts, func(begin string) bool { return strings.HasPrefix(text, begin) })
}

// brokenTexts begin the untyped errors of net/http that say so.
var brokenTexts = []string{
	"http: server closed idle connection", "http: unexpected EOF", "http: CloseIdleConnections called", "http: idle connection timeout",
	"net/http: cannot rewind body after connection loss",
	"stream error:", "connection error:", "http2: client conn", "http2: server sent GOAWAY", "http2: Transport", "http2: stream closed",
}

// root is the innermost error.
func root(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
