package kill

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/integration/kafkatest"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// TestForeignRecordsAreSetAside: garbage in the exchanges and the replays topic
// is counted and found in the dead-letter topics; the run goes on and balances.
func TestForeignRecordsAreSetAside(t *testing.T) {
	engine, cluster := embeddedtest.Start(t), kafkatest.Shared(t)
	prefix, brokers := cluster.Prefix(t), strings.Join(cluster.Addrs(), ",")
	names, address := topic.NamesFor(prefix), "clickhouse://"+engine.Native+"/foreign"
	client, err := stream.Dial(t.Context(), stream.Config{Brokers: cluster.Addrs()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	command := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(binary, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	command("topics", "apply", "--kafka", brokers, "--prefix", prefix)
	command("migrate", "--clickhouse", address)
	put := func(r *kgo.Record, err error) {
		t.Helper()
		if err == nil {
			err = client.ProduceSync(t.Context(), r).FirstErr()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	garbage := func(name string) {
		tally, err := stream.TallyRecord(names, &understudyv1.Tally{Recorder: "x"})
		if err != nil {
			t.Fatal(err)
		}
		for i, value := range []string{"not ours", "\xff\xff\xff"} {
			headers := tally.Headers // another type than the topic's
			if i == 0 {
				headers = nil
			}
			put(&kgo.Record{Topic: name, Key: fmt.Append(nil, i), Value: []byte(value), Headers: headers}, nil)
		}
	}
	garbage(names.Exchanges)
	for i := range 10 {
		put(stream.ExchangeRecord(names, &understudyv1.Exchange{
			Id: fmt.Sprint("e", i), Session: "s", Route: "GET /x", Recorder: "r", Sequence: uint64(i + 1),
			StartUnixNano: time.Now().UnixNano(), Request: &understudyv1.Request{Method: "GET", Target: []byte("/x")},
			Response: &understudyv1.Response{Status: 200},
		}))
	}
	garbage(names.Replays)

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	defer server.Close()
	out := command("replay", "--run", "foreign", "--candidate", server.URL, "--kafka", brokers, "--prefix", prefix)
	if !strings.Contains(out, "selected 10 = replayed 10") || !strings.Contains(out, "foreign 2") {
		t.Errorf("the summary does not say what was set aside:\n%s", out)
	}
	command("compare", "--run", "foreign", "--kafka", brokers, "--prefix", prefix, "--clickhouse", address)
	command("runs", "balance", "foreign", "--clickhouse", address)

	conn, err := clickhouse.Connect(t.Context(), clickhouse.Config{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var judged, stored uint64
	if err := conn.QueryRow(t.Context(), "SELECT (SELECT count() FROM comparisons), (SELECT count() FROM exchanges)").Scan(&judged, &stored); err != nil {
		t.Fatal(err)
	}
	if judged != 10 || stored != 10 {
		t.Errorf("%d replays and %d exchanges are in the tables, want 10 and 10", judged, stored)
	}
	// The replayer and the comparator each set the exchanges' garbage aside.
	for name, want := range map[string]int{names.ExchangesDLQ: 2, names.ReplaysDLQ: 2} {
		letters, err := stream.Latest(t.Context(), stream.Config{Brokers: cluster.Addrs()}, name)
		if err != nil {
			t.Fatal(err)
		}
		if len(letters) != want {
			t.Errorf("%s holds letters about %d records, want %d", name, len(letters), want)
		}
		for _, r := range letters {
			l := &understudyv1.DeadLetter{}
			if err := proto.Unmarshal(r.Value, l); err != nil || l.Reason == "" || len(l.Value) == 0 {
				t.Errorf("letter %v: %v", l, err)
			}
		}
	}
}
