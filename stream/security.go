package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"understudy.dev/exchange/certificate"
	"understudy.dev/setting"
)

// TLSConfig says how connections to Kafka are encrypted. Files are PEM.
type TLSConfig struct {
	// Enabled encrypts connections to Kafka, TLS 1.2 or newer.
	Enabled bool `yaml:"enabled"`
	// CAFile holds the certificates that the brokers' are checked against;
	// empty is the system's.
	CAFile string `yaml:"ca_file"`
	// CertFile and KeyFile hold this client's certificate and key, for brokers
	// that ask for one (mTLS); they are read again for each connection.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ServerName is the name in the brokers' certificates, if it is not that
	// under which they are reached.
	ServerName string `yaml:"server_name"`
}

// SASLConfig says who this client is. Secrets stand in files or in the
// environment, never in the configuration.
type SASLConfig struct {
	// Mechanism is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; empty is
	// none. PLAIN and OAUTHBEARER send the secret itself: use TLS.
	Mechanism string `yaml:"mechanism"`
	// User of PLAIN and SCRAM.
	User string `yaml:"user"`
	// PasswordFile holds the password of PLAIN and SCRAM; without it it is taken
	// from the environment, UNDERSTUDY_KAFKA_PASSWORD. It is read again for
	// each connection.
	PasswordFile string `yaml:"password_file"`
	// TokenFile holds the token of OAUTHBEARER; without it it is taken from the
	// environment, UNDERSTUDY_KAFKA_TOKEN. It is read again for each connection,
	// so that another process can renew it.
	TokenFile string `yaml:"token_file"`
}

// Variables of the environment that hold secrets.
const (
	PasswordVar = "UNDERSTUDY_KAFKA_PASSWORD"
	TokenVar    = "UNDERSTUDY_KAFKA_TOKEN"
)

// Mechanisms are the values of SASLConfig.Mechanism.
func Mechanisms() []string {
	return []string{"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"}
}

func (c TLSConfig) validate(ps *setting.Problems) {
	ps.Require((c.CertFile == "") == (c.KeyFile == ""), "tls.cert_file", c.CertFile, "needs key_file beside it, and the reverse")
	ps.Require(c.Enabled || c == TLSConfig{}, "tls.enabled", c.Enabled, "is false, but other settings of tls are given")
}

func (c SASLConfig) validate(ps *setting.Problems) {
	ps.OneOf("sasl.mechanism", c.Mechanism, Mechanisms()...)
	byPassword := c.Mechanism != "" && c.Mechanism != "OAUTHBEARER"
	ps.Require(!byPassword || c.User != "", "sasl.user", c.User, "is empty, but "+c.Mechanism+" needs one")
	ps.Require(c.Mechanism != "" || c == SASLConfig{}, "sasl.mechanism", c.Mechanism, "is empty, but other settings of sasl are given")
}

// security are the client options of both.
func (cfg Config) security() ([]kgo.Opt, error) {
	var opts []kgo.Opt
	if cfg.TLS.Enabled {
		t, err := cfg.TLS.client()
		if err != nil {
			return nil, fmt.Errorf("kafka.tls: %w", err)
		}
		opts = append(opts, kgo.DialTLSConfig(t))
	}
	if m := cfg.SASL.mechanism(); m != nil {
		if _, err := cfg.SASL.secret(); err != nil { // said now, not by a connection that fails
			return nil, fmt.Errorf("kafka.sasl: %w", err)
		}
		opts = append(opts, kgo.SASL(m))
	}
	return opts, nil
}

func (c TLSConfig) client() (*tls.Config, error) {
	t, err := certificate.Files{CA: c.CAFile, Cert: c.CertFile, Key: c.KeyFile}.Client()
	if err != nil {
		return nil, err
	}
	t.ServerName = c.ServerName
	return t, nil
}

// secret is the password or the token.
func (c SASLConfig) secret() (string, error) {
	file, variable := c.PasswordFile, PasswordVar
	if c.Mechanism == "OAUTHBEARER" {
		file, variable = c.TokenFile, TokenVar
	}
	if file == "" {
		if s := os.Getenv(variable); s != "" {
			return s, nil
		}
		return "", fmt.Errorf("%s needs a secret: name a file, or set %s", c.Mechanism, variable)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	s := strings.TrimRight(string(b), "\r\n")
	if s == "" {
		return "", errors.New(file + " is empty")
	}
	return s, nil
}

// mechanism is nil when there is none.
func (c SASLConfig) mechanism() sasl.Mechanism {
	user := func(context.Context) (scram.Auth, error) {
		secret, err := c.secret()
		return scram.Auth{User: c.User, Pass: secret}, err
	}
	switch c.Mechanism {
	case "PLAIN":
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			secret, err := c.secret()
			return plain.Auth{User: c.User, Pass: secret}, err
		})
	case "SCRAM-SHA-256":
		return scram.Sha256(user)
	case "SCRAM-SHA-512":
		return scram.Sha512(user)
	case "OAUTHBEARER":
		return oauth.Oauth(func(context.Context) (oauth.Auth, error) {
			secret, err := c.secret()
			return oauth.Auth{Token: secret}, err
		})
	}
	return nil
}
