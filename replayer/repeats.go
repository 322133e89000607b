package replayer

import (
	"hash/fnv"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// repeats knows which exchanges were read before: Kafka has one twice when a file
// was imported again, or when only its acknowledgement was lost. It is replayed
// once. The answers depend on nothing but what was read, so that all workers of a
// run get the same.
type repeats struct {
	blocks map[blockOf]*[blockSize]uint64 // a hash of the id for each number
	order  []blockOf                      // as they began
	// others are ids whose number another exchange of its life has: two files that
	// were imported under one name.
	others map[uint64]struct{}
}

type blockOf struct {
	life  understudyv1.Life
	block uint64
}

const (
	// blockSize is how many numbers of a life share a block.
	blockSize = 1024
	// maxBlocks bounds what is remembered to 16 million exchanges, 128 MiB, and
	// maxOthers what does not fit there. Beyond it the oldest are forgotten.
	maxBlocks = 16 << 10
	maxOthers = 1 << 20
)

// again says whether an exchange was asked about before. One without a number is
// never.
func (r *repeats) again(e *understudyv1.Exchange) bool {
	if e.GetSequence() == 0 {
		return false
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(e.GetId())) // never fails
	id := max(h.Sum64(), 1)
	at := &r.block(blockOf{e.Life(), e.GetSequence() / blockSize})[e.GetSequence()%blockSize]
	switch *at {
	case id:
		return true
	case 0:
		*at = id
		return false
	}
	if _, known := r.others[id]; known {
		return true
	}
	if r.others == nil || len(r.others) >= maxOthers {
		r.others = map[uint64]struct{}{}
	}
	r.others[id] = struct{}{}
	return false
}

func (r *repeats) block(of blockOf) *[blockSize]uint64 {
	b := r.blocks[of]
	if b != nil {
		return b
	}
	if r.blocks == nil {
		r.blocks = map[blockOf]*[blockSize]uint64{}
	}
	if len(r.order) >= maxBlocks {
		delete(r.blocks, r.order[0])
		r.order = r.order[1:]
	}
	b = new([blockSize]uint64)
	r.blocks[of] = b
	r.order = append(r.order, of)
	return b
}
