package accuracy

import (
	"math/rand/v2"

	"understudy.dev/comparator"
)

// class is what a kind is about.
type class string

// The classes. Noise is harmless; all others are real differences.
const (
	outcomes   class = "outcome"
	structures class = "structure"
	values     class = "value"
	noises     class = "noise"
	// unsent: the candidate never made what the request needs, so it must not
	// be sent.
	unsent class = "unsent"
)

// carrier is what an answer has to be for a kind to stand in it.
type carrier int

const (
	onOther    carrier = iota // nothing special is put here
	onCreate                  // the answer that made an order
	onSingle                  // an order
	onList                    // orders
	onAction                  // something that nothing depends on
	onShip                    // answered later
	onDispatch                // called back
	onExport                  // any format
	onMissing                 // an error that both give
	onDoomed                  // a create that the candidate refuses
	onOrphan                  // what needs it
	onOthers                  // things of other clients
)

// kind is one kind of difference or of noise.
type kind struct {
	name  string
	class class
	// verdict that must be among the findings, for outcomes.
	verdict comparator.Verdict
	on      []carrier
	// put changes the answers and returns where it is to be seen; "" is that it
	// cannot stand here.
	put func(c *cast) string
	// presumed is how noise may be judged beside match: nothing in the record
	// could prove it.
	presumed bool
	// rare kinds are large.
	rare bool
}

// cast is a pair that a kind is put into.
type cast struct {
	*pair
	s  *session
	w  *world
	r  *rand.Rand
	on carrier
	// order is what the answer shows; which of a list.
	order *order
	which int
	thing *entity
	// path leads to the order.
	path string
}

// docs are the baseline's and the candidate's document of the order.
func (c *cast) docs() (b, f *obj) { return c.doc(c.baseline), c.doc(c.candidate) }

func (c *cast) doc(a *answer) *obj {
	if c.on == onList {
		return a.body.(*obj).get("orders").(*arr).elements[c.which].(*obj)
	}
	return a.body.(*obj)
}

// both puts a member into both documents.
func (c *cast) both(key string, v any) string {
	b, f := c.docs()
	b.set(key, nodeOf(v))
	f.set(key, clone(nodeOf(v)))
	return c.path + "." + key
}

// differ puts a member into both documents, with another value on either side.
func (c *cast) differ(key string, baseline, candidate any) string {
	b, f := c.docs()
	b.set(key, nodeOf(baseline))
	f.set(key, nodeOf(candidate))
	return c.path + "." + key
}

// change gives the candidate another value.
func (c *cast) change(key string, v any) string {
	_, f := c.docs()
	f.set(key, nodeOf(v))
	return c.path + "." + key
}

// bothFields sets a header of both.
func (c *cast) bothFields(name string, baseline, candidate any) string {
	c.baseline.setField(name, baseline)
	c.candidate.setField(name, candidate)
	return "header:" + name
}

// stranger is a thing of another client.
func (c *cast) stranger(kind string) *entity {
	all := c.w.strangers[kind]
	return all[c.r.IntN(len(all))]
}

// deck deals kinds evenly.
type deck struct {
	all  []*kind
	next []*kind
}

func (d *deck) deal(r *rand.Rand) *kind {
	if len(d.all) == 0 {
		return nil
	}
	if len(d.next) == 0 {
		d.next = append([]*kind(nil), d.all...)
		r.Shuffle(len(d.next), func(i, j int) { d.next[i], d.next[j] = d.next[j], d.next[i] })
	}
	k := d.next[len(d.next)-1]
	d.next = d.next[:len(d.next)-1]
	return k
}

// shares of pairs, in percent: with a real difference, and with a kind of noise
// beside names and times. The rest holds only these.
const (
	realShare  = 28
	noiseShare = 42
)

// plant chooses a kind and puts it into the pair.
func (w *world) plant(c *cast) {
	var k *kind
	switch n := w.random.IntN(100); {
	case c.on == onOther:
	case c.on == onDoomed, c.on == onOrphan:
		k = w.deal(c.on, false)
	case c.on == onOthers:
		k = w.deal(c.on, true)
	case n < realShare:
		k = w.deal(c.on, false)
	case n < realShare+noiseShare || c.on == onShip || c.on == onDispatch:
		k = w.deal(c.on, true)
	}
	if c.s.renamed && (k == nil || k.class == noises) {
		c.kind = renamedBefore
		return
	}
	if k == nil {
		return
	}
	if k.rare && w.random.IntN(12) > 0 {
		return
	}
	before := *c.pair
	base, cand := c.baseline.clone(), c.candidate.clone()
	place := k.put(c)
	if place == "" {
		*c.pair = before
		c.baseline, c.candidate = base, cand
		return
	}
	c.kind, c.place = k, place
}

func (w *world) deal(on carrier, harmless bool) *kind {
	key := on
	if harmless {
		key += 100
	}
	d := w.decks[key]
	if d == nil {
		d = &deck{}
		for _, k := range allKinds {
			for _, at := range k.on {
				if at == on && (k.class == noises) == harmless {
					d.all = append(d.all, k)
				}
			}
		}
		w.decks[key] = d
	}
	return d.deal(w.random)
}
