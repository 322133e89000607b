package ledger

import (
	"iter"
	"maps"
	"math/bits"
	"slices"
)

// blockBits is how many numbers share a block of a set.
const blockBits = 1 << 16

// set holds numbers, a bit for each, in blocks.
type set map[uint64]*[blockBits / 64]uint64

func (s set) add(n uint64) {
	b := s[n/blockBits]
	if b == nil {
		b = new([blockBits / 64]uint64)
		s[n/blockBits] = b
	}
	b[n%blockBits/64] |= 1 << (n % 64)
}

func (s set) size() (n uint64) {
	for _, b := range s {
		for _, w := range b {
			n += uint64(bits.OnesCount64(w))
		}
	}
	return n
}

// holes are the series of numbers in [low, high] that are not in the set.
func (s set) holes(low, high uint64) iter.Seq2[uint64, uint64] {
	return func(yield func(first, last uint64) bool) {
		next := low // the first number of which nothing is known yet
		for _, block := range slices.Sorted(maps.Keys(s)) {
			for i, w := range s[block] {
				for ; w != 0; w &= w - 1 {
					n := block*blockBits + uint64(i)*64 + uint64(bits.TrailingZeros64(w))
					if n < next {
						continue
					}
					if n > high {
						break
					}
					if n > next && !yield(next, n-1) {
						return
					}
					next = n + 1
				}
			}
		}
		if next <= high {
			yield(next, high)
		}
	}
}
