package main

import (
	"strings"
	"testing"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestARunSaysWhatItTookRoutesFor, and warns where that is doubtful.
func TestARunSaysWhatItTookRoutesFor(t *testing.T) {
	var out strings.Builder
	printRun(&out, &understudyv1.Run{Name: "r", Routes: []*understudyv1.RouteCompletion{
		{Route: "GET /a", Taken: map[string]uint64{"final": 7}},
		{Route: "POST /b\x1b[2J", Taken: map[string]uint64{"final": 2, "poll": 3}, Doubts: map[string]uint64{"accepted": 1, "status_word": 1}},
		{Taken: map[string]uint64{"callback": 1}},
	}})
	for _, want := range []string{
		`  "POST /b\x1b[2J": taken for (final 2, poll 3)` + "\n",
		"  other routes: taken for (callback 1)\n",
		`  warning: "POST /b\x1b[2J" looks asynchronous, and 2 of its answers were taken as final (accepted 1, status_word 1); say in replay.routes how it answers` + "\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "GET /a") {
		t.Errorf("a route that answers at once has a line:\n%s", out.String())
	}
}
