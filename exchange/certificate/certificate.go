// Package certificate reads the files by which a client or a server speaks TLS.
package certificate

import (
	"crypto/tls"
	"fmt"
)

// Files are names of files in PEM.
type Files struct {
	// CA holds the certificates that the other side's is checked against; empty is
	// the system's for a client, and for a server that clients show none.
	CA string
	// Cert and Key are the own certificate and its key, of a client both or none;
	// they are read again for each connection, so that they can be renewed.
	Cert, Key string
}

// Client is how a client speaks TLS, 1.2 or newer. Its error says which file
// cannot be used.
func (f Files) Client() (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.CA != "" {
		pool, err := authorities(f.CA)
		if err != nil {
			return nil, err
		}
		t.RootCAs = pool
	}
	if f.Cert != "" {
		load := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
			return &pair, err
		}
		if _, err := load(nil); err != nil {
			return nil, fmt.Errorf("%s with %s: %w", f.Cert, f.Key, err)
		}
		t.GetClientCertificate = load
	}
	return t, nil
}
