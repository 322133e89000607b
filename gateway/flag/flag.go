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
	DecisionStage  = "stage"  // the stage has everybody on one side
	DecisionBucket = "bucket" // a canary, by the session's bucket
	// DecisionRolledBack is that the migration, or the route, is rolled back.
	DecisionRolledBack = "rolled_back"
	DecisionNoSession  = "no_session" // a canary, and no session to be sticky by
	DecisionFlag       = "flag"       // the provider of somebody else said so
	DecisionUnknown    = "unknown"    // the provider knows no such flag
	DecisionError      = "flag_error" // it failed, or said what is no side
	DecisionTimeout    = "flag_timeout"
	DecisionBusy       = "flag_busy" // too many evaluations hang already
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
	// 0 is for a provider that answers from memory: it is asked directly, without
	// the hooks of OpenFeature's client, which cost more than the answer.
	Timeout time.Duration
}

// maxHanging bounds the evaluations that have been given up and have not come
// back: while there are so many, nobody is asked.
const maxHanging = 256

// Flags asks one provider for one migration's flag.
type Flags struct {
	key     string
	memory  openfeature.FeatureProvider // nil: the client asks
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
	if f.client = f.api.NewClient(); p.Timeout == 0 {
		f.memory = p.FeatureProvider
	}
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

// Ask evaluates the flag for a session; attributes are the rest of the context,
// which it may change. It returns within the provider's timeout.
func (f *Flags) Ask(session string, attributes map[string]any) Answer {
	if f.memory != nil {
		return f.recall(session, attributes)
	}
	about := openfeature.NewEvaluationContext(session, attributes)
	select {
	case f.slots <- struct{}{}:
	default:
		return fallback(DecisionBusy)
	}
	ctx, cancel := context.WithTimeout(context.Background(), f.timeout)
	defer cancel()
	said := make(chan Answer, 1)
	go func() {
		defer func() { <-f.slots }()
		said <- f.evaluate(ctx, about)
	}()
	select {
	case a := <-said:
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

// evaluate asks through the client; a provider that panics has failed.
func (f *Flags) evaluate(ctx context.Context, about openfeature.EvaluationContext) (a Answer) {
	defer func() {
		if recover() != nil {
			a = fallback(DecisionError)
		}
	}()
	d, err := f.client.StringValueDetails(ctx, f.key, baseline, about)
	return answer(d.Value, d.ErrorCode, err, d.FlagMetadata)
}

// recall asks a provider that answers from memory.
func (f *Flags) recall(session string, attributes map[string]any) Answer {
	if attributes == nil {
		attributes = map[string]any{}
	}
	attributes[openfeature.TargetingKey] = session
	d := f.memory.StringEvaluation(context.Background(), f.key, baseline, attributes)
	err, code := d.Error(), openfeature.ErrorCode("")
	if err != nil {
		code = d.ResolutionDetail().ErrorCode
	}
	return answer(d.Value, code, err, d.FlagMetadata)
}

func answer(value string, code openfeature.ErrorCode, err error, metadata openfeature.FlagMetadata) Answer {
	switch {
	case code == openfeature.FlagNotFoundCode:
		return fallback(DecisionUnknown)
	case err != nil || value != baseline && value != candidate:
		return fallback(DecisionError)
	}
	a := Answer{Side: understudyv1.Side_SIDE_BASELINE, Decision: DecisionFlag}
	if value == candidate {
		a.Side = understudyv1.Side_SIDE_CANDIDATE
	}
	if text, ok := metadata[MetadataStage].(string); ok {
		a.Stage = text
	}
	if text, ok := metadata[MetadataDecision].(string); ok {
		a.Decision = text
	}
	return a
}
