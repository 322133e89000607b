package recording

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"understudy.dev/integration/kafkatest"
)

// TestTheDiskIsFull: the spool is on a tmpfs of 2 MiB, an outage brings more than
// fits, and the bound of the spool is beyond it. What finds no room is counted,
// and nobody who is served notices.
func TestTheDiskIsFull(t *testing.T) {
	cluster := kafkatest.Start(t, kafkatest.Options{Faults: true})
	b := newBench(t, cluster)
	if err := os.MkdirAll(b.spool, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", b.spool, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("no tmpfs may be mounted here (%v); recorder/spool tests a full disk with a writer of its own", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(b.spool, syscall.MNT_DETACH) })
	b.topics()
	rec := b.record()
	l := b.send(number("UNDERSTUDY_RATE", 300))
	time.Sleep(time.Second)
	cluster.PauseBroker(t, 0)
	time.Sleep(10 * time.Second)
	cluster.ResumeBroker(t, 0)
	time.Sleep(4 * time.Second)
	l.stop()
	if l.failed.Load() > 0 {
		t.Errorf("%d requests failed: %v", l.failed.Load(), l.first)
	}
	b.stop(rec)
	served, unique, full := uint64(0), uint64(0), uint64(0)
	for _, x := range b.heir() {
		if !x.Holds {
			t.Errorf("%s of %s: %s\n%s", x.Recorder, x.Start, strings.Join(x.Broken, "; "), b.logs.String())
		}
		for reason, n := range x.Dropped {
			if full += n; reason != "spool_full" {
				t.Errorf("%d were dropped: %s", n, reason)
			}
		}
		served, unique = served+x.Served, unique+x.Unique
	}
	if full == 0 || served != unique+full || served < l.ok.Load() {
		t.Errorf("served %d, in Kafka %d, without room %d", served, unique, full)
	}
	t.Logf("served %d, in Kafka %d, dropped for want of room %d; p50 %v p99 %v", served, unique, full, l.quantile(0.5), l.quantile(0.99))
}
