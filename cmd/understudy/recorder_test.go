package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"understudy.dev/recorder/ledger"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// TestRecorderBalance: a whole recording holds, in every format; one that lacks
// something does not, and says what.
func TestRecorderBalance(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	t.Setenv("UNDERSTUDY_KAFKA", strings.Join(cluster.ListenAddrs(), ","))
	if code, _, errOut := run1(t, "topics", "apply"); code != exitOK {
		t.Fatal(errOut)
	}
	f := func(code int, want string, args ...string) string {
		t.Helper()
		got, out, errOut := run1(t, append([]string{"recorder", "balance"}, args...)...)
		if got != code || !strings.Contains(out+errOut, want) {
			t.Errorf("%v: exit %d, want %d and %q:\n%s%s", args, got, code, want, out, errOut)
		}
		return out
	}
	f(exitFailed, "nothing of this choice")
	p, err := stream.NewProducer(t.Context(), stream.Config{Brokers: cluster.ListenAddrs()}, stream.DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	a := newApp(nil, nil, nil)
	write := func(name string, numbers ...uint64) {
		t.Helper()
		for _, n := range numbers {
			r, err := stream.ExchangeRecord(a.names(), &understudyv1.Exchange{Recorder: name, RecorderStartUnixNano: 5, Sequence: n, StartUnixNano: int64(n) * 1e9})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.ProduceSync(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		r, err := stream.TallyRecord(a.names(), &understudyv1.Tally{
			Recorder: name, StartUnixNano: 5, Number: 1, IntervalNano: 1, Served: 4, Recorded: 3, Dropped: map[string]uint64{"memory": 1}, Final: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.ProduceSync(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	write("whole", 1, 2, 4)
	f(exitOK, "whole: missing 3 to 3 (1): memory")
	f(exitOK, "whole,1970-01-01T00:00:00Z,ended,4,3,1,0,0,3,3,4,1,true\n", "-o", "csv")
	var all []ledger.Balance
	if err := json.Unmarshal([]byte(f(exitOK, "", "-o", "json")), &all); err != nil || len(all) != 1 || !all[0].Holds {
		t.Errorf("%+v, %v", all, err)
	}
	write("lacking", 1, 2)
	f(exitThreshold, "lacking: DOES NOT HOLD: 2 numbers are missing, but only 1 are dropped")
	f(exitOK, "whole", "--recorder", "whole")
	f(exitOK, "lacking", "--recorder", "lacking", "--from", "1970-01-01T00:00:01Z", "--to", "1970-01-01T00:00:03Z")
	f(exitUsage, "want a time like", "--from", "yesterday")
	f(exitUsage, "table, json or csv", "-o", "xml")
}
