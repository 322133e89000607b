package stream_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"understudy.dev/stream"
)

func TestSecurityIsChecked(t *testing.T) {
	f := func(want string, change func(*stream.Config)) {
		t.Helper()
		cfg := stream.Config{Brokers: []string{"127.0.0.1:1"}}
		change(&cfg)
		p, err := stream.OpenProducer(cfg, stream.DefaultProducerConfig())
		if err == nil {
			p.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	dir := t.TempDir()
	file := func(name, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	f("", func(*stream.Config) {})
	f("", func(c *stream.Config) { c.TLS.Enabled = true })
	f("tls.enabled", func(c *stream.Config) { c.TLS.CAFile = "x" })
	f("tls.cert_file", func(c *stream.Config) { c.TLS.Enabled, c.TLS.CertFile = true, "x" })
	f("no certificate in PEM", func(c *stream.Config) { c.TLS.Enabled, c.TLS.CAFile = true, file("ca", "x") })
	f("no such file", func(c *stream.Config) { c.TLS.Enabled, c.TLS.CertFile, c.TLS.KeyFile = true, "/nowhere", "/nowhere" })
	f("sasl.mechanism", func(c *stream.Config) { c.SASL.Mechanism = "GSSAPI" })
	f("sasl.mechanism", func(c *stream.Config) { c.SASL.User = "x" })
	f("sasl.user", func(c *stream.Config) { c.SASL.Mechanism = "PLAIN" })
	f("UNDERSTUDY_KAFKA_PASSWORD", func(c *stream.Config) { c.SASL.Mechanism, c.SASL.User = "PLAIN", "x" })
	f("UNDERSTUDY_KAFKA_TOKEN", func(c *stream.Config) { c.SASL.Mechanism = "OAUTHBEARER" })
	f("is empty", func(c *stream.Config) { c.SASL.Mechanism, c.SASL.TokenFile = "OAUTHBEARER", file("token", "\n") })
	f("", func(c *stream.Config) { c.SASL.Mechanism, c.SASL.TokenFile = "OAUTHBEARER", file("token", "t\n") })
	t.Setenv(stream.PasswordVar, "secret")
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		f("", func(c *stream.Config) { c.SASL.Mechanism, c.SASL.User = mechanism, "x" })
	}
}
