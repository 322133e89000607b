package topic_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"understudy.dev/schemas/topic"
)

func TestSpecsCoverEveryName(t *testing.T) {
	n := topic.NamesFor("acme")
	got := map[string]topic.Spec{}
	for _, s := range topic.Specs(n, topic.Sizing{Partitions: 3, Retention: 2 * time.Hour, Replicas: 3, MinInSync: 2}) {
		if _, twice := got[s.Name]; twice {
			t.Errorf("%s is specified twice", s.Name)
		}
		got[s.Name] = s
	}
	f := func(name, policy string, partitions int32) {
		t.Helper()
		s, ok := got[name]
		if !ok {
			t.Errorf("%s has no spec", name)
			return
		}
		delete(got, name)
		if !strings.HasPrefix(name, "acme.") {
			t.Errorf("%s does not carry the prefix", name)
		}
		if s.Config["cleanup.policy"] != policy || s.Partitions != partitions {
			t.Errorf("%s: got %s with %d partitions, want %s with %d",
				name, s.Config["cleanup.policy"], s.Partitions, policy, partitions)
		}
		if limit, err := strconv.Atoi(s.Config["max.message.bytes"]); err != nil || limit < 8*512<<10 {
			t.Errorf("%s: max.message.bytes %q cannot hold a replay of eight bodies", name, s.Config["max.message.bytes"])
		}
		if s.Replicas != 3 || s.MinInSync != 2 {
			t.Errorf("%s: %d replicas, %d in sync", name, s.Replicas, s.MinInSync)
		}
		if policy == "delete" && s.Config["retention.ms"] != "7200000" {
			t.Errorf("%s: retention.ms %q, want two hours", name, s.Config["retention.ms"])
		}
	}
	f(n.Exchanges, "delete", 3)
	f(n.Replays, "delete", 3)
	f(n.Tallies, "delete", 1)
	f(n.Runs, "compact", 1)
	f(n.Stages, "compact", 1)
	f(n.InFlight, "compact", 1)
	f(n.ExchangesDLQ, "delete", 1)
	f(n.ReplaysDLQ, "delete", 1)
	f(n.TalliesDLQ, "delete", 1)
	f(n.RunsDLQ, "delete", 1)
	for name := range got {
		t.Errorf("%s is specified but not named", name)
	}
}

func TestNamesForEmptyPrefix(t *testing.T) {
	if got, want := topic.NamesFor("").Exchanges, "understudy.exchanges.v1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
