package redact_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"

	"understudy.dev/exchange/redact"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestWhatAReplayObservedIsRedacted: no place of an observation keeps a secret,
// and names that only the recorder knew to be secret are secret here too.
// TestHidesToken: a token is seen in base64, wherever it begins there.
func TestHidesToken(t *testing.T) {
	for i := range 40 {
		token := key(t).Token("rdx", strings.Repeat("x", i+1))
		for n := range 3 {
			text := strings.Repeat("{", n+3) + token + "}"
			for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
				if !redact.HidesToken("/a?cursor=" + e.EncodeToString([]byte(text))) {
					t.Errorf("%s", text)
				}
			}
		}
	}
	if redact.HidesToken("/a?cursor=eyJpZCI6MTA0MiwiZGlyIjoibmV4dCJ9") {
		t.Error("a cursor without a token")
	}
}

func TestWhatAReplayObservedIsRedacted(t *testing.T) {
	answer := func() *understudyv1.Response {
		return &understudyv1.Response{
			Status: 200,
			Headers: []*understudyv1.Header{
				{Name: "set-cookie", Value: []byte("sid=hush; Path=/")}, {Name: "X-Own", Value: []byte("hush")},
				{Name: "Location", Value: []byte("/a?token=hush&x=1")}, {Name: "X-Plain", Value: []byte("plain")},
			},
			Trailers: []*understudyv1.Header{{Name: "X-Auth-Token", Value: []byte("hush")}},
		}
	}
	observation := func() *understudyv1.Observation {
		return &understudyv1.Observation{Ack: answer(), Completion: &understudyv1.Completion{
			Location: "/a?token=hush", Payload: answer(),
			Later: []*understudyv1.Sighting{{Payload: answer()}},
		}}
	}
	r := &understudyv1.Replay{
		Exchange: &understudyv1.Exchange{
			Redactions: []*understudyv1.Redaction{{Place: understudyv1.Redaction_PLACE_RESPONSE_HEADER, Name: "x-own", Count: 1}},
		},
		Candidate: observation(), Control: observation(),
		Substitutions: []*understudyv1.Substitution{
			{Recorded: "rdx_0123456789012345678901", Candidate: "hush"}, {Recorded: "order-1", Candidate: "order-2"},
		},
		ControlSubstitutions: []*understudyv1.Substitution{{Recorded: "rdx_0123456789012345678901", Candidate: "hush"}},
		Orphan: &understudyv1.Orphan{Received: &understudyv1.Request{
			Target: []byte("/cb?token=hush"), Headers: []*understudyv1.Header{{Name: "Authorization", Value: []byte("Bearer hush")}},
		}},
	}
	redact.New(redact.Config{}, key(t)).Replay(r)
	text := prototext.Format(r)
	if strings.Contains(text, "hush") {
		t.Errorf("a secret is left:\n%s", text)
	}
	if n := strings.Count(text, `"plain"`); n != 6 {
		t.Errorf("%d of 6 other values are left", n)
	}
	if got := string(r.Candidate.Ack.Headers[2].Value); !strings.HasPrefix(got, "/a?token=rdx_") || !strings.HasSuffix(got, "&x=1") {
		t.Errorf("got %s", got)
	}
	if got, set := r.Substitutions[0].Candidate, string(r.Candidate.Ack.Headers[0].Value); set != "sid="+got+"; Path=/" {
		t.Errorf("%s was set by %s", got, set)
	}
	if got := r.Substitutions[1].Candidate; got != "order-2" {
		t.Errorf("got %s", got)
	}
	// Equal values have equal tokens, in whichever answer.
	if a, b := r.Candidate.Ack.Headers[1].Value, r.Control.Completion.Later[0].Payload.Headers[1].Value; string(a) != string(b) {
		t.Errorf("%s and %s", a, b)
	}
	var off *redact.Redactor
	off.Replay(&understudyv1.Replay{Candidate: observation()})
	redact.New(redact.Config{}, key(t)).Replay(&understudyv1.Replay{})
}
