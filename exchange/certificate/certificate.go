// Package certificate reads the files by which a client speaks TLS.
package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// Files are names of files in PEM.
type Files struct {
	// CA holds the certificates that the server's is checked against; empty is the
	// system's.
	CA string
	// Cert and Key are the client's own certificate and its key, both or none; they
	// are read again for each connection, so that they can be renewed.
	Cert, Key string
}

// Client is how a client speaks TLS, 1.2 or newer. Its error says which file
// cannot be used.
func (f Files) Client() (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.CA != "" {
		pem, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, err
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", f.CA)
		}
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
