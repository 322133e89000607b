package flag

import (
	"context"

	"github.com/open-feature/go-sdk/openfeature"

	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// AttributeRoute and AttributeMethod name what every evaluation says of its
// request.
const (
	AttributeRoute  = "route"
	AttributeMethod = "method"
)

// Steps is the provider that answers from the steps of a migration, whose name
// is the flag's.
type Steps struct {
	text
	state func() *stage.State
}

// NewSteps returns a provider that asks for the state at each evaluation.
func NewSteps(state func() *stage.State) *Steps {
	return &Steps{text{"understudy/steps"}, state}
}

// StringEvaluation implements openfeature.FeatureProvider.
func (p *Steps) StringEvaluation(_ context.Context, flag, value string, about openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	s := p.state()
	route, _ := about[AttributeRoute].(string)
	step := s.At(route)
	if step == nil || s.Migration() != flag {
		return missing(flag, value)
	}
	session, _ := about[openfeature.TargetingKey].(string)
	at := stage.Of(step)
	reason, decision := openfeature.StaticReason, DecisionStage
	if at.Name == understudyv1.Stage_NAME_CANARY {
		reason, decision = openfeature.SplitReason, DecisionBucket
		if session == "" {
			reason, decision = openfeature.DefaultReason, DecisionNoSession
		}
	}
	side := understudyv1.Label(at.Side(flag, session))
	if step.GetRolledBack() {
		side, decision = baseline, DecisionRolledBack
	}
	return openfeature.StringResolutionDetail{Value: side, ProviderResolutionDetail: openfeature.ProviderResolutionDetail{
		Reason: reason, Variant: side,
		FlagMetadata: openfeature.FlagMetadata{MetadataStage: at.String(), MetadataDecision: decision},
	}}
}
