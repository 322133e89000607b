package target

import (
	"context"
	"crypto/rand"
	"fmt"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// callback waits for the candidate to call.
type callback struct{ waiter *waiter }

// expect puts addresses into the request that cannot be guessed, which is the
// correlation, or else an identifier that callbacks name.
func (b *callback) expect(w *wait) func(string) {
	r, p := w.c.callbacks, w.p.Callback
	if p.Correlate.Given() {
		b.waiter = w.correlated(p.Correlate, sharedPath, r.signature(p.Signature))
		w.put(w.p.address(), r.root+sharedPath)
	} else {
		b.waiter = r.calls.expect(w.r.ID, false)
		b.waiter.signed = r.signature(p.Signature)
		path := callbackRoot + rand.Text()
		r.calls.name(b.waiter, path, anyKind)
		w.put(w.p.address(), r.root+path)
		for _, x := range []struct {
			to   Carrier
			kind kind
			name string
		}{{p.Success, isSuccess, "/success"}, {p.Failure, isFailure, "/failure"}, {p.Progress, isProgress, "/progress"}} {
			if x.to.Given() {
				r.calls.name(b.waiter, path+x.name, x.kind)
				w.put(x.to, r.root+path+x.name)
			}
		}
	}
	return func(after string) { r.calls.forget(b.waiter, after) }
}

func (b *callback) await(ctx context.Context, w *wait) {
	d := w.begin(understudyv1.Channel_CHANNEL_CALLBACK)
	if !w.name(b.waiter, w.p.Callback.Correlate, sharedPath) {
		return
	}
	d.Location = b.waiter.keys[0]
	w.awaitCalls(ctx, b.waiter)
}

// correlated begins a wait for what names its request by an identifier, which is
// known in one space: a path or a topic.
func (w *wait) correlated(c Correlation, space string, signed *signature) *waiter {
	x := w.c.callbacks.calls.expect(w.r.ID, !c.Send.Given())
	x.signed = signed
	if c.Send.Given() {
		id := rand.Text()
		w.c.callbacks.calls.name(x, keyIn(space, id), anyKind)
		w.put(c.Send, id)
	}
	return x
}

// name gives a correlated wait the identifier that the acknowledgement holds,
// and says whether there is something to wait for.
func (w *wait) name(x *waiter, c Correlation, space string) bool {
	if len(x.keys) > 0 {
		return true
	}
	id, err := c.Ack.Find(w.o.GetAck())
	switch {
	case err != nil:
		w.unreadable(err)
		return false
	case id == "":
		w.giveUp("no_identifier", "the acknowledgement does not hold the identifier by which its completion would be known")
		return false
	}
	w.c.callbacks.calls.name(x, keyIn(space, id), anyKind)
	return true
}

// keyIn is the key of an identifier in a path or topic.
func keyIn(space, id string) string { return fmt.Sprintf("%s\x00%.256s", space, id) }
