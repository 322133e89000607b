package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"

	"understudy.dev/comparator/report"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// TestReadReplay: the record of a row and no other, or why there is none.
func TestReadReplay(t *testing.T) {
	names := topic.NamesFor("")
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, names.Replays))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	a := newApp(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{})
	defer a.logs.close()
	a.cfg.Kafka.Brokers = cluster.ListenAddrs()
	client, err := stream.Dial(t.Context(), a.cfg.Kafka.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i := range 3 {
		r, err := stream.ReplayRecord(names, &understudyv1.Replay{Run: "r", Ordinal: uint64(i + 1), Exchange: &understudyv1.Exchange{Id: "e", Session: "s"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	f := func(row report.Replay, want string, is error) {
		t.Helper()
		got, err := a.readReplay(t.Context(), row)
		switch {
		case is == nil && (err != nil || got.replay.GetOrdinal() != row.Ordinal):
			t.Errorf("got %v, %v", got.replay, err)
		case is != nil && (!errors.Is(err, is) || !strings.Contains(err.Error(), want) || finish(err, &bytes.Buffer{}) != exitFailed):
			t.Errorf("got %v, want %s", err, want)
		}
	}
	row := func(run string, ordinal uint64, offset int64) report.Replay {
		return report.Replay{Run: run, Ordinal: ordinal, Exchange: "e", Offset: offset}
	}
	f(row("r", 2, 1), "", nil)
	f(row("r", 1, 1), "the topic was made anew: another record stands there", stream.ErrRemade)
	f(row("s", 2, 1), "the topic was made anew: another record stands there", stream.ErrRemade)
	f(row("r", 9, 9), "the topic was made anew: it ends at offset 3", stream.ErrRemade)
	var until kadm.Offsets
	until.Add(kadm.Offset{Topic: names.Replays, At: 2, LeaderEpoch: -1})
	if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), until); err != nil {
		t.Fatal(err)
	}
	f(row("r", 2, 1), "offset 1: retention has taken the record: the partition begins at offset 2 now; what the tables keep", stream.ErrExpired)
	f(row("r", 3, 2), "", nil)
	cluster.Close()
	if _, err := a.readReplay(t.Context(), row("r", 3, 2)); finish(err, &bytes.Buffer{}) != exitDependency {
		t.Errorf("no Kafka: %v", err)
	}
}

// TestHowToFindIsOneQuery: a run's name cannot leave its quotes.
func TestHowToFindIsOneQuery(t *testing.T) {
	text := howToFind("x'; DROP \"`$(id)\\\x1b")
	if strings.Count(text, "'") != 4 || strings.Count(text, `"`) != 2 || strings.ContainsAny(text, "`$\x1b") {
		t.Error(text)
	}
}
