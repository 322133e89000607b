package plan

import (
	"fmt"
	"strings"
	"time"

	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// View is where a migration is in its plan.
type View struct {
	// Migration is its name; Version the number of its last step, 0 if there is none.
	Migration string
	Version   uint64
	// At is the step that holds; nil if there is no such migration.
	At *understudyv1.Stage
	// Since is the number of the step that led to the stage, Begun when that was.
	Since uint64
	Begun time.Time
	// Step is the one of the plan that holds, nil before the first. Next is the one
	// to go to, nil after the last.
	Step, Next *Step
	// Gate is the file of the policy to be asked; empty asks none, because nothing
	// could come of it.
	Gate string
	// Waits are what, beside the gate, keeps from going on.
	Waits []string
	// ungated: the next stage shows nobody an answer of the candidate's.
	ungated bool
}

// Verdict is what a gate has said of the stage.
type Verdict struct {
	Promote, RollBack bool
	// Requests are how many it was about.
	Requests uint64
	// Why says it in words.
	Why string
}

// Look says where the steps that count have left the migration, at a moment.
func (p Plan) Look(counted []*understudyv1.Stage, now time.Time) View {
	var s *stage.State
	for _, step := range counted {
		s, _ = s.Next(step)
	}
	v := View{Migration: p.Migration, Version: s.Version(), At: s.At("")}
	if v.At == nil {
		v.wait("there is no migration %s; understudy migration create %s makes it", p.Migration, p.Migration)
		return v
	}
	v.Since, _ = stage.Begun(counted)
	for _, step := range counted {
		if step.GetVersion() == v.Since {
			v.Begun = time.Unix(0, step.GetTimeUnixNano())
		}
	}
	at := stage.Of(v.At)
	for i := range p.Steps {
		to, _ := stage.Parse(p.Steps[i].Stage)
		if to.Beyond(at) {
			v.Next = &p.Steps[i]
			break
		}
		v.Step = &p.Steps[i]
	}
	if v.At.GetRolledBack() {
		v.wait("it is %s: %s; only understudy migration resume %s ends that", stage.Describe(v.At), v.At.GetReason(), p.Migration)
		return v
	}
	v.ask(p, at)
	v.waits(p, counted, now)
	return v
}

// ask finds the policy. In off nobody is rehearsed, and after complete there may
// be no baseline to go back to.
func (v *View) ask(p Plan, at stage.Stage) {
	v.ungated = v.Next != nil && v.Next.Stage == understudyv1.Label(understudyv1.Stage_NAME_SHADOW)
	if at.Name == understudyv1.Stage_NAME_COMPLETE || v.ungated {
		return
	}
	v.Gate = p.Gate
	if v.Step != nil && v.Step.Gate != "" {
		v.Gate = v.Step.Gate
	}
}

func (v *View) wait(format string, args ...any) {
	v.Waits = append(v.Waits, fmt.Sprintf(format, args...))
}

// waits finds what keeps from going on.
func (v *View) waits(p Plan, counted []*understudyv1.Stage, now time.Time) {
	if v.At.GetHeld() {
		v.wait("it is held: %s", v.At.GetReason())
	}
	if v.Next == nil {
		v.wait("the plan ends here")
		return
	}
	if p.Freeze != "" {
		v.wait("the plan is frozen: %s", p.Freeze)
	}
	if !p.open(now) {
		v.wait("no window of the plan is open")
	}
	if v.Next.Enter == ByHand {
		v.wait("a person goes on: understudy migration promote %s %s", p.Migration, v.Next.Stage)
	}
	if v.Step != nil {
		if rest := v.Step.For - now.Sub(v.Begun); rest > 0 {
			v.wait("it lasts %s, which is for another %s", v.Step.For, rest.Round(time.Second))
		}
	}
	to, _ := stage.Parse(v.Next.Stage)
	if failed := stage.Failures(counted); len(failed) > 0 && p.Again == ByHand && !failed[0].From.Beyond(to) {
		v.wait("it was rolled back from %s: %s; a person goes on to there: understudy migration promote %s %s",
			failed[0].From, failed[0].Step.GetReason(), p.Migration, v.Next.Stage)
	}
}

// Order is what is to be done after the gate was asked; verdict is that of no gate
// if it was not. Without an order, why says what is waited for.
func (v View) Order(verdict Verdict) (o *stage.Order, why string) {
	switch {
	case v.At == nil || v.At.GetRolledBack():
		return nil, strings.Join(v.Waits, "; ")
	case v.Gate != "" && verdict.RollBack:
		return &stage.Order{Migration: v.Migration, Action: stage.ActionRollback, Reason: "gate: " + verdict.Why}, ""
	}
	waits := v.Waits
	if v.Gate != "" && !verdict.Promote {
		waits = append(waits[:len(waits):len(waits)], "the gate holds: "+verdict.Why)
	}
	if v.Gate != "" && v.Step != nil && verdict.Requests < v.Step.Requests {
		waits = append(waits[:len(waits):len(waits)], fmt.Sprintf("%d of %d requests are judged", verdict.Requests, v.Step.Requests))
	}
	if len(waits) > 0 || v.Next == nil || v.Gate == "" && !v.ungated {
		return nil, strings.Join(waits, "; ")
	}
	to, err := stage.Parse(v.Next.Stage)
	if err != nil {
		return nil, err.Error() // a plan that is valid has none
	}
	reason := "plan: nobody is moved"
	if v.Gate != "" {
		reason = "gate: " + verdict.Why
	}
	return &stage.Order{Migration: v.Migration, Action: stage.ActionPromote, To: &to, Reason: reason}, ""
}
