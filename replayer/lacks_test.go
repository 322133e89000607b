package replayer

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/replayer/control"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestWhatAControlLacks: the warning names what is to be given, each once, and
// what cannot be.
func TestWhatAControlLacks(t *testing.T) {
	c := &controls{cfg: control.Config{Headers: map[string]string{"Cookie": ""}}}
	e := &understudyv1.Exchange{Redactions: []*understudyv1.Redaction{
		{Place: understudyv1.Redaction_PLACE_REQUEST_HEADER, Name: "cookie"},
		{Place: understudyv1.Redaction_PLACE_REQUEST_HEADER, Name: "x-session-id"},
		{Place: understudyv1.Redaction_PLACE_REQUEST_BODY, Name: "$.a"},
		{Place: understudyv1.Redaction_PLACE_REQUEST_BODY, Name: "$.b"},
		{Place: understudyv1.Redaction_PLACE_RESPONSE_BODY, Name: "$.c"},
	}}
	if diff := cmp.Diff([]string{"header x-session-id", "a value in the body"}, c.lacks(e)); diff != "" {
		t.Error(diff)
	}
	c.cfg.Isolated = true
	if got := c.lacks(e); got != nil {
		t.Errorf("in the candidate's place: %v", got)
	}
}
