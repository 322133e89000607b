package integration

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/integration/kafkatest"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// recorderACLs are those that docs/kafka.md gives a recorder.
func recorderACLs(user string, n topic.Names) *kadm.ACLBuilder {
	return kadm.NewACLs().Allow("User:"+user).AllowHosts().Topics(n.Exchanges, n.Tallies).ResourcePatternType(kadm.ACLPatternLiteral).
		Operations(kadm.OpWrite, kadm.OpDescribe, kadm.OpDescribeConfigs, kadm.OpRead)
}

// TestTLSAndSASL: every mechanism, over TLS with a client certificate, as a user
// who may do what the documentation says and nothing more.
func TestTLSAndSASL(t *testing.T) {
	cluster := kafkatest.Start(t, kafkatest.Options{Secure: true})
	s := cluster.Secure
	names := topic.NamesFor(cluster.Prefix(t))
	open, err := stream.Dial(t.Context(), stream.Config{Brokers: cluster.Addrs()})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if _, err := stream.Apply(t.Context(), open, topic.Specs(names, topic.Sizing{Partitions: 1})); err != nil {
		t.Fatal(err)
	}
	admin := kadm.NewClient(open)
	for i, mechanism := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} {
		answers, err := admin.AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{{User: fmt.Sprint("scram", i), Mechanism: mechanism, Iterations: 4096, Password: "scram-secret"}})
		if err != nil || answers.Error() != nil {
			t.Fatal(errors.Join(err, answers.Error()))
		}
	}
	for _, user := range []string{s.User, "scram0", "scram1", "bearer"} {
		if results, err := admin.CreateACLs(t.Context(), recorderACLs(user, names)); err != nil || results[0].Err != nil {
			t.Fatal(err, results[0].Err)
		}
	}
	file := func(content string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	now := time.Now().Unix()
	token := part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"sub":"bearer","iat":%d,"exp":%d}`, now, now+3600)) + "."
	config := func(sasl stream.SASLConfig) stream.Config {
		return stream.Config{Brokers: []string{s.Addr}, TLS: stream.TLSConfig{Enabled: true, CAFile: s.CAFile, CertFile: s.CertFile, KeyFile: s.KeyFile}, SASL: sasl}
	}
	f := func(sasl stream.SASLConfig) {
		t.Helper()
		cfg := config(sasl)
		p, err := stream.NewProducer(t.Context(), cfg, stream.DefaultProducerConfig())
		if err != nil {
			t.Errorf("%s: %v", sasl.Mechanism, err)
			return
		}
		defer p.Close()
		specs := topic.Specs(names, topic.Sizing{Partitions: 1})
		if err := stream.Check(t.Context(), p.Client(), []topic.Spec{specs[0], specs[2]}); err != nil {
			t.Errorf("%s: %v", sasl.Mechanism, err)
		}
		e, err := stream.ExchangeRecord(names, &understudyv1.Exchange{Id: sasl.Mechanism, Session: "s"})
		if err != nil {
			t.Fatal(err)
		}
		tally, err := stream.TallyRecord(names, &understudyv1.Tally{Recorder: "r" + sasl.Mechanism, IntervalNano: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.ProduceSync(t.Context(), e, tally); err != nil {
			t.Errorf("%s: %v", sasl.Mechanism, err)
		}
		if _, err := stream.Tallies(t.Context(), cfg, names); err != nil {
			t.Errorf("%s: %v", sasl.Mechanism, err)
		}
		forbidden := &kgo.Record{Topic: names.Replays, Value: []byte("x")}
		if err := p.Client().ProduceSync(t.Context(), forbidden).FirstErr(); !errors.Is(err, kerr.TopicAuthorizationFailed) {
			t.Errorf("%s: a record of a replay: %v", sasl.Mechanism, err)
		}
	}
	f(stream.SASLConfig{Mechanism: "PLAIN", User: s.User, PasswordFile: file(s.Password)})
	f(stream.SASLConfig{Mechanism: "SCRAM-SHA-256", User: "scram0", PasswordFile: file("scram-secret")})
	f(stream.SASLConfig{Mechanism: "OAUTHBEARER", TokenFile: file(token)})
	t.Setenv(stream.PasswordVar, "scram-secret")
	f(stream.SASLConfig{Mechanism: "SCRAM-SHA-512", User: "scram1"})

	refused := func(want string, change func(*stream.Config)) {
		t.Helper()
		cfg := config(stream.SASLConfig{Mechanism: "SCRAM-SHA-512", User: "scram1"})
		change(&cfg)
		client, err := stream.Dial(t.Context(), cfg)
		if err == nil {
			client.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	refused("does not know us", func(c *stream.Config) { c.SASL.PasswordFile = file("wrong") })
	refused("certificate", func(c *stream.Config) { c.TLS.CAFile = "" })
	refused("does not answer", func(c *stream.Config) { c.TLS.CertFile, c.TLS.KeyFile = "", "" })
	refused("does not answer", func(c *stream.Config) { c.TLS.Enabled, c.TLS = false, stream.TLSConfig{} })
	refused("no such file", func(c *stream.Config) { c.SASL.PasswordFile = "/nowhere" })
}
