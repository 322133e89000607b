package demo

import (
	"context"
	"errors"
	"strings"
	"testing"

	"understudy.dev/demo/fault"
)

func TestCompare(t *testing.T) {
	planted := []fault.Planted{}
	for _, f := range fault.Catalogue() {
		planted = append(planted, fault.Planted{Fault: f, References: []string{"a", "b"}})
	}
	f := func(want bool, answer func(query string) uint64) {
		t.Helper()
		score, err := Compare(t.Context(), "r", planted, func(_ context.Context, query, run string) (uint64, error) {
			return answer(query), nil
		})
		if err != nil || score.Complete() != want || len(score.Faults) != len(planted) || score.Run != "r" {
			t.Errorf("%+v, %v; want complete: %v", score, err, want)
		}
	}
	unexpected := fault.UnexpectedQuery()
	clean := func(query string) uint64 {
		if query == unexpected {
			return 0
		}
		return 2
	}
	f(true, clean)
	f(false, func(string) uint64 { return 2 })
	f(false, func(query string) uint64 {
		if strings.Contains(query, "'late'") && query != unexpected {
			return 1
		}
		return clean(query)
	})
	_, err := Compare(t.Context(), "r", planted, func(context.Context, string, string) (uint64, error) {
		return 0, errors.New("away")
	})
	if err == nil || !strings.Contains(err.Error(), "wrong-total: away") {
		t.Errorf("error: %v", err)
	}
}

func TestFailureBlamesTheMachineOnlyIfItWasBusy(t *testing.T) {
	f := func(s Score, want string) {
		t.Helper()
		if err := s.Failure(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
	f(Score{Busy: "so"}, "")
	f(Score{Unexpected: 1}, "did not find exactly")
	f(Score{Unexpected: 1, Busy: "so"}, "the machine was too busy: so; run it again")
	f(Score{Faults: []Found{{Planted: 2, Found: 3}}}, "did not find exactly")
}

func TestAFaultThatWasNeverPlantedIsNotFound(t *testing.T) {
	if (Score{Faults: []Found{{Planted: 0, Found: 0}}}).Complete() {
		t.Error("a demo that shows nothing is complete")
	}
}
