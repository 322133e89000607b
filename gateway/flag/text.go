package flag

import (
	"context"

	"github.com/open-feature/go-sdk/openfeature"
)

// text is a provider of flags whose values are texts: what FeatureProvider wants
// beside them.
type text struct{ name string }

// Metadata implements openfeature.FeatureProvider.
func (t text) Metadata() openfeature.Metadata { return openfeature.Metadata{Name: t.name} }

// Hooks implements openfeature.FeatureProvider.
func (text) Hooks() []openfeature.Hook { return nil }

func other[T any](value T) openfeature.GenericResolutionDetail[T] {
	return openfeature.GenericResolutionDetail[T]{Value: value, ProviderResolutionDetail: openfeature.ProviderResolutionDetail{
		ResolutionError: openfeature.NewTypeMismatchResolutionError("flags are texts here"), Reason: openfeature.ErrorReason,
	}}
}

// BooleanEvaluation implements openfeature.FeatureProvider.
func (text) BooleanEvaluation(_ context.Context, _ string, v bool, _ openfeature.FlattenedContext) openfeature.BoolResolutionDetail {
	return other(v)
}

// FloatEvaluation implements openfeature.FeatureProvider.
func (text) FloatEvaluation(_ context.Context, _ string, v float64, _ openfeature.FlattenedContext) openfeature.FloatResolutionDetail {
	return other(v)
}

// IntEvaluation implements openfeature.FeatureProvider.
func (text) IntEvaluation(_ context.Context, _ string, v int64, _ openfeature.FlattenedContext) openfeature.IntResolutionDetail {
	return other(v)
}

// ObjectEvaluation implements openfeature.FeatureProvider.
func (text) ObjectEvaluation(_ context.Context, _ string, v any, _ openfeature.FlattenedContext) openfeature.InterfaceResolutionDetail {
	return other(v)
}

func missing(flag, value string) openfeature.StringResolutionDetail {
	return openfeature.StringResolutionDetail{Value: value, ProviderResolutionDetail: openfeature.ProviderResolutionDetail{
		ResolutionError: openfeature.NewFlagNotFoundResolutionError(flag), Reason: openfeature.ErrorReason,
	}}
}
