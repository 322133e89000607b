package candidate

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path"
	"time"

	"understudy.dev/demo/fault"
)

// betweenCallbacks keeps a second callback apart from the first.
const betweenCallbacks = 30 * time.Millisecond

// callBack posts the end of a job to where its client asked for it, and after
// it whatever the fault of the request adds. A fault counts as planted when
// its extra callback was delivered.
func (c *Candidate) callBack(ctx context.Context, j *job, op operation) {
	if !c.post(ctx, j.callback, op) || op.Status != "succeeded" {
		return
	}
	to, again := j.callback, op
	switch j.in.fault {
	case fault.Duplicate:
	case fault.Contradictory:
		again.Result = altered(op.Result, declined)
	case fault.Orphan:
		again.ID = newID()
		to = elsewhere(j.callback)
	default:
		return
	}
	if pause(ctx, betweenCallbacks) && c.post(ctx, to, again) {
		c.cfg.Faults.Plant(j.in.fault, j.in.reference)
	}
}

// elsewhere is the callback URL with another last segment, one that was given
// to nobody.
func elsewhere(callback string) string {
	u, err := url.Parse(callback)
	if err != nil {
		return callback
	}
	u.Path = path.Join(path.Dir(u.Path), newID())
	return u.String()
}

// post delivers a document, with two more attempts when there is no answer.
// Whatever the receiver answers, it has it.
func (c *Candidate) post(ctx context.Context, to string, op operation) bool {
	text, err := json.Marshal(op)
	if err != nil {
		return false
	}
	for attempt := range 3 {
		if attempt > 0 && !pause(ctx, 50*time.Millisecond) {
			return false
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(text))
		if err != nil {
			return false
		}
		r.Header.Set("Content-Type", "application/json")
		w, err := c.client.Do(r)
		if err != nil {
			continue
		}
		// Reading to the end lets the connection be used again; an answer cut
		// short is an answer all the same.
		_, _ = io.Copy(io.Discard, io.LimitReader(w.Body, maxBody))
		w.Body.Close()
		return true
	}
	return false
}
