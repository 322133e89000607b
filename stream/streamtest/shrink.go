package streamtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"

	"understudy.dev/schemas/topic"
	"understudy.dev/stream"
)

// applyTakesNothingAway: an operator's longer retention stays, unless forced.
func (k kit) applyTakesNothingAway(t *testing.T) {
	names := k.topics(t, 1)
	client := k.dial(t)
	admin := kadm.NewClient(client)
	f := func(retention, inSync string, set func() ([]stream.Change, error), want stream.Change, after string) {
		t.Helper()
		var alter []kadm.AlterConfig
		for name, value := range map[string]string{"retention.ms": retention, "min.insync.replicas": inSync} {
			alter = append(alter, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value})
		}
		if _, err := admin.AlterTopicConfigs(t.Context(), alter, names.Exchanges); err != nil {
			t.Fatal(err)
		}
		changes, err := set()
		if err != nil {
			t.Fatal(err)
		}
		want.Topic = names.Exchanges
		if diff := cmp.Diff([]stream.Change{want}, changes); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		is := retentionOf(t, admin, names.Exchanges)
		for end := time.Now().Add(10 * time.Second); is != after && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			is = retentionOf(t, admin, names.Exchanges) // a broker hears of it a moment later
		}
		if is != after {
			t.Errorf("retention.ms is %s, want %s", is, after)
		}
	}
	spec := topic.Specs(names, topic.Sizing{Partitions: 1, Retention: 2 * time.Hour, Replicas: 1})[:1]
	apply := func() ([]stream.Change, error) { return stream.Apply(t.Context(), client, spec) }
	force := func() ([]stream.Change, error) { return stream.ApplyForced(t.Context(), client, spec) }
	f("3600000", "1", apply, stream.Change{What: "config", Detail: "retention.ms: 3600000 -> 7200000"}, "7200000")
	f("7200001", "1", apply, stream.Change{What: "kept", Detail: "retention.ms: 7200001 stays, 7200000 would take away (--force)"}, "7200001")
	f("-1", "1", apply, stream.Change{What: "kept", Detail: "retention.ms: -1 stays, 7200000 would take away (--force)"}, "-1")
	f("7200000", "2", apply, stream.Change{What: "kept", Detail: "min.insync.replicas: 2 stays, 1 would take away (--force)"}, "7200000")
	f("7200001", "1", force, stream.Change{What: "config", Detail: "retention.ms: 7200001 -> 7200000"}, "7200000")
}

func retentionOf(t *testing.T, admin *kadm.Client, name string) string {
	t.Helper()
	configs, err := admin.DescribeTopicConfigs(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range configs[0].Configs {
		if c.Key == "retention.ms" {
			return c.MaybeValue()
		}
	}
	return ""
}
