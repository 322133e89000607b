package understudyv1_test

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func TestLabels(t *testing.T) {
	for _, c := range []struct {
		value protoreflect.Enum
		want  string
	}{
		{understudyv1.Channel_CHANNEL_POLL, "poll"},
		{understudyv1.Side_SIDE_BASELINE, "baseline"},
		{understudyv1.Run_STATE_CANCELED, "canceled"},
		{understudyv1.TransportError_KIND_RESET, "reset"},
		{understudyv1.Redaction_PLACE_REQUEST_HEADER, "request_header"},
		{understudyv1.Side_SIDE_UNSPECIFIED, ""},
		{understudyv1.Channel(77), "77"},
	} {
		if got := understudyv1.Label(c.value); got != c.want {
			t.Errorf("%v: got %q, want %q", c.value, got, c.want)
		}
	}
}

func TestWhichRunsHaveEnded(t *testing.T) {
	for number := range understudyv1.Run_State_name {
		state := understudyv1.Run_State(number)
		want := state != understudyv1.Run_STATE_RUNNING && state != understudyv1.Run_STATE_PAUSED && state != understudyv1.Run_STATE_UNSPECIFIED
		if got := state.Ended(); got != want {
			t.Errorf("%v: got %t", state, got)
		}
	}
}
