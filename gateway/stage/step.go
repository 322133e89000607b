package stage

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Actions that a step can be.
const (
	ActionCreate   = "create"
	ActionPromote  = "promote"
	ActionHold     = "hold"
	ActionRollback = "rollback"
	ActionResume   = "resume"
)

// Actions that are no steps: their records have no number (0), and Next takes them
// for stale. They say that the kill switch of a gateway was turned.
const (
	ActionKillOn  = "kill_on"
	ActionKillOff = "kill_off"
)

// IsAct reports whether a record of the topic of the stages is no step.
func IsAct(s *understudyv1.Stage) bool {
	return s.GetVersion() == 0 && (s.GetAction() == ActionKillOn || s.GetAction() == ActionKillOff)
}

// Acts are those records that are no steps, each once and in the order of their
// times.
func Acts(records []*understudyv1.Stage) []*understudyv1.Stage {
	var out []*understudyv1.Stage
	seen := map[string]bool{}
	for _, r := range records {
		if IsAct(r) && !seen[r.GetId()] {
			seen[r.GetId()] = true
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b *understudyv1.Stage) int { return cmp.Compare(a.GetTimeUnixNano(), b.GetTimeUnixNano()) })
	return out
}

// ErrRefused is wrapped by the errors of Step: the migration is not in a state
// to do so.
var ErrRefused = errors.New("refused")

// Order is what somebody wants of a migration.
type Order struct {
	Migration string
	// Route is empty for the whole migration.
	Route string
	// Action is one of the Action constants.
	Action string
	// To is the stage to go to: needed to promote, optional for the others. A
	// rollback without one goes back to nothing at all, a resume after such a
	// rollback begins in the shadow.
	To *Stage
	// Reason says why; a rollback needs one.
	Reason string
}

// Step is the next step that an order makes of the state; its writer adds who,
// when and the id. The error wraps ErrRefused.
func (s *State) Step(o Order) (*understudyv1.Stage, error) {
	if err := CheckMigration(o.Migration); err != nil {
		return nil, err
	}
	now := s.At(o.Route)
	if (now == nil) != (o.Action == ActionCreate) {
		if now == nil {
			return nil, fmt.Errorf("%w: there is no migration %s; understudy migration create makes one", ErrRefused, o.Migration)
		}
		return nil, fmt.Errorf("%w: migration %s exists, at %s", ErrRefused, o.Migration, Describe(now))
	}
	if o.Action == ActionRollback && strings.TrimSpace(o.Reason) == "" {
		return nil, fmt.Errorf("%w: a rollback needs a reason", ErrRefused)
	}
	if o.Route != "" && s.whole.GetRolledBack() && o.Action != ActionRollback {
		return nil, fmt.Errorf("%w: all of migration %s is rolled back (%s); resume that first", ErrRefused, o.Migration, s.whole.GetReason())
	}
	step := &understudyv1.Stage{
		Migration: o.Migration, Route: o.Route, Name: now.GetName(), Weight: now.GetWeight(),
		RolledBack: now.GetRolledBack(), Held: now.GetHeld(),
		Reason: o.Reason, Action: o.Action, Version: s.Version() + 1,
	}
	if o.To != nil {
		step.Name, step.Weight = o.To.Name, o.To.Weight
	}
	var err error
	switch o.Action {
	case ActionCreate:
		if o.To == nil {
			step.Name = understudyv1.Stage_NAME_OFF
		}
	case ActionPromote:
		err = promote(now, o.To)
	case ActionHold:
		step.Name, step.Weight, step.Held = now.GetName(), now.GetWeight(), true
	case ActionRollback:
		if o.To == nil {
			step.RolledBack = true
			break
		}
		step.Held = true
		if !Of(now).Beyond(*o.To) {
			err = fmt.Errorf("%w: %s is not behind %s", ErrRefused, o.To, Describe(now))
		}
	case ActionResume:
		step.RolledBack, step.Held = false, false
		if o.To == nil && now.GetRolledBack() {
			step.Name, step.Weight = understudyv1.Stage_NAME_SHADOW, 0
		}
		if !now.GetRolledBack() && !now.GetHeld() {
			err = fmt.Errorf("%w: migration %s is neither held nor rolled back, it is at %s", ErrRefused, o.Migration, Describe(now))
		} else if o.To != nil && o.To.Beyond(Of(now)) {
			err = fmt.Errorf("%w: %s is beyond %s, from where it resumes; promote it afterwards", ErrRefused, o.To, Of(now))
		}
	default:
		err = fmt.Errorf("%q is not one of create, promote, hold, rollback, resume", o.Action)
	}
	if err == nil && step.Name == understudyv1.Stage_NAME_UNSPECIFIED && !step.RolledBack {
		err = fmt.Errorf("%w: migration %s is at a stage that this version does not know; name one, or roll it back", ErrRefused, o.Migration)
	}
	if err != nil {
		return nil, err
	}
	return step, nil
}

func promote(now *understudyv1.Stage, to *Stage) error {
	switch {
	case now.GetRolledBack():
		return fmt.Errorf("%w: it is %s (%s); only a resume ends that", ErrRefused, Describe(now), now.GetReason())
	case now.GetHeld():
		return fmt.Errorf("%w: it is %s (%s); resume it first", ErrRefused, Describe(now), now.GetReason())
	case to == nil:
		return errors.New("a promotion needs the stage to go to")
	case !to.Beyond(Of(now)):
		return fmt.Errorf("%w: %s is not beyond %s; a rollback goes back", ErrRefused, to, Describe(now))
	}
	return nil
}

// Describe is a step in a few words: "canary:10%, held".
func Describe(step *understudyv1.Stage) string {
	if step == nil {
		return "unknown"
	}
	text := Of(step).String()
	switch {
	case step.GetRolledBack():
		text = "rolled back from " + text
	case step.GetHeld():
		text += ", held"
	}
	return text
}
