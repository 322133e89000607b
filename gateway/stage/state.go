package stage

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// State is how far one migration has come. It does not change: Next makes
// another one. The nil State knows nothing.
type State struct {
	migration string
	version   uint64
	whole     *understudyv1.Stage
	routes    map[string]*understudyv1.Stage
}

// Errors of Next.
var (
	// ErrStale: another step of this number, or a later one, came before.
	ErrStale = errors.New("another step came first")
	// ErrForeign: the step is of another migration.
	ErrForeign = errors.New("not of this migration")
	// ErrStep: the step says what no stage can be, or only one of a later version.
	ErrStep = errors.New("not a step that is known here")
)

// Next is the state after a step. Of steps with one number the first counts; the
// error wraps ErrStale for another, and ErrForeign for one of another migration.
// Both leave the state as it is. A step that is not understood counts too, or
// those after it could not: who is at its stage is with the baseline, and the
// error wraps ErrStep.
func (s *State) Next(step *understudyv1.Stage) (*State, error) {
	if m := s.Migration(); m != "" && m != step.GetMigration() || CheckMigration(step.GetMigration()) != nil {
		return s, fmt.Errorf("%w: %q", ErrForeign, step.GetMigration())
	}
	if step.GetVersion() <= s.Version() {
		return s, fmt.Errorf("%w: step %d after %d", ErrStale, step.GetVersion(), s.Version())
	}
	err := check(step)
	return s.with(understood(step)), err
}

// understood is the step, of no stage at all if it is not understood.
func understood(step *understudyv1.Stage) *understudyv1.Stage {
	if check(step) == nil {
		return step
	}
	out := proto.Clone(step).(*understudyv1.Stage)
	out.Name, out.Weight = understudyv1.Stage_NAME_UNSPECIFIED, 0
	return out
}

func (s *State) with(step *understudyv1.Stage) *State {
	next := &State{migration: step.GetMigration(), version: step.GetVersion(), routes: map[string]*understudyv1.Stage{}}
	if s != nil {
		next.whole = s.whole
		maps.Copy(next.routes, s.routes)
	}
	switch route := step.GetRoute(); {
	case route != "":
		next.routes[route] = step
	case step.GetRolledBack():
		// A resume must not bring back what the routes were at.
		next.whole = step
		clear(next.routes)
	default:
		next.whole = step
	}
	return next
}

func check(step *understudyv1.Stage) error {
	name := step.GetName()
	switch {
	case CheckMigration(step.GetMigration()) != nil:
		return fmt.Errorf("%w: %w", ErrStep, CheckMigration(step.GetMigration()))
	case name < understudyv1.Stage_NAME_OFF || name > understudyv1.Stage_NAME_COMPLETE:
		return fmt.Errorf("%w: stage %d is not known here", ErrStep, name)
	case step.GetWeight() > FullWeight, name != understudyv1.Stage_NAME_CANARY && step.GetWeight() != 0:
		return fmt.Errorf("%w: weight %d of stage %s", ErrStep, step.GetWeight(), understudyv1.Label(name))
	}
	return nil
}

// maxName bounds the name of a migration.
const maxName = 100

// CheckMigration reports a name that cannot be that of a migration: 1 to 100
// letters, digits, '.', '_' or '-', the first a letter, a digit or '_'.
func CheckMigration(name string) error {
	fine := name != "" && len(name) <= maxName && name[0] != '-' && name[0] != '.' && utf8.ValidString(name)
	for i := range len(name) {
		b := name[i] | 0x20
		fine = fine && (b >= 'a' && b <= 'z' || name[i] >= '0' && name[i] <= '9' || name[i] == '.' || name[i] == '_' || name[i] == '-')
	}
	if !fine {
		return fmt.Errorf("%+q is no name of a migration: want 1 to %d letters, digits, '.', '_' or '-', the first a letter, a digit or '_'", name[:min(len(name), 60)], maxName)
	}
	return nil
}

// Migration is the migration's name, "" of a state that knows nothing.
func (s *State) Migration() string {
	if s == nil {
		return ""
	}
	return s.migration
}

// Version is the number of the last step, 0 when there was none.
func (s *State) Version() uint64 {
	if s == nil {
		return 0
	}
	return s.version
}

// At is the step that holds for a route: its own, else that of the whole
// migration, unless all of that is rolled back; nil when neither is known.
func (s *State) At(route string) *understudyv1.Stage {
	if s == nil {
		return nil
	}
	if own := s.routes[route]; own != nil && !s.whole.GetRolledBack() {
		return own
	}
	return s.whole
}

// Steps are those that hold, that of the whole first, then by route.
func (s *State) Steps() []*understudyv1.Stage {
	if s == nil {
		return nil
	}
	var out []*understudyv1.Stage
	if s.whole != nil {
		out = append(out, s.whole)
	}
	for _, route := range slices.Sorted(maps.Keys(s.routes)) {
		out = append(out, s.routes[route])
	}
	return out
}

// Fold is what steps in their order have made of a migration, and those of them
// that count.
func Fold(steps []*understudyv1.Stage) (s *State, counted []*understudyv1.Stage) {
	for _, step := range steps {
		if next, _ := s.Next(step); next != s {
			s, counted = next, append(counted, step)
		}
	}
	return s, counted
}
