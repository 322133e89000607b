package media_test

import (
	"math/rand/v2"
	"testing"

	"understudy.dev/comparator/media"
)

// BenchmarkOpen opens bodies of about 10 KiB.
func BenchmarkOpen(b *testing.B) {
	s := speller{rand.New(rand.NewPCG(1, 1))}
	var c content
	for len(c.records) < 100 {
		one := someContent(s.Rand)
		if c.names = one.names; len(one.names) == 3 {
			c.records = append(c.records, one.records...)
		}
	}
	c.names = []string{"colour", "id", "note"}
	for name, spell := range spellings {
		kind, text := spell(s, c)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := media.Open(kind, []byte(text), media.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
