package gateway_test

import (
	"net/http"
	"testing"

	"understudy.dev/exchange/visit"
	"understudy.dev/gateway"
	"understudy.dev/gateway/face"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestDoorOfTheFace: who is sent to the face, and who goes to the side that has
// accepted what he asks for, whatever the stage is; the kill switch wins.
func TestDoorOfTheFace(t *testing.T) {
	g := door(t, t.TempDir(), func(c *gateway.Config) { c.Face.Routes = []face.Route{{Route: "POST /orders"}} })
	feed(g, steps(t, order(stage.ActionCreate, "live")))
	f := func(method, target, side, decision string, faced bool, header ...string) {
		t.Helper()
		v := enter(t, g, method, target, append(header, "X-Session: alice")...)
		if understudyv1.Label(v.Side) != side || v.Decision != decision || v.Faced != faced {
			t.Errorf("%s %s %v: %s, %s, faced %v", method, target, header, understudyv1.Label(v.Side), v.Decision, v.Faced)
		}
	}
	session := enter(t, g, http.MethodGet, "/", "X-Session: alice").Session
	f(http.MethodPost, "/orders?x=1", "candidate", "stage", true)
	f(http.MethodGet, "/orders", "candidate", "stage", false)
	f(http.MethodPost, "/orders", "candidate", "stage", false, "Upgrade: websocket", "Connection: Upgrade")
	g.Accepted().NoteAddress("/jobs/1", understudyv1.Side_SIDE_CANDIDATE)
	g.Accepted().NoteAddress("/jobs/2", understudyv1.Side_SIDE_BASELINE)
	g.Accepted().NoteKey(session, "POST /orders", "k", understudyv1.Side_SIDE_CANDIDATE)
	f(http.MethodGet, "/jobs/2", "baseline", "accepted", false)

	if g.RolledBack("POST /orders") {
		t.Error("rolled back before it is")
	}
	feed(g, steps(t, order(stage.ActionCreate, "live"), order(stage.ActionRollback, "")))
	if !g.RolledBack("POST /orders") {
		t.Error("not rolled back")
	}
	f(http.MethodPost, "/orders", "baseline", "rolled_back", false)
	f(http.MethodPost, "/orders", "baseline", "rolled_back", true, "Prefer: respond-async")
	f(http.MethodPost, "/orders", "baseline", "rolled_back", false, "Idempotency-Key: other")
	f(http.MethodPost, "/orders", "candidate", "accepted", true, "Idempotency-Key: k")
	f(http.MethodGet, "/jobs/1/result", "candidate", "accepted", false)
	f(http.MethodPost, "/orders", "baseline", "control", false, "Understudy-Control: r", "Idempotency-Key: k")

	if err := g.Kill().Set(true, "test"); err != nil {
		t.Fatal(err)
	}
	f(http.MethodGet, "/jobs/1", "baseline", "killed", false)
	f(http.MethodPost, "/orders", "baseline", "killed", false, "Idempotency-Key: k")
}

// TestFallback is the baseline's until the migration is complete.
func TestFallback(t *testing.T) {
	g := door(t, t.TempDir(), nil)
	v := &visit.Visit{Side: understudyv1.Side_SIDE_CANDIDATE, Stage: "live", Attempts: 1}
	if !g.Fallback(v, face.DecisionLate) || v.Side != understudyv1.Side_SIDE_BASELINE || v.Decision != "late" || v.Attempts != 2 {
		t.Errorf("%+v", v)
	}
	v = &visit.Visit{Side: understudyv1.Side_SIDE_CANDIDATE, Stage: "complete", Attempts: 1}
	if g.Fallback(v, face.DecisionLate) || v.Side != understudyv1.Side_SIDE_CANDIDATE || v.Attempts != 1 {
		t.Errorf("complete: %+v", v)
	}
}
