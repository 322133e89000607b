package stream

import (
	"slices"
	"strings"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// queue holds what was read of one partition and is not in the window yet.
type queue struct {
	items  []*understudyv1.Exchange
	bytes  int64
	paused bool
}

// queueRecords and queueBytes bound what waits of one partition before fetching
// it pauses.
const (
	queueRecords = 4000
	queueBytes   = 16 << 20
)

func (q *queue) long() bool { return len(q.items) >= queueRecords || q.bytes >= queueBytes }
func (q *queue) short() bool {
	return len(q.items) < queueRecords/2 && q.bytes < queueBytes/2
}

// size is roughly how many bytes of memory an exchange occupies.
func size(e *understudyv1.Exchange) int64 {
	return 1024 + int64(len(e.GetRequest().GetBody().GetContent())+len(e.GetResponse().GetBody().GetContent())+len(e.GetRequest().GetTarget()))
}

// window is a heap ordered by start, recorder, sequence.
type window []*understudyv1.Exchange

func (w window) Len() int { return len(w) }
func (w window) Less(i, j int) bool {
	a, b := w[i], w[j]
	if a.StartUnixNano != b.StartUnixNano {
		return a.StartUnixNano < b.StartUnixNano
	}
	if c := strings.Compare(a.Recorder, b.Recorder); c != 0 {
		return c < 0
	}
	return a.Sequence < b.Sequence
}
func (w window) Swap(i, j int) { w[i], w[j] = w[j], w[i] }

// Push implements heap.Interface.
func (w *window) Push(x any) { *w = append(*w, x.(*understudyv1.Exchange)) }

// Pop implements heap.Interface.
func (w *window) Pop() any {
	n := len(*w) - 1
	x := (*w)[n]
	(*w)[n] = nil
	*w = slices.Delete(*w, n, n+1)
	return x
}
