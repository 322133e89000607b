package migration

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSnapshotElsewhere: with orders in flight a migration is kept, everything of
// it is wiped, and it goes on under another prefix and in another folder: at its
// stage, with what was in flight.
func TestSnapshotElsewhere(t *testing.T) {
	f := newFlightTest(t, "finish")
	const some = 50
	for i := range some {
		go func() {
			r, err := http.NewRequest(http.MethodPost, "http://"+f.g.address+"/orders", strings.NewReader(fmt.Sprint("order-", i)))
			if err != nil {
				return
			}
			if a, err := http.DefaultClient.Do(r); err == nil { // the gateway ends meanwhile
				a.Body.Close()
			}
		}()
	}
	f.until("they are in flight", func() bool { return len(f.entries()) == some })
	f.run("migration", "hold", "shop", "--reason", "it moves to another cluster")
	_ = f.g.cmd.Process.Kill()
	_ = f.g.cmd.Wait()
	file := filepath.Join(t.TempDir(), "shop.snapshot")
	f.run("snapshot", "save", file, "--migration", "shop", "--state-dir", f.g.dir)
	if err := os.RemoveAll(f.g.dir); err != nil {
		t.Fatal(err)
	}

	old := f.where[3]
	f.where = []string{"--kafka", f.where[1], "--prefix", old + "-elsewhere"}
	f.run("topics", "apply")
	elsewhere := filepath.Join(t.TempDir(), "state")
	f.run("snapshot", "restore", file, "--state-dir", elsewhere)
	f.run("snapshot", "restore", file, "--state-dir", elsewhere)
	for i, arg := range f.g.args {
		switch arg {
		case old:
			f.g.args[i] = f.where[3]
		case f.g.dir:
			f.g.args[i] = elsewhere
		}
	}
	f.g.start()
	f.until("the stages are there", func() bool { return f.g.metric("understudy_gateway_stages_version") == 2 })
	f.until("what was in flight is taken up", func() bool { return f.g.metric("understudy_gateway_inflight_pending") == some })
	f.l.let()
	f.until("all are completed", func() bool { return len(f.entries()) == 0 })
	f.s.mu.Lock()
	for i := range some {
		if n := f.s.effects[fmt.Sprint("order-", i)]; n != 1 {
			t.Errorf("order %d happened %d times", i, n)
		}
	}
	f.s.mu.Unlock()
	if out := f.run("migration", "resume", "shop"); !strings.Contains(out, "live, held -> live (step 3)") {
		t.Errorf("it goes on with %s", out)
	}
	f.until("the gateway goes on", func() bool { return f.g.metric("understudy_gateway_stages_version") == 3 })
	f.g.stop()
	t.Logf("\n%s", f.run("inflight", "balance", "shop"))
	http.DefaultClient.CloseIdleConnections()
}
