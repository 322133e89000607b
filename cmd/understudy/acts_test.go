package main

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"understudy.dev/gateway"
	"understudy.dev/gateway/acts"
)

// TestWhoTurnedTheKillSwitch stands in the history of the migration, also if Kafka
// was away when it was turned.
func TestWhoTurnedTheKillSwitch(t *testing.T) {
	cfg := gateway.Config{Migration: "shop", StateDir: t.TempDir()}
	t.Setenv("UNDERSTUDY_KAFKA", "127.0.0.1:1")
	for _, args := range [][]string{{"on", "--reason", "orders are lost"}, {"off", "--reason", "mended"}} {
		args = append([]string{"gateway", "kill"}, append(args, "--migration", "shop", "--state-dir", cfg.StateDir)...)
		if code, _, errOut := run1(t, args...); code != exitOK {
			t.Fatal(errOut)
		}
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	t.Setenv("UNDERSTUDY_KAFKA", strings.Join(cluster.ListenAddrs(), ","))
	for _, args := range [][]string{{"topics", "apply"}, {"migration", "create", "shop", "canary:10%"}} {
		if code, _, errOut := run1(t, args...); code != exitOK {
			t.Fatal(errOut)
		}
	}
	a := newApp(strings.NewReader(""), t.Output(), t.Output())
	a.cfg.Kafka.Brokers = cluster.ListenAddrs()
	book := acts.Open(cfg.Dir())
	for range 2 { // the second time there is nothing
		if err := a.sendPending(t.Context(), book); err != nil {
			t.Fatal(err)
		}
	}
	if left, _, _, err := book.Pending(); len(left) > 0 || err != nil {
		t.Errorf("left: %v, %v", left, err)
	}
	_, out, errOut := run1(t, "migration", "history", "shop")
	lines := strings.Split(out, "\n")
	if len(lines) != 5 || !strings.Contains(lines[1], "kill_on") || !strings.Contains(lines[1], who()) || !strings.Contains(lines[1], "orders are lost") ||
		!strings.Contains(lines[2], "kill_off") || !strings.Contains(lines[3], "create") {
		t.Errorf("history:\n%s%s", out, errOut)
	}
	if code, out, _ := run1(t, "migration", "promote", "shop", "canary:20%"); code != exitOK || !strings.Contains(out, "(step 2)") {
		t.Errorf("what was done counts as a step: %s", out)
	}
}
