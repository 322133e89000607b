package kafkatest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Secure is a listener that asks for a client certificate of CAFile's maker, and
// for SASL: PLAIN as User with Password, OAUTHBEARER with an unsigned token, or
// SCRAM as whoever is made through the other listener.
type Secure struct {
	Addr string
	// Dir holds CAFile, and CertFile and KeyFile of a client, in PEM.
	Dir                       string
	CAFile, CertFile, KeyFile string
	User, Password            string
}

func newSecure() (*Secure, error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", dataPrefix, os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	s := &Secure{
		Addr: ports[0], Dir: dir, User: "plainuser", Password: "plain-" + rand.Text(),
		CAFile: filepath.Join(dir, "ca.pem"), CertFile: filepath.Join(dir, "client.pem"), KeyFile: filepath.Join(dir, "client.key"),
	}
	if err := s.certificates(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("certificates: %w", err)
	}
	return s, nil
}

func (s *Secure) certificates() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kafkatest CA"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		return err
	}
	sign := func(name string, usage x509.ExtKeyUsage, serial int64) (cert, private []byte, err error) {
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		}
		signed, err := x509.CreateCertificate(rand.Reader, leaf, ca, &own.PublicKey, key)
		if err != nil {
			return nil, nil, err
		}
		pkcs8, err := x509.MarshalPKCS8PrivateKey(own)
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), err
	}
	broker, brokerKey, err := sign("broker", x509.ExtKeyUsageServerAuth, 2)
	if err != nil {
		return err
	}
	client, clientKey, err := sign("client", x509.ExtKeyUsageClientAuth, 3)
	return errors.Join(err,
		os.WriteFile(s.CAFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(s.CertFile, client, 0o600), os.WriteFile(s.KeyFile, clientKey, 0o600),
		os.WriteFile(filepath.Join(s.Dir, "broker.pem"), append(brokerKey, broker...), 0o600))
}

// settings adds the listener to those of a broker.
func (s *Secure) settings(m map[string]string) {
	const module = "org.apache.kafka.common.security."
	m["listeners"] += ",SECURE://" + s.Addr
	m["advertised.listeners"] += ",SECURE://" + s.Addr
	m["listener.security.protocol.map"] += ",SECURE:SASL_SSL"
	maps.Copy(m, map[string]string{
		"listener.name.secure.ssl.keystore.type":              "PEM",
		"listener.name.secure.ssl.keystore.location":          filepath.Join(s.Dir, "broker.pem"),
		"listener.name.secure.ssl.truststore.type":            "PEM",
		"listener.name.secure.ssl.truststore.location":        s.CAFile,
		"listener.name.secure.ssl.client.auth":                "required",
		"listener.name.secure.sasl.enabled.mechanisms":        "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
		"listener.name.secure.plain.sasl.jaas.config":         module + `plain.PlainLoginModule required user_` + s.User + `="` + s.Password + `";`,
		"listener.name.secure.scram-sha-256.sasl.jaas.config": module + "scram.ScramLoginModule required;",
		"listener.name.secure.scram-sha-512.sasl.jaas.config": module + "scram.ScramLoginModule required;",
		"listener.name.secure.oauthbearer.sasl.jaas.config":   module + `oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
		"authorizer.class.name":                               "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":                                         "User:ANONYMOUS",
	})
}
