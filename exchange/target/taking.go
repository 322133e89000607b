package target

import (
	"maps"
	"slices"
	"sync"

	"understudy.dev/exchange/operation"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// taking counts what the answers of each route were taken for.
type taking struct {
	mu     sync.Mutex
	routes map[string]*understudyv1.RouteCompletion
}

// maxRoutes bounds the routes that are told apart; what goes beyond counts for
// one without a name.
const maxRoutes = 1000

// final is what an acknowledgement that is the answer is taken for.
const final = "final"

func (t *taking) of(route string) *understudyv1.RouteCompletion {
	if t.routes == nil {
		t.routes = map[string]*understudyv1.RouteCompletion{}
	}
	if t.routes[route] == nil && len(t.routes) >= maxRoutes {
		route = ""
	}
	x := t.routes[route]
	if x == nil {
		x = &understudyv1.RouteCompletion{Route: route, Taken: map[string]uint64{}, Doubts: map[string]uint64{}}
		t.routes[route] = x
	}
	return x
}

// promise counts one that was taken for the promise of a completion.
func (t *taking) promise(route, channel string) {
	if channel == ChannelAuto {
		channel = ChannelPoll
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(route).Taken[channel]++
}

// final counts one that was taken for the answer, and what makes that doubtful
// unless the policy says that every answer is one. It gives the doubt if it is
// the first of its route.
func (t *taking) final(route string, p *Completion, ack, recorded *understudyv1.Response) (first string) {
	doubt := ""
	if p.Channel != ChannelNone && p.Channel != ChannelResponse {
		doubt = operation.Doubt(ack, recorded)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.of(route)
	x.Taken[final]++
	if doubt == "" {
		return ""
	}
	if len(x.Doubts) == 0 {
		first = doubt
	}
	x.Doubts[doubt]++
	return first
}

// Took is what the answers of each route were taken for so far.
func (c *Client) Took() []*understudyv1.RouteCompletion {
	c.took.mu.Lock()
	defer c.took.mu.Unlock()
	var out []*understudyv1.RouteCompletion
	for _, name := range slices.Sorted(maps.Keys(c.took.routes)) {
		x := c.took.routes[name]
		out = append(out, &understudyv1.RouteCompletion{Route: name, Taken: maps.Clone(x.Taken), Doubts: maps.Clone(x.Doubts)})
	}
	return out
}
