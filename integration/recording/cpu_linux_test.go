package recording

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"understudy.dev/integration/kafkatest"
)

// cpu is the processor time that a process has used, to 10 ms.
func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	ticks := int64(0)
	for _, f := range fields[11:13] { // utime, stime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// TestCPUWhileKafkaIsAway measures what a request costs the recorder while Kafka
// is well, and while it is silent with and without a spool. It fails only when a
// request does.
func TestCPUWhileKafkaIsAway(t *testing.T) {
	cluster := kafkatest.Start(t, kafkatest.Options{Faults: true})
	b := newBench(t, cluster)
	b.topics()
	rate, seconds := number("UNDERSTUDY_RATE", 300), number("UNDERSTUDY_SECONDS", 3)
	for _, spool := range []string{b.spool, ""} {
		rec := b.record("--spool-dir", spool, "--drain-delay", "0s")
		measure := func(what string) {
			t.Helper()
			before := cpu(t, rec.Process.Pid)
			l := b.send(rate)
			time.Sleep(time.Duration(seconds) * time.Second)
			l.stop()
			if l.failed.Load() > 0 {
				t.Errorf("%d requests failed: %v", l.failed.Load(), l.first)
			}
			n := l.ok.Load()
			t.Logf("spool %t, Kafka %s: %v of CPU a request, p50 %v p99 %v (%d requests at %d a second)", spool != "", what,
				((cpu(t, rec.Process.Pid) - before) / time.Duration(n)).Round(time.Microsecond), l.quantile(0.5), l.quantile(0.99), n, rate)
		}
		measure("warming up")
		measure("well")
		cluster.PauseBroker(t, 0)
		measure("silent, at first")
		measure("silent")
		cluster.ResumeBroker(t, 0)
		_ = rec.Process.Kill()
		_ = rec.Wait()
	}
}
