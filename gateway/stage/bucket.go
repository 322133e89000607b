package stage

import "github.com/twmb/murmur3"

// Bucket is the place of a session in a migration, 0 to FullWeight-1, the same
// in every process:
//
//	murmur3_32(seed 0, migration + session) * FullWeight >> 32
//
// It is what flagd's operator "fractional" makes of a flag of the migration's
// name, the session as targeting key and weights that add up to FullWeight
// (core/pkg/evaluator/fractional.go of github.com/open-feature/flagd): a first
// variant of weight w has the buckets below w. docs/gateway.md has vectors.
func Bucket(migration, session string) uint32 {
	return uint32(uint64(murmur3.StringSum32(migration+session)) * FullWeight >> 32)
}
