// Package listener makes of accepted connections those of the clients: it takes
// what a load balancer says about them (PROXY protocol) and speaks TLS.
//
// Accept never waits for a client: what a connection begins with is read by its
// first Read, RemoteAddr or handshake, in the goroutine of whoever serves it, who
// also bounds the time.
package listener

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"
)

// Wrap returns ln as cfg describes it: ln itself if that asks for nothing. A
// certificate that cannot be read is an error now, later only a log line.
func Wrap(ln net.Listener, cfg Config, log *slog.Logger, reg prometheus.Registerer) (net.Listener, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if len(cfg.ProxyProtocol) > 0 {
		trusted, err := cfg.trusted()
		if err != nil {
			return nil, err
		}
		ln = &announcing{ln, trusted}
	}
	if cfg.TLS.CertFile == "" {
		return ln, nil
	}
	pair, err := newCertificate(cfg.TLS, log, reg)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return tls.NewListener(ln, &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: pair.get,
	}), nil
}

// announcing is a listener behind load balancers that speak the PROXY protocol.
type announcing struct {
	net.Listener
	trusted []netip.Prefix
}

// Accept implements net.Listener.
func (l *announcing) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok || !l.trusts(tcp.RemoteAddr()) {
		return c, nil
	}
	return &announced{TCPConn: tcp}, nil
}

func (l *announcing) trusts(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return false
	}
	from := tcp.AddrPort().Addr().Unmap().WithZone("")
	for _, p := range l.trusted {
		if p.Contains(from) {
			return true
		}
	}
	return false
}
