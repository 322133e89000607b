package main

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"understudy.dev/exchange/kill"
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

// TestActsDoNotWaitForASilentKafka: a gateway that ends does not either, and what
// was done stays in its folder.
func TestActsDoNotWaitForASilentKafka(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			if _, err := ln.Accept(); err != nil { // and never a word
				return
			}
		}
	}()
	cfg := gateway.Config{Migration: "shop", StateDir: t.TempDir()}
	a := newApp(strings.NewReader(""), t.Output(), t.Output())
	a.cfg.Kafka.Brokers = []string{ln.Addr().String()}
	a.noteAct(cfg)(kill.Act{On: true, Who: "ann", Reason: "it lies", Time: time.Now()})
	book := acts.Open(cfg.Dir())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.sendActs(ctx, book) }()
	time.Sleep(500 * time.Millisecond) // it is under way
	cancel()
	select {
	case <-ended:
	case <-time.After(actsTime * 8 / 10):
		t.Error("it waits for Kafka")
	}
	if left, _, _, err := book.Pending(); len(left) != 1 || err != nil {
		t.Errorf("left: %v, %v", left, err)
	}
}
