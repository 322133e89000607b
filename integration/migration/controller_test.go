package migration

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/demo/turn"
	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/integration/kafkatest"
)

// walk is a migration that a plan moves, with all that it takes.
type walk struct {
	*testing.T
	shop        *turn.Shop
	door        *instance
	users       *turn.Users
	enough      func()   // ends the users' asking, and returns when all is answered
	where       []string // flags of Kafka
	tables      string
	home        string
	plan        string
	controllers []*controllerProcess
	ever        []*controllerProcess // those that were killed, too
	compare     *process
	replay      *process
	watch       *process
	kills       int
}

type controllerProcess struct {
	*process
	admin string
}

// policy asks for so little that seconds of traffic do.
const policy = `limits: {mismatch: 10%, rejected: 10%, lost: 10%, error: 10%, contradictory: 10%, duplicate: 10%, late: 100%, out_of_order: 10%}
routes:
  - {route: "GET /cart/{id}", minimum: 1}
`

const planText = `migration: shop
gate: gate.yaml
run: shadow
every: 1s
steps:
  - {stage: shadow, requests: 100}
  - {stage: canary:1%, for: 1s}
  - {stage: canary:10%, requests: 500}
  - {stage: canary:50%, for: 1s}
  - {stage: live}
  - {stage: complete, enter: by_hand}
`

func newWalk(t *testing.T, database string, shoppers int) *walk {
	engine, cluster := embeddedtest.Start(t), kafkatest.Shared(t)
	kafka, prefix := strings.Join(cluster.Addrs(), ","), cluster.Prefix(t)
	w := &walk{T: t, home: t.TempDir(), where: []string{"--kafka", kafka, "--prefix", prefix}, tables: "clickhouse://" + engine.Native + "/" + database}
	if _, err := clickhouse.Migrate(t.Context(), clickhouse.Config{Address: w.tables}); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.shop, err = turn.NewShop(); err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); _ = w.shop.Run(serving) }()
	t.Cleanup(func() { stop(); <-over })
	command(t, append([]string{"topics", "apply"}, w.where...)...)
	w.door = newInstance(t, w.home, w.shop.Baseline, w.shop.Candidate, kafka, prefix)
	w.door.start()
	w.plan = filepath.Join(w.home, "plan.yaml")
	for name, text := range map[string]string{"plan.yaml": planText, "gate.yaml": policy} {
		if err := os.WriteFile(filepath.Join(w.home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.replay = launch(t, w.home, append([]string{"replay", "--follow", "--run", "shadow", "--candidate", w.shop.Rehearsal, "--isolated", "--delay", "500ms"}, w.where...)...)
	w.startCompare()
	w.users = &turn.Users{URL: "http://" + w.door.address, N: shoppers, Pause: 500 * time.Millisecond}
	asking, done := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.users.Run(asking) }()
	w.enough = sync.OnceFunc(func() { done(); <-ended })
	t.Cleanup(w.enough)
	return w
}

func (w *walk) startCompare() {
	w.compare = launch(w.T, w.home, append([]string{"compare", "--follow", "--clickhouse", w.tables}, w.where...)...)
}

func (w *walk) startController() {
	c := &controllerProcess{admin: free(w.T)}
	c.process = launch(w.T, w.home, append([]string{"controller", "--plan", w.plan, "--clickhouse", w.tables, "--admin", c.admin}, w.where...)...)
	w.controllers, w.ever = append(w.controllers, c), append(w.ever, c)
}

// acting returns the controller that acts, when one does.
func (w *walk) acting() *controllerProcess {
	w.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		for _, c := range w.controllers {
			if (&instance{admin: c.admin}).metric("understudy_controller_acting") == 1 {
				return c
			}
		}
		if time.Now().After(end) {
			w.Fatal("no controller acts")
		}
	}
}

// killActing kills the controller that acts as kill -9 does, and starts another one.
func (w *walk) killActing() {
	c := w.acting()
	c.kill()
	w.kills++
	w.controllers = slices.DeleteFunc(w.controllers, func(o *controllerProcess) bool { return o == c })
	w.startController()
}

// step is one of the migration's history.
type step struct {
	Version    string `json:"version"`
	Name       string `json:"name"`
	Weight     int    `json:"weight"`
	Action     string `json:"action"`
	Who        string `json:"who"`
	Reason     string `json:"reason"`
	RolledBack bool   `json:"rolled_back"`
	Time       string `json:"time_unix_nano"`
	Evidence   *struct {
		Run       string `json:"run"`
		Judgement string `json:"judgement"`
		Decision  string `json:"decision"`
		Requests  string `json:"requests"`
		Result    []byte `json:"result"`
	} `json:"evidence"`
}

func (s step) String() string {
	name := strings.ToLower(strings.TrimPrefix(s.Name, "NAME_"))
	if s.Weight > 0 {
		name += fmt.Sprintf(":%d%%", s.Weight/100)
	}
	return s.Action + " " + name
}

func (s step) at() time.Time {
	n, _ := strconv.ParseInt(s.Time, 10, 64)
	return time.Unix(0, n)
}

func (w *walk) history() (out []step) {
	w.Helper()
	if err := json.Unmarshal([]byte(command(w.T, append([]string{"migration", "history", "shop", "-o", "json"}, w.where...)...)), &out); err != nil {
		w.Fatal(err)
	}
	return out
}

// until waits for the n-th step, and returns it.
func (w *walk) until(n int, want string) step {
	w.Helper()
	for end := time.Now().Add(4 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if all := w.history(); len(all) >= n {
			if got := all[n-1]; got.String() != want {
				w.Fatalf("step %d is %s (%s), want %s", n, got, got.Reason, want)
			}
			w.Logf("%-22s %s: %.150s", all[n-1], all[n-1].Who, all[n-1].Reason)
			return all[n-1]
		}
		if time.Now().After(end) {
			for _, c := range w.controllers {
				w.Logf("controller:\n%s", c.out)
			}
			w.Fatalf("no %s\nreplay:\n%s\ncompare:\n%s", want, w.replay.out, w.compare.out)
		}
	}
}

func (w *walk) do(args ...string) {
	w.Helper()
	command(w.T, append(append([]string{"migration"}, args...), w.where...)...)
}

// TestThePlanMovesUsers: a candidate that begins to lie in the canary of 10 % is
// rolled back by the gate, nobody returns there before a person says so, and once it
// is mended everybody moves over. The controller that acts is killed at every other
// step.
func TestThePlanMovesUsers(t *testing.T) {
	w := newWalk(t, "walk", 60)
	w.startController()
	w.startController()
	w.do("create", "shop")
	w.watch = launch(t, w.home, append([]string{"migration", "status", "shop", "--watch", "--every", "1s", "--clickhouse", w.tables, "--policy", filepath.Join(w.home, "gate.yaml")}, w.where...)...)
	n := 1
	next := func(want string) step {
		t.Helper()
		n++
		s := w.until(n, want)
		w.killActing()
		return s
	}
	next("promote shadow")
	next("promote canary:1%")
	n++
	w.until(n, "promote canary:10%") // whose controller lives, so that what is timed is the gate
	began := time.Now()
	w.shop.Lie(true)
	back := next("rollback canary:10%")
	for end := time.Now().Add(time.Minute); w.door.metric("understudy_gateway_stages_version") < float64(n); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the rollback does not reach the gateway")
		}
	}
	time.Sleep(time.Second) // what was under way
	lies, last := w.shop.Lies()
	seen := w.users.Counts()
	t.Logf("rolled back %.1f s after the first lie, the last lie %.1f s after it: %d of %d requests are affected",
		back.at().Sub(began).Seconds(), last.Sub(began).Seconds(), seen.Wrong, seen.Requests)
	if last.After(back.at().Add(5*time.Second)) || seen.Wrong == 0 || seen.Wrong != lies {
		t.Errorf("the last lie is of %s, the rollback of %s; the users saw %d of %d lies", last, back.at(), seen.Wrong, lies)
	}

	w.shop.Lie(false)
	w.do("resume", "shop", "--reason", "mended")
	next("resume shadow")
	next("promote canary:1%")
	w.waits("a person goes on to there")
	w.do("promote", "shop", "canary:10%", "--reason", "looked at it")
	next("promote canary:10%")
	next("promote canary:50%")
	next("promote live")
	kills, err := strconv.Atoi(cmp.Or(os.Getenv("UNDERSTUDY_KILLS"), "1"))
	if err != nil {
		t.Fatal(err)
	}
	for w.kills < kills {
		w.do("rollback", "shop", "--reason", "another turn")
		next("rollback live")
		w.do("resume", "shop", "canary:10%")
		next("resume canary:10%")
		next("promote canary:50%")
		w.waits("a person goes on to there: understudy migration promote shop live")
		w.do("promote", "shop", "live")
		next("promote live")
	}
	w.waits("a person goes on: understudy migration promote shop complete")
	w.do("promote", "shop", "complete")
	next("promote complete")
	served := w.users.Counts().ByCandidate
	for end := time.Now().Add(time.Minute); w.users.Counts().ByCandidate < served+100 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	w.enough()
	w.done(n)
}

// waits until a controller says so.
func (w *walk) waits(why string) {
	w.Helper()
	for end := time.Now().Add(4 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		for _, c := range w.controllers {
			if strings.Contains(c.out.String(), why) {
				return
			}
		}
		if time.Now().After(end) {
			w.Fatalf("nobody says %q", why)
		}
	}
}

// done checks what the walk has left: clients, effects, and the audit of n steps.
func (w *walk) done(n int) {
	w.Helper()
	orders, doubled := w.shop.Effects()
	c := w.users.Counts()
	w.Logf("%d requests, %d served by the candidate, %d orders, %d wrong answers, %d client errors, %d doubled effects, %d kills of the controller that acted",
		c.Requests, c.ByCandidate, orders, c.Wrong, c.Errors, doubled, w.kills)
	if c.Errors > 0 || doubled > 0 {
		w.Errorf("%d faults, %d doubled effects; the first: %s", c.Errors, doubled, c.Fault)
	}
	all := w.history()
	if len(all) != n {
		w.Errorf("%d steps, want %d", len(all), n)
	}
	for i, s := range all {
		byPlan := strings.HasPrefix(s.Who, "controller@")
		if gated := byPlan && s.Name != "NAME_SHADOW"; gated != (s.Evidence != nil) {
			w.Errorf("step %d, %s by %s: evidence %v", i+1, s, s.Who, s.Evidence)
		} else if gated && (s.Evidence.Run != "shadow" || s.Evidence.Judgement == "" || !json.Valid(s.Evidence.Result) || s.Evidence.Decision != map[bool]string{true: "roll_back", false: "promote"}[s.RolledBack]) {
			w.Errorf("step %d, %s: evidence %+v", i+1, s, s.Evidence)
		}
	}
	w.audited(all)
	seen := w.watch.out.String()
	for _, want := range []string{"shop shadow step 2; gate promote", "shop canary:10% step 4; gate roll back", "all: mismatch", "by the candidate"} {
		if !strings.Contains(seen, want) {
			w.Errorf("who watched has not seen %q:\n%s", want, seen)
		}
	}
	warned := slices.ContainsFunc(w.ever, func(c *controllerProcess) bool {
		return strings.Contains(c.out.String(), "matches no route of the run; did you mean")
	})
	if !warned {
		w.Error("a route of the policy that nothing has is not warned of")
	}
}

// audited compares the table with the topic, when the controller has had its turn.
func (w *walk) audited(all []step) {
	w.Helper()
	conn, err := clickhouse.Connect(w.Context(), clickhouse.Config{Address: w.tables})
	if err != nil {
		w.Fatal(err)
	}
	defer conn.Close()
	var want strings.Builder
	for _, s := range all {
		fmt.Fprintf(&want, "%s %s %s %s\n", s.Version, s.Action, s.Who, s.Reason)
	}
	got := ""
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if err := conn.QueryRow(w.Context(), "SELECT arrayStringConcat(arrayMap(x -> concat(x.2, '\n'), arraySort(groupArray((s.step, concat(toString(s.step), ' ', s.action, ' ', s.who, ' ', s.reason))))), '') FROM stages AS s WHERE migration = 'shop'").Scan(&got); err != nil {
			w.Fatal(err)
		}
		if got == want.String() {
			return
		}
	}
	w.Errorf("the table has\n%s\nthe topic\n%s", got, want.String())
}
