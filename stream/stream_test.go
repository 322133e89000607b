package stream_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
	"understudy.dev/stream/streamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broker starts a broker in this process.
func broker(t testing.TB, opts ...kfake.Opt) (*kfake.Cluster, stream.Config) {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster, stream.Config{Brokers: cluster.ListenAddrs()}
}

func TestSuite(t *testing.T) {
	_, cfg := broker(t)
	streamtest.Suite(t, cfg)
}

func TestDialNamesTheBroker(t *testing.T) {
	_, err := stream.Dial(t.Context(), stream.Config{Brokers: []string{"127.0.0.1:1"}})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") || !strings.Contains(err.Error(), "--kafka") {
		t.Errorf("got %v, want an error that names the address and the flag", err)
	}
}

func TestDecodeRefusesForeignRecords(t *testing.T) {
	names := topic.NamesFor("")
	r, err := stream.ExchangeRecord(names, &understudyv1.Exchange{Id: "e1", Session: "s"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := stream.DecodeExchange(r); err != nil || got.Id != "e1" {
		t.Errorf("own record: %v, %v", got, err)
	}
	f := func(r *kgo.Record) {
		t.Helper()
		if _, err := stream.DecodeExchange(r); !errors.Is(err, stream.ErrForeign) {
			t.Errorf("got %v, want ErrForeign", err)
		}
	}
	f(&kgo.Record{Value: []byte("hello")})
	f(&kgo.Record{Value: []byte{0xff, 0xff}, Headers: r.Headers})
	tally, err := stream.TallyRecord(names, &understudyv1.Tally{Recorder: "r"})
	if err != nil {
		t.Fatal(err)
	}
	f(tally)
}
