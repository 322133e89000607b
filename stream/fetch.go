package stream

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A broker counts what a fetch brings in compressed bytes, memory what becomes
// of them, and between the two lies a factor of one to several hundred.
const (
	// fetchBytes is about what one fetch of one broker brings, decompressed.
	fetchBytes = 16 << 20
	// leastFetch and mostFetch bound what is asked for. A batch that is larger
	// comes all the same, alone.
	leastFetch, mostFetch = 64 << 10, 8 << 20
	// firstFetch is asked for while nothing is known.
	firstFetch = 256 << 10
	// fetches is how many of them, of different brokers, are under way or wait
	// to be taken.
	fetches = 4
)

// sizer asks for as much as decompresses to about fetchBytes, by how far the
// last batches grew. Safe for concurrent use.
type sizer struct {
	mu     sync.Mutex
	growth float64 // decompressed bytes of one compressed byte; 0 is unknown
	asked  int32
}

// options make a client ask so; call adjust between two polls.
func (s *sizer) options() []kgo.Opt {
	s.asked = firstFetch
	return []kgo.Opt{
		kgo.FetchMaxWait(fetchMaxWait), kgo.MaxConcurrentFetches(fetches),
		kgo.FetchMaxBytes(firstFetch), kgo.FetchMaxPartitionBytes(firstFetch),
		kgo.WithHooks(s),
	}
}

var _ kgo.HookFetchBatchRead = (*sizer)(nil)

// OnFetchBatchRead implements kgo.HookFetchBatchRead.
func (s *sizer) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.FetchBatchMetrics) {
	s.note(m.CompressedBytes, m.UncompressedBytes)
}

// note learns from a batch: at once that batches grow more, and slowly that they
// grow less.
func (s *sizer) note(compressed, decompressed int) {
	if compressed <= 0 {
		return
	}
	growth := max(1, float64(decompressed)/float64(compressed))
	s.mu.Lock()
	defer s.mu.Unlock()
	if growth < s.growth {
		growth = s.growth + (growth-s.growth)/16
	}
	s.growth = growth
}

// size is how much the next fetch asks for, in compressed bytes.
func (s *sizer) size() int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.growth == 0 {
		return firstFetch
	}
	return int32(min(max(fetchBytes/s.growth, leastFetch), mostFetch))
}

// adjust tells the client. One goroutine calls it.
func (s *sizer) adjust(client *kgo.Client) {
	if size := s.size(); size != s.asked {
		s.asked = size
		client.UpdateFetchMaxBytes(size, size)
	}
}
