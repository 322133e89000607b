package stage

import (
	"slices"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// spot is where users are: a hold, or its end, moves nobody.
type spot struct {
	at         Stage
	rolledBack bool
}

// Begun says with which step the whole migration, and each route that has a step
// of its own, has come to where it is now, of steps that count in their order. What
// a route was at before a rollback, or the same stage the time before, is not now.
func Begun(counted []*understudyv1.Stage) (whole uint64, routes map[string]uint64) {
	var s *State
	begun, spots := map[string]uint64{}, map[string]spot{}
	for _, step := range counted {
		s, _ = s.Next(step)
		own := map[string]bool{"": true}
		for route := range s.routes {
			own[route] = true
		}
		for route := range begun {
			if !own[route] {
				delete(begun, route)
				delete(spots, route)
			}
		}
		for route := range own {
			at := s.At(route)
			if now := (spot{Of(at), at.GetRolledBack()}); begun[route] == 0 || now != spots[route] {
				begun[route], spots[route] = step.GetVersion(), now
			}
		}
	}
	whole = begun[""]
	delete(begun, "")
	return whole, begun
}

// Failure is a rollback, and the stage that it led away from.
type Failure struct {
	Step *understudyv1.Stage
	From Stage
}

// Failures are the rollbacks of the whole migration that nobody has overcome since:
// by a promotion to the stage that they led away from, or to a further one. The one
// from the earliest stage comes first. Steps are those that count, in their order.
func Failures(counted []*understudyv1.Stage) []Failure {
	var s *State
	var open []Failure
	for _, step := range counted {
		before := Of(s.At(""))
		s, _ = s.Next(step)
		switch {
		case step.GetRoute() != "":
		case step.GetAction() == ActionRollback:
			open = append(open, Failure{step, before})
		case step.GetAction() == ActionPromote:
			open = slices.DeleteFunc(open, func(f Failure) bool { return !f.From.Beyond(Of(step)) })
		}
	}
	slices.SortStableFunc(open, func(a, b Failure) int {
		switch {
		case b.From.Beyond(a.From):
			return -1
		case a.From.Beyond(b.From):
			return 1
		}
		return 0
	})
	return open
}
