package stream_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func stagesTopic(t *testing.T) (stream.Config, topic.Names) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	cfg, names := stream.Config{Brokers: cluster.ListenAddrs()}, topic.NamesFor("t")
	client, err := stream.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := stream.Apply(t.Context(), client, topic.Specs(names, topic.Sizing{})); err != nil {
		t.Fatal(err)
	}
	return cfg, names
}

func stagesProducer(t *testing.T, cfg stream.Config) *stream.Producer {
	t.Helper()
	pc := stream.DefaultProducerConfig()
	pc.Linger = 0
	p, err := stream.NewProducer(t.Context(), cfg, pc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// next counts on what is there.
func next(who string) func([]*understudyv1.Stage) (*understudyv1.Stage, error) {
	return func(before []*understudyv1.Stage) (*understudyv1.Stage, error) {
		version := uint64(0)
		for _, s := range before {
			version = max(version, s.GetVersion())
		}
		return &understudyv1.Stage{Migration: "m", Name: understudyv1.Stage_NAME_SHADOW, Version: version + 1, Who: who, Id: rand.Text(), TimeUnixNano: time.Now().UnixNano()}, nil
	}
}

// TestWritersAtOnce: every step that a writer was told counts is the first of its
// number, and with patience everybody gets one.
func TestWritersAtOnce(t *testing.T) {
	cfg, names := stagesTopic(t)
	const writers = 6
	var group sync.WaitGroup
	counted := make([]*understudyv1.Stage, writers)
	for i := range writers {
		p := stagesProducer(t, cfg)
		group.Go(func() {
			var err error
			if counted[i], err = stream.WriteStage(t.Context(), cfg, names, p, "m", true, next(fmt.Sprint("writer ", i))); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	first := map[uint64]string{}
	if err := stream.EachStage(t.Context(), cfg, names, func(s *understudyv1.Stage) {
		if first[s.GetVersion()] == "" {
			first[s.GetVersion()] = s.GetId()
		}
	}); err != nil {
		t.Fatal(err)
	}
	if len(first) != writers {
		t.Errorf("%d steps of %d writers", len(first), writers)
	}
	for _, s := range counted {
		if first[s.GetVersion()] != s.GetId() {
			t.Errorf("step %d of %s does not count", s.GetVersion(), s.GetWho())
		}
	}
	refused := errors.New("no")
	if _, err := stream.WriteStage(t.Context(), cfg, names, stagesProducer(t, cfg), "m", true, func([]*understudyv1.Stage) (*understudyv1.Stage, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}

// TestFollowStages: first all that there is, then that this is all, then what
// comes; a record that is none of ours is said and left out.
func TestFollowStages(t *testing.T) {
	cfg, names := stagesTopic(t)
	p := stagesProducer(t, cfg)
	write := func() {
		t.Helper()
		if _, err := stream.WriteStage(t.Context(), cfg, names, p, "m", false, next("ann")); err != nil {
			t.Fatal(err)
		}
	}
	write()
	write()
	foreign, err := stream.TallyRecord(names, &understudyv1.Tally{Recorder: "r"})
	if err != nil {
		t.Fatal(err)
	}
	foreign.Topic = names.Stages
	if err := p.ProduceSync(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	var seen, whole, problems atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- stream.FollowStages(ctx, cfg, names, stream.StageFollower{
			Step:    func(s *understudyv1.Stage) { seen.Store(int64(s.GetVersion())) },
			Current: func(time.Time) { whole.Store(seen.Load()) },
			Problem: func(error) { problems.Add(1) },
		})
	}()
	until := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: seen %d, whole %d, problems %d", what, seen.Load(), whole.Load(), problems.Load())
			}
		}
	}
	until("what is there", func() bool { return whole.Load() == 2 && problems.Load() == 1 })
	write()
	until("what comes", func() bool { return seen.Load() == 3 && whole.Load() == 3 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestFollowStagesWaits for a topic that is not there yet.
func TestFollowStagesWaits(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	cfg, names := stream.Config{Brokers: cluster.ListenAddrs()}, topic.NamesFor("t")
	ctx, cancel := context.WithCancel(t.Context())
	problem, seen := make(chan error, 100), make(chan struct{}, 100)
	done := make(chan error, 1)
	go func() {
		done <- stream.FollowStages(ctx, cfg, names, stream.StageFollower{
			Step: func(*understudyv1.Stage) { seen <- struct{}{} }, Current: func(time.Time) {},
			Problem: func(err error) {
				select {
				case problem <- err:
				default:
				}
			},
		})
	}()
	if err := <-problem; err == nil {
		t.Error("nothing is said")
	}
	client, err := stream.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := stream.Apply(t.Context(), client, topic.Specs(names, topic.Sizing{})); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.WriteStage(t.Context(), cfg, names, stagesProducer(t, cfg), "m", false, next("ann")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-seen:
	case <-time.After(30 * time.Second):
		t.Error("it does not see the topic that was made later")
	}
	cancel()
	<-done
}
