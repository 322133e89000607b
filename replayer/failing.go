package replayer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// CandidateError is how a run fails in which the candidate gave no answer to any
// request, or to too few.
type CandidateError struct{ text string }

// Error implements error.
func (e *CandidateError) Error() string { return e.text }

// failing watches how many requests end in transport errors.
type failing struct {
	first sync.Once
	stop  context.CancelCauseFunc
}

// minEnded is how many requests must have ended before their share of errors
// says anything.
const minEnded = 100

// watchErrors says the first transport error at once, and ends the run when
// there are more than its budget.
func (r *Replayer) watchErrors(o *understudyv1.Observation) {
	if o.GetAck() != nil {
		return
	}
	r.failing.first.Do(func() {
		r.log.Warn("a request got no answer; further ones are counted", "candidate", r.client.Base().Redacted(),
			"kind", kindOf(o.GetError()), "error", o.GetError().GetMessage())
	})
	failed, ended := r.books.errors()
	failed, ended = failed+1, ended+1 // this one is not in the books yet
	if ended >= minEnded && float64(failed) > r.cfg.ErrorBudget*float64(ended) {
		r.failing.stop(&CandidateError{fmt.Sprintf("%d of %d requests at %s had ended in transport errors%s, more than error_budget %g allows, when the run was stopped",
			failed, ended, r.client.Base().Redacted(), r.kinds(), r.cfg.ErrorBudget)})
	}
}

// unanswered is the error of a run in which every request failed.
func (r *Replayer) unanswered() error {
	failed, ended := r.books.errors()
	return &CandidateError{fmt.Sprintf("nobody answered at %s: %d of %d requests ended in transport errors%s; is the candidate running?",
		r.client.Base().Redacted(), failed, ended, r.kinds())}
}

// kinds lists the transport errors so far, " (connect 3, timeout 1)".
func (r *Replayer) kinds() string {
	r.books.mu.Lock()
	defer r.books.mu.Unlock()
	var parts []string
	for kind, n := range r.books.run.Errors {
		parts = append(parts, fmt.Sprintf("%s %d", kind, n))
	}
	slices.Sort(parts)
	return " (" + strings.Join(parts, ", ") + ")"
}
