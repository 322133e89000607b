package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"google.golang.org/protobuf/proto"

	"understudy.dev/recorder"
	"understudy.dev/recorder/books"
	"understudy.dev/recorder/kafka"
	"understudy.dev/recorder/spool"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// life is one recorder's way to Kafka.
type life struct {
	t    *testing.T
	sink *kafka.Spooled
	b    *books.Books
	dir  string
	mu   sync.Mutex
	said []error
	log  logged
}

// logged is what was logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// directly says whether exchanges go to Kafka directly again.
func (l *life) directly() bool {
	l.log.mu.Lock()
	defer l.log.mu.Unlock()
	return strings.Contains(l.log.text.String(), "directly again")
}

func producers(t *testing.T, addrs []string) (exchanges, tallies *stream.Producer) {
	t.Helper()
	exchanges, err := stream.OpenProducer(stream.Config{Brokers: addrs}, stream.DefaultProducerConfig(), kafka.NoGivingUp())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(exchanges.Close)
	tallies, err = stream.OpenProducer(stream.Config{Brokers: addrs}, stream.DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tallies.Close)
	return exchanges, tallies
}

func begin(t *testing.T, addrs []string, dir string) *life {
	t.Helper()
	return beginWith(t, addrs, dir, 0)
}

// beginWith hands some exchanges over before the disk is there.
func beginWith(t *testing.T, addrs []string, dir string, early int) *life {
	t.Helper()
	cfg := spool.DefaultConfig()
	cfg.Dir, cfg.SyncInterval = dir, time.Millisecond
	exchanges, tallies := producers(t, addrs)
	l := &life{t: t, dir: dir, b: books.New("r/1", time.Now())}
	l.sink = kafka.NewSpooled(kafka.NewSink(exchanges, tallies, names), cfg, slog.New(slog.NewTextHandler(&l.log, nil)))
	l.b.Every(time.Second)
	l.record(0, early)
	if err := l.sink.Open(l.b); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); l.sink.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return l
}

// record hands exchanges over as the recorder does.
func (l *life) record(from, to int) {
	l.t.Helper()
	for i := from; i < to; i++ {
		entry, _ := l.b.Open()
		entry.Queue()
		entry.Hand()
		err := l.sink.Exchange(exchange(fmt.Sprintf("e%04d", i)), func(err error) {
			switch {
			case err == nil:
				entry.Record()
			case strings.Contains(err.Error(), recorder.ErrSpooled.Error()):
				entry.Spool()
			default:
				entry.Drop(recorder.Reason(err))
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			l.said = append(l.said, err)
		})
		if err != nil {
			l.t.Fatal(err)
		}
	}
}

// until waits for the books to say something.
func (l *life) until(what string, is func(books.Tally) bool) {
	l.t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(l.b.Tally()); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatalf("%s: %+v", what, l.b.Tally())
		}
	}
}

func folders(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func ids(t *testing.T, cluster *kfake.Cluster, n int) (out []string) {
	t.Helper()
	for _, value := range read(t, cluster, names.Exchanges, n) {
		e := new(understudyv1.Exchange)
		if err := proto.Unmarshal(value, e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e.GetId())
	}
	return out
}

func wanted(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("e%04d", i))
	}
	return out
}

// TestExchangesOutliveAnOutage: what Kafka does not take goes to disk, and from
// there to Kafka, in order, each once.
func TestExchangesOutliveAnOutage(t *testing.T) {
	cluster, _ := setUp(t)
	dir := t.TempDir()
	l := begin(t, cluster.ListenAddrs(), dir)
	l.record(0, 50)
	l.until("all in Kafka", func(c books.Tally) bool { return c.Recorded == 50 })

	var away sync.Mutex // held while Kafka leaves everything unanswered
	away.Lock()
	cluster.ControlKey(0, func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		cluster.SleepControl(func() { away.Lock(); away.Unlock() }) //nolint:staticcheck // it waits
		return nil, nil, false
	})
	l.record(50, 60)
	time.Sleep(2500 * time.Millisecond) // longer than Kafka may leave it unanswered
	l.record(60, 1000)
	l.until("on disk", func(c books.Tally) bool { return c.Spooled == 940 && c.InSink == 10 })
	if err := l.sink.Refuses(); err != nil {
		t.Errorf("refuses: %v", err)
	}
	away.Unlock()
	l.until("all in Kafka", func(c books.Tally) bool { return c.Recorded == 1000 && c.Excess() == 0 })
	if diff := cmp.Diff(wanted(1000), ids(t, cluster, 1000)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	n := 1000
	for end := time.Now().Add(30 * time.Second); !l.directly(); n++ { // traffic does not pause for it
		if time.Now().After(end) {
			t.Fatal("exchanges go to disk for ever")
		}
		l.record(n, n+1)
		time.Sleep(100 * time.Microsecond)
	}
	l.record(n, n+10)
	l.until("directly again", func(c books.Tally) bool { return c.Recorded == uint64(n+10) && c.Spooled == 0 && c.Excess() == 0 })
	if diff := cmp.Diff(wanted(n+10), ids(t, cluster, n+10)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := l.sink.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if err := l.sink.Close(true); err != nil {
		t.Fatal(err)
	}
	if left := folders(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestWhatCameBeforeTheDisk goes there as well, if Kafka does not take it.
func TestWhatCameBeforeTheDisk(t *testing.T) {
	setUp(t)
	l := beginWith(t, []string{"127.0.0.1:1"}, t.TempDir(), 10)
	time.Sleep(2500 * time.Millisecond) // longer than Kafka may leave it unanswered
	l.record(10, 20)
	l.until("on disk", func(c books.Tally) bool { return c.Spooled == 10 && c.InSink == 10 })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := l.sink.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if c := l.b.Tally(); c.Spooled != 20 || c.Excess() != 0 {
		t.Errorf("the books: %+v", c)
	}
	if err := l.sink.Close(false); err != nil {
		t.Fatal(err)
	}
}

// TestAnHeirWritesWhatIsLeft after an end without Kafka, each exchange once, in
// order and no faster than the drain rate, and closes the books.
func TestAnHeirWritesWhatIsLeft(t *testing.T) {
	cluster, _ := setUp(t)
	dir, nowhere := t.TempDir(), []string{"127.0.0.1:1"}
	l := begin(t, nowhere, dir)
	l.record(0, 10)
	time.Sleep(2500 * time.Millisecond)
	l.record(10, 700)
	l.until("on disk", func(c books.Tally) bool { return c.Spooled == 690 && c.InSink == 10 })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := l.sink.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	l.b.Close()
	final := l.b.Statement(time.Now(), true)
	if final.GetSpooled() != 700 || final.GetPending() != 0 || len(final.GetDropped()) != 0 {
		t.Fatalf("the final tally: %v", final)
	}
	if err := l.sink.Close(false); err != nil {
		t.Fatal(err)
	}
	if got := folders(t, dir); len(got) != 1 || !strings.HasPrefix(got[0], "r_1-") {
		t.Fatalf("folders %v", got)
	}

	// Kafka has some of what was taken back: only the acknowledgement was lost.
	p, _ := producers(t, cluster.ListenAddrs())
	for _, id := range []string{"e0003", "e0004"} {
		r, err := stream.ExchangeRecord(names, exchange(id))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.ProduceSync(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	exchanges, tallies := producers(t, cluster.ListenAddrs())
	cfg := spool.DefaultConfig()
	cfg.Dir = dir
	// A second for what goes first, so that what is left after that waits as long.
	cfg.DrainRate = 0
	for _, id := range wanted(500) {
		cfg.DrainRate += int64(proto.Size(exchange(id)))
	}
	began := time.Now()
	heir := &kafka.Heir{
		Kafka: stream.Config{Brokers: cluster.ListenAddrs()}, Names: names, Exchanges: exchanges, Tallies: tallies, Spool: cfg,
		Self: understudyv1.Life{Recorder: "r/1", StartUnixNano: time.Now().UnixNano()}, Log: slog.New(slog.DiscardHandler),
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); heir.Run(ctx) }()
	for end := time.Now().Add(30 * time.Second); len(folders(t, dir)) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the folder is still there")
		}
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("700 exchanges were written within %v, 500 in a second is the most", took)
	}
	stop()
	<-ended
	want := append([]string{"e0003", "e0004"}, slices.DeleteFunc(wanted(700), func(id string) bool { return id == "e0003" || id == "e0004" })...)
	if diff := cmp.Diff(want, ids(t, cluster, 700)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	all, err := stream.Tallies(t.Context(), stream.Config{Brokers: cluster.ListenAddrs()}, names)
	if err != nil || len(all) != 1 {
		t.Fatalf("tallies %v, %v", all, err)
	}
	if last := all[0]; last.GetRecorded() != 700 || last.GetSpooled() != 0 || !last.GetFinal() || last.GetClosed() {
		t.Errorf("the last tally: %v", last)
	}
}

// TestExchangesWithoutBooksAreSaid: nobody knows whose they are, or which of them
// Kafka has, but they must not lie there in silence.
func TestExchangesWithoutBooksAreSaid(t *testing.T) {
	cluster, p := setUp(t)
	cfg := spool.DefaultConfig()
	cfg.Dir = t.TempDir()
	for name, file := range map[string]string{"r-1": "0000000100000000.spool", "others": "notes.txt"} {
		if err := os.MkdirAll(filepath.Join(cfg.Dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(cfg.Dir, name, file), []byte("something"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said := make(chan string, 10)
	log := slog.New(slog.NewTextHandler(write(func(line string) { said <- line }), nil))
	heir := &kafka.Heir{Kafka: stream.Config{Brokers: cluster.ListenAddrs()}, Names: names, Exchanges: p, Tallies: p, Spool: cfg, Self: understudyv1.Life{Recorder: "r", StartUnixNano: 7}, Log: log}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); heir.Run(ctx) }()
	select {
	case line := <-said:
		if !strings.Contains(line, filepath.Join(cfg.Dir, "r-1")) || !strings.Contains(line, "no books") {
			t.Errorf("said %q", line)
		}
	case <-time.After(20 * time.Second):
		t.Error("nothing is said")
	}
	stop()
	<-ended
	if left, _ := os.ReadDir(filepath.Join(cfg.Dir, "others")); len(left) != 1 || len(said) > 0 {
		t.Errorf("a folder of others holds %v; also said: %d lines", left, len(said))
	}
}

// write is an io.Writer of lines.
type write func(line string)

func (w write) Write(p []byte) (int, error) { w(string(p)); return len(p), nil }

// TestAnHeirClosesTheBooksOfItsName even without a disk: what is unknown stays
// so.
func TestAnHeirClosesTheBooksOfItsName(t *testing.T) {
	cluster, p := setUp(t)
	cfg := stream.Config{Brokers: cluster.ListenAddrs()}
	for _, x := range []*understudyv1.Tally{
		{Recorder: "r", StartUnixNano: 5, Number: 7, IntervalNano: 1, Served: 9, Recorded: 9},
		{Recorder: "r", StartUnixNano: 6, Number: 2, IntervalNano: 1, Final: true},
		{Recorder: "r", StartUnixNano: 7, Number: 1, IntervalNano: 1}, // the heir itself
		{Recorder: "other", StartUnixNano: 5, Number: 1, IntervalNano: 1},
		{Recorder: "r", StartUnixNano: 4, Number: 3, IntervalNano: 1e9, TimeUnixNano: time.Now().UnixNano()}, // it may still run
	} {
		r, err := stream.TallyRecord(names, x)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.ProduceSync(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	heir := &kafka.Heir{Kafka: cfg, Names: names, Exchanges: p, Tallies: p, Self: understudyv1.Life{Recorder: "r", StartUnixNano: 7}, Log: slog.New(slog.DiscardHandler)}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); heir.Run(ctx) }()
	if got := len(read(t, cluster, names.Tallies, 6)); got != 6 {
		t.Fatalf("%d tallies", got)
	}
	stop()
	<-ended
	all, err := stream.Tallies(t.Context(), cfg, names)
	if err != nil {
		t.Fatal(err)
	}
	closed := map[string]bool{}
	for _, x := range all {
		closed[fmt.Sprint(x.GetRecorder(), x.GetStartUnixNano(), " ", x.GetNumber())] = x.GetClosed() && !x.GetExact()
	}
	if diff := cmp.Diff(map[string]bool{"r4 3": false, "r5 8": true, "r6 2": false, "r7 1": false, "other5 1": false}, closed); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestASpoolThatCannotBeOpened costs nothing but itself.
func TestASpoolThatCannotBeOpened(t *testing.T) {
	cluster, _ := setUp(t)
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := spool.DefaultConfig()
	cfg.Dir = blocked
	exchanges, tallies := producers(t, cluster.ListenAddrs())
	sink := kafka.NewSpooled(kafka.NewSink(exchanges, tallies, names), cfg, slog.New(slog.DiscardHandler))
	if err := sink.Open(books.New("r", time.Now())); err == nil {
		t.Fatal("a folder was made within a file")
	}
	done := make(chan error, 1)
	if err := sink.Exchange(exchange("e"), func(err error) { done <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := sink.Close(true); err != nil || sink.Left() != 0 || sink.Bytes() != 0 {
		t.Errorf("close: %v, %d left", err, sink.Left())
	}
}
