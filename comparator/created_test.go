package comparator_test

import (
	"testing"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestContentLocation says where what was made is only if something was.
func TestContentLocation(t *testing.T) {
	for status, want := range map[uint32]comparator.Verdict{201: comparator.Match, 200: comparator.Presumed} {
		answer := func(id string) *understudyv1.Response {
			return response(status, `{"note_id":`+id+`,"a":1}`, "Content-Location: /notes/"+id)
		}
		if c := judgement(t, immediate(answer("41001"), answer("52001"), func(r *understudyv1.Replay) {
			r.Exchange.Request.Method, r.Exchange.Request.Target, r.Exchange.Request.Body = "POST", []byte("/notes"), nil
		})); c.Verdict != want {
			t.Errorf("%d: %q", status, lines(c))
		}
	}
}
