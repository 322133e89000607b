package listener

import (
	"net/netip"
	"strings"

	"understudy.dev/setting"
)

// Config says what the connections of clients begin with; its zero value is
// plain TCP.
type Config struct {
	// TLS makes the listener speak TLS, HTTP/2 and HTTP/1.1 by ALPN.
	TLS TLSConfig `yaml:"tls"`
	// ProxyProtocol are the addresses or networks (10.0.0.0/8) of load balancers
	// whose connections begin with a header of the PROXY protocol, version 1 or 2,
	// which tells the client's address. From these a connection without one is
	// closed, from others with one refused as no HTTP.
	ProxyProtocol []string `yaml:"proxy_protocol"`
}

// TLSConfig names the files of a certificate. They are read again when they
// change; new connections get the new one.
type TLSConfig struct {
	// CertFile holds the certificate in PEM, those that it depends on behind it;
	// empty is plain TCP.
	CertFile string `yaml:"cert_file"`
	// KeyFile holds its key in PEM.
	KeyFile string `yaml:"key_file"`
}

// Validate reports every mistake in the configuration.
func (cfg Config) Validate() error {
	var ps setting.Problems
	ps.Require((cfg.TLS.CertFile == "") == (cfg.TLS.KeyFile == ""), "tls.cert_file", cfg.TLS.CertFile, "needs key_file beside it, and the reverse")
	_, err := cfg.trusted()
	ps.Under("", err)
	return ps.Err()
}

func (cfg Config) trusted() ([]netip.Prefix, error) {
	var ps setting.Problems
	trusted := make([]netip.Prefix, len(cfg.ProxyProtocol))
	for i, text := range cfg.ProxyProtocol {
		prefix, err := netip.ParsePrefix(text)
		if !strings.Contains(text, "/") {
			var a netip.Addr
			if a, err = netip.ParseAddr(text); err == nil {
				prefix = netip.PrefixFrom(a.Unmap().WithZone(""), a.Unmap().BitLen())
			}
		}
		ps.Require(err == nil, setting.Index("proxy_protocol", i), text, "is not an address such as 10.1.2.3 or a network such as 10.0.0.0/8")
		trusted[i] = prefix
	}
	return trusted, ps.Err()
}
