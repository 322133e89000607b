package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// TestSnapshotGoesOn: a migration is kept, and goes on from there under another
// prefix as if nothing had been; restored again nothing changes, and what has gone
// on since is not taken back.
func TestSnapshotGoesOn(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	t.Setenv("UNDERSTUDY_KAFKA", strings.Join(cluster.ListenAddrs(), ","))
	f := func(code int, want string, args ...string) string {
		t.Helper()
		got, out, errOut := run1(t, args...)
		if got != code || !strings.Contains(out+errOut, want) {
			t.Errorf("%v: exit %d, want %d and %q:\n%s%s", args, got, code, want, out, errOut)
		}
		return out
	}
	for _, prefix := range []string{"old", "new"} {
		f(exitOK, "", "topics", "apply", "--prefix", prefix)
	}
	old := []string{"--prefix", "old"}
	on := func(args ...string) []string { return append(args, old...) }
	f(exitOK, "", on("migration", "create", "checkout", "shadow")...)
	f(exitOK, "", on("migration", "promote", "checkout", "canary:1%", "--reason", "fine")...)
	f(exitOK, "", on("migration", "promote", "checkout", "canary:5%", "--only", "GET /carts/{id}")...)
	f(exitOK, "", on("migration", "hold", "checkout", "--reason", "a look")...)
	cfg, names := stream.Config{Brokers: cluster.ListenAddrs()}, topic.NamesFor("old")
	p, err := stream.NewProducer(t.Context(), cfg, tallyProducer())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	entry, err := stream.InFlightRecord(names, &understudyv1.InFlight{Migration: "checkout", Id: "aa", Gateway: "G", State: understudyv1.InFlight_STATE_HELD, Reason: "rolled back"})
	if err != nil {
		t.Fatal(err)
	}
	tally, err := stream.InFlightTallyRecord(names, &understudyv1.InFlightTally{Migration: "checkout", Gateway: "G", Accepted: 3, Completed: 2, Held: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.ProduceSync(t.Context(), entry, tally); err != nil {
		t.Fatal(err)
	}
	admin := kadm.NewClient(p.Client())
	read := kadm.Offsets{}
	read.Add(kadm.Offset{Topic: names.Replays, Partition: 2, At: 7, LeaderEpoch: -1, Metadata: "planned 9"})
	if _, err := admin.CommitOffsets(t.Context(), "old.comparator", read); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	f(exitOK, "", "gateway", "kill", "on", "--migration", "checkout", "--state-dir", state, "--reason", "lost")
	name, lock, err := ledgerName(filepath.Join(state, "checkout"))
	if err != nil {
		t.Fatal(err)
	}
	second, other, err := ledgerName(filepath.Join(state, "checkout"))
	if err != nil || second == name {
		t.Errorf("two gateways of one folder are called %q and %q, %v", name, second, err)
	}
	lock.Close()
	other.Close()
	config := writeFile(t, "replay: {speed: 2}\n")
	file := filepath.Join(dir, "checkout.snapshot")
	save := on("snapshot", "save", file, "--migration", "checkout", "--state-dir", state, "--config", config)
	f(exitOK, "checkout, at canary:1%, held (step 4)", save...)
	f(exitUsage, "file exists", save...)
	shown := f(exitOK, "1, of which 1 wait for a person", "snapshot", "show", file)
	for _, part := range []string{"state/killed", "state/ledger-1/name", "state/ledger-2/name", "files/" + filepath.Base(config), "offsets.json"} {
		if !strings.Contains(shown, part) {
			t.Errorf("%s is missing in\n%s", part, shown)
		}
	}

	// All is gone, and it is restored elsewhere.
	elsewhere, files := filepath.Join(dir, "elsewhere"), filepath.Join(dir, "files")
	f(exitOK, "can be restored under new: 4 steps are missing", "snapshot", "verify", file, "--prefix", "new")
	restore := []string{"snapshot", "restore", file, "--prefix", "new", "--state-dir", elsewhere, "--files-to", files}
	f(exitOK, "checkout is at canary:1%, held (step 4): 4 steps, 1 entries of the ledger and 0 of 1 offsets", restore...)
	f(exitOK, "0 steps, 0 entries of the ledger and 0 of 1 offsets", restore...)
	for _, args := range [][]string{{"migration", "status"}, {"migration", "history", "checkout"}, {"inflight", "list"}, {"inflight", "balance", "checkout"}} {
		was := f(exitOK, "", on(args...)...)
		f(exitOK, was, append(args, "--prefix", "new")...)
	}
	again, lock, err := ledgerName(filepath.Join(elsewhere, "checkout"))
	if err != nil || again != name {
		t.Errorf("the gateway is called %q, not %q, %v", again, name, err)
	}
	lock.Close()
	if _, err := os.Stat(filepath.Join(elsewhere, "checkout", "killed")); err != nil {
		t.Errorf("the kill switch is off: %v", err)
	}
	if b, err := os.ReadFile(filepath.Join(files, filepath.Base(config))); string(b) != "replay: {speed: 2}\n" {
		t.Errorf("configuration %q, %v", b, err)
	}
	f(exitOK, "canary:1%, held -> canary:1% (step 5)", "migration", "resume", "checkout", "--prefix", "new")
	f(exitFailed, "has gone on since: it is at step 5, the snapshot at step 4", restore...)
	f(exitFailed, "has gone on since", "snapshot", "verify", file, "--prefix", "new")

	// Under its own prefix only what is missing comes back.
	if _, err := admin.DeleteGroups(t.Context(), "old.comparator"); err != nil {
		t.Fatal(err)
	}
	f(exitOK, "0 steps, 0 entries of the ledger and 1 of 1 offsets", on("snapshot", "restore", file)...)
	back, err := admin.FetchOffsets(t.Context(), "old.comparator")
	if o, _ := back.Lookup(names.Replays, 2); err != nil || o.At != 7 || o.Metadata != "planned 9" {
		t.Errorf("offset %+v, %v", o, err)
	}
	f(exitOK, "0 of 1 offsets", on("snapshot", "restore", file)...)

	// Files that are others are not written over, and nothing else is done.
	if err := os.WriteFile(filepath.Join(files, filepath.Base(config)), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	f(exitOK, "", "topics", "apply", "--prefix", "third")
	f(exitFailed, "is there and is not that of the snapshot", "snapshot", "restore", file, "--prefix", "third", "--files-to", files)
	f(exitFailed, "there is no migration checkout", "migration", "status", "checkout", "--prefix", "third")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f(exitFailed, "damaged", "snapshot", "verify", writeFile(t, strings.Replace(string(b), "NAME_CANARY", "NAME_SHADOW", 1)), "--prefix", "third")
	f(exitUsage, "needs --migration", on("snapshot", "save", filepath.Join(dir, "x"))...)
	f(exitFailed, "there is no migration other", on("snapshot", "save", filepath.Join(dir, "x"), "--migration", "other")...)
}
