// Package flag asks OpenFeature who serves a request: the flag has the
// migration's name, its value is "baseline" or "candidate", the targeting key is
// the session. Built in are two providers, the steps of the migration and a file
// in flagd's format; any other can take their place.
package flag

import (
	"context"
	"fmt"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Decisions that an answer can give as its reason.
const (
	DecisionStage     = "stage"      // the stage has everybody on one side
	DecisionBucket    = "bucket"     // a canary, by the session's bucket
	DecisionNoSession = "no_session" // a canary, and no session to be sticky by
	DecisionFlag      = "flag"       // the provider of somebody else said so
	DecisionUnknown   = "unknown"    // the provider knows no such flag
	DecisionError     = "flag_error" // it failed, or said what is no side
	DecisionTimeout   = "flag_timeout"
	DecisionBusy      = "flag_busy" // too many evaluations hang already
)

// Keys of a flag's metadata by which a provider can say more.
const (
	MetadataStage    = "stage"
	MetadataDecision = "decision"
)

// Provider is an OpenFeature provider, and how it is asked.
type Provider struct {
	openfeature.FeatureProvider
	// Timeout bounds an evaluation; one that takes longer counts as the baseline.
	// 0 is for a provider that answers from memory.
	Timeout time.Duration
}

// maxHanging bounds the evaluations that have been given up and have not come
// back: while there are so many, nobody is asked.
const maxHanging = 256

// Flags asks one provider for one migration's flag.
type Flags struct {
	key     string
	api     *openfeature.EvaluationAPI
	client  *openfeature.Client
	timeout time.Duration
	slots   chan struct{}
}

// New initialises the provider, within ctx. Close shuts it down.
func New(ctx context.Context, p Provider, migration string) (*Flags, error) {
	f := &Flags{key: migration, api: isolated.NewAPI(), timeout: p.Timeout, slots: make(chan struct{}, maxHanging)}
	if err := f.api.SetProviderAndWait(ctx, p.FeatureProvider); err != nil {
		return nil, fmt.Errorf("flags of %s: %w", p.Metadata().Name, err)
	}
	f.client = f.api.NewClient()
	return f, nil
}

// Close shuts the provider down.
func (f *Flags) Close(ctx context.Context) error { return f.api.Shutdown(ctx) }

// Answer is what a provider has said.
type Answer struct {
	// Side is the baseline unless the provider said candidate.
	Side understudyv1.Side
	// Stage is that of the request, "" if the provider did not say.
	Stage string
	// Decision is one of the Decision constants.
	Decision string
}

// Ask evaluates the flag for a session; attributes are the rest of the context.
// It returns within the provider's timeout.
func (f *Flags) Ask(session string, attributes map[string]any) Answer {
	about := openfeature.NewEvaluationContext(session, attributes)
	if f.timeout == 0 {
		return f.evaluate(context.Background(), about)
	}
	select {
	case f.slots <- struct{}{}:
	default:
		return fallback(DecisionBusy)
	}
	ctx, cancel := context.WithTimeout(context.Background(), f.timeout)
	defer cancel()
	answer := make(chan Answer, 1)
	go func() {
		defer func() { <-f.slots }()
		answer <- f.evaluate(ctx, about)
	}()
	select {
	case a := <-answer:
		if ctx.Err() != nil && a.Decision == DecisionError {
			return fallback(DecisionTimeout)
		}
		return a
	case <-ctx.Done(): // the provider need not look at it
		return fallback(DecisionTimeout)
	}
}

func fallback(decision string) Answer {
	return Answer{Side: understudyv1.Side_SIDE_BASELINE, Decision: decision}
}

var baseline, candidate = understudyv1.Label(understudyv1.Side_SIDE_BASELINE), understudyv1.Label(understudyv1.Side_SIDE_CANDIDATE)

// evaluate asks; a provider that panics has failed.
func (f *Flags) evaluate(ctx context.Context, about openfeature.EvaluationContext) (a Answer) {
	defer func() {
		if recover() != nil {
			a = fallback(DecisionError)
		}
	}()
	d, err := f.client.StringValueDetails(ctx, f.key, baseline, about)
	switch {
	case d.ErrorCode == openfeature.FlagNotFoundCode:
		return fallback(DecisionUnknown)
	case err != nil || d.Value != baseline && d.Value != candidate:
		return fallback(DecisionError)
	}
	a = Answer{Side: understudyv1.Side_SIDE_BASELINE, Decision: DecisionFlag}
	if d.Value == candidate {
		a.Side = understudyv1.Side_SIDE_CANDIDATE
	}
	if text, ok := d.FlagMetadata[MetadataStage].(string); ok {
		a.Stage = text
	}
	if text, ok := d.FlagMetadata[MetadataDecision].(string); ok {
		a.Decision = text
	}
	return a
}
