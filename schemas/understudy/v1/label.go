package understudyv1

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Label is a value of an enum as tables, metrics and people read it: in lower
// case and without the enum's prefix, "poll" for CHANNEL_POLL. It is empty for
// the unspecified value, and the number for a value that is not known here.
func Label(value protoreflect.Enum) string {
	values := value.Descriptor().Values()
	known := values.ByNumber(value.Number())
	switch {
	case value.Number() == 0:
		return ""
	case known == nil:
		return strconv.Itoa(int(value.Number()))
	}
	// The value 0 of every enum is PREFIX_UNSPECIFIED; buf's rules demand it.
	prefix := strings.TrimSuffix(string(values.ByNumber(0).Name()), "UNSPECIFIED")
	return strings.ToLower(strings.TrimPrefix(string(known.Name()), prefix))
}

// Ended reports whether a run in this state does nothing more.
func (x Run_State) Ended() bool {
	return x == Run_STATE_COMPLETED || x == Run_STATE_CANCELED || x == Run_STATE_FAILED
}
