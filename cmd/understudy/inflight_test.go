package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/gateway/flight"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// TestInFlightCommands runs what docs/gateway.md shows of the ledger, on one with
// entries of two gateways.
func TestInFlightCommands(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	t.Setenv("UNDERSTUDY_KAFKA", strings.Join(cluster.ListenAddrs(), ","))
	if code, _, errOut := run1(t, "inflight", "list"); code != exitDependency || !strings.Contains(errOut, "run understudy topics apply") {
		t.Errorf("without topics: exit %d: %s", code, errOut)
	}
	if code, _, errOut := run1(t, "topics", "apply"); code != exitOK {
		t.Fatal(errOut)
	}
	names := topic.NamesFor("")
	p, err := stream.NewProducer(t.Context(), stream.Config{Brokers: cluster.ListenAddrs()}, tallyProducer())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	write := func(r *kgo.Record, err error) {
		t.Helper()
		if err == nil {
			err = p.ProduceSync(t.Context(), r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	entry := func(id string, state understudyv1.InFlight_State, accepted time.Duration) {
		write(stream.InFlightRecord(names, &understudyv1.InFlight{
			Migration: "checkout", Id: id, Gateway: "g", Route: "POST /orders", Method: "POST", State: state, Policy: flight.Hold,
			AcceptedUnixNano: int64(accepted), Reason: map[bool]string{true: "rolled back"}[state == understudyv1.InFlight_STATE_HELD], Keyed: true,
		}))
	}
	entry("aa1", understudyv1.InFlight_STATE_ACCEPTED, 2*time.Second)
	entry("aa2", understudyv1.InFlight_STATE_HELD, time.Second)
	entry("bb", understudyv1.InFlight_STATE_HELD, 3*time.Second)
	entry("gone", understudyv1.InFlight_STATE_ACCEPTED, 0)
	write(stream.InFlightEnd(names, "checkout", "gone"), nil)
	tally := &understudyv1.InFlightTally{Migration: "checkout", Gateway: "g", StartUnixNano: 1, Accepted: 1}
	write(stream.InFlightTallyRecord(names, tally))
	tally.Accepted, tally.Completed, tally.Held, tally.Pending = 4, 1, 2, 1
	write(stream.InFlightTallyRecord(names, tally))

	f := func(code int, want string, args ...string) {
		t.Helper()
		if got, out, errOut := run1(t, append([]string{"inflight"}, args...)...); got != code || !regexp.MustCompile(want).MatchString(out+errOut) {
			t.Errorf("%v: exit %d, want %d and %s:\n%s%s", args, got, code, want, out, errOut)
		}
	}
	f(exitOK, `(?s)aa2.*held.*hold +yes +rolled back.*aa1.*accepted.*bb`, "list")
	f(exitOK, `^ID[^\n]*\n$`, "list", "other")
	f(exitOK, `"id": "aa1"`, "show", "aa1")
	f(exitFailed, "begins more than one id", "show", "aa")
	f(exitFailed, "nothing in flight has the id gone", "show", "gone")
	f(exitUsage, "needs ID", "resolve", "aa1")
	f(exitUsage, "needs ID", "resolve", "--all-held", "--reason", "x")
	f(exitUsage, "is not one of table, json", "list", "-o", "xml")
	f(exitOK, "^aa1\n$", "resolve", "aa1", "--reason", "it was done")
	all := ""
	for line := range strings.Lines(block(t, "gateway.md", "inflight")) {
		var words []string
		for _, m := range regexp.MustCompile(`"([^"]*)"|(\S+)`).FindAllStringSubmatch(line, -1) {
			words = append(words, m[1]+m[2])
		}
		code, out, errOut := run1(t, words[1:]...)
		if all += out; code != exitOK {
			t.Errorf("%sexit %d: %s", line, code, errOut)
		}
	}
	if !strings.Contains(all, "aa2\nbb\n") || strings.Contains(all, "aa1") || !regexp.MustCompile(`g  1970\S+ +4 +0 +1 +0 +0 +0 +0 +2 +1 `).MatchString(all) {
		t.Errorf("got\n%s", all)
	}
	f(exitOK, `^ID[^\n]*\n$`, "list")
	tally.Completed = 0
	write(stream.InFlightTallyRecord(names, tally))
	f(exitFailed, "(?s)off by 1.*the ledgers of 1 lives do not balance", "balance", "checkout")
	if code, _, errOut := run1(t, "config", "validate", writeFile(t, block(t, "gateway.md", "face"))); code != exitOK {
		t.Errorf("configuration: %s", errOut)
	}
	wrong := "gateway: {migration: m, state_dir: s, face: {routes: [{route: POST /a, at_rollback: hand_back}, {route: POST /b, at_rollback: drop, done_status: 404, timeout: 1s}]}}\n"
	_, _, errOut := run1(t, "config", "validate", writeFile(t, wrong))
	for _, want := range []string{"routes[0].at_rollback: \"hand_back\" needs cancel", "routes[1].at_rollback: \"drop\" is not one of", "routes[1].done_status", "routes[1].timeout: 1s is less than the deadline"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("want %q in\n%s", want, errOut)
		}
	}
}
