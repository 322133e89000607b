package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/wI2L/jsondiff"
)

// sizes of the documents of the benchmarks; a pair is two of them.
var sizes = []struct {
	name  string
	bytes int
}{{"1KiB", 1 << 10}, {"10KiB", 10 << 10}, {"100KiB", 100 << 10}}

// order is a document like those of the demo, of at least size bytes. Members
// are written by hand so that their order can be chosen.
func order(size int, reversed bool, change func(item int) string) []byte {
	var b bytes.Buffer
	object := func(members ...string) {
		b.WriteByte('{')
		for i := range members {
			if i > 0 {
				b.WriteByte(',')
			}
			if reversed {
				i = len(members) - 1 - i
			}
			b.WriteString(members[i])
		}
		b.WriteByte('}')
	}
	b.WriteByte('[')
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		object(
			fmt.Sprintf(`"sku":"SKU-%06d"`, i*7919%1000000),
			fmt.Sprintf(`"name":"A product with a name of some length, number %d"`, i),
			fmt.Sprintf(`"quantity":%d`, i%9+1),
			fmt.Sprintf(`"price":"%s"`, change(i)),
			`"currency":"EUR"`,
			fmt.Sprintf(`"shipping":{"method":"express","days":%d,"address":{"street":"Main Street %d","city":"Springfield","zip":"%05d","country":"US"}}`, i%5, i, i*37%100000),
			`"tags":["new","sale","fragile"]`,
			`"available":true`,
			`"note":null`,
			`"weight":12.75`,
		)
	}
	b.WriteByte(']')
	return b.Bytes()
}

func same(int) string { return "129.90" }

// three differs from same in three items, spread over a document of n items.
func three(n int) func(int) string {
	return func(i int) string {
		if i == 0 || i == n/2 || i == n-1 {
			return "129.91"
		}
		return "129.90"
	}
}

func items(t testing.TB, doc []byte) int {
	var all []json.RawMessage
	if err := json.Unmarshal(doc, &all); err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// run measures our differ, with the paths of all differences made, beside
// wI2L/jsondiff on the same pair.
func run(b *testing.B, baseline, candidate []byte, want int) {
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(baseline) + len(candidate)))
		b.ReportAllocs()
		found := 0
		emit := func(d Difference) bool {
			if d.Path() != "" {
				found++
			}
			return true
		}
		for b.Loop() {
			found = 0
			if err := JSON(baseline, candidate, Options{}, emit); err != nil || found != want {
				b.Fatalf("%d differences, want %d (%v)", found, want, err)
			}
		}
	})
	b.Run("jsondiff", func(b *testing.B) {
		b.SetBytes(int64(len(baseline) + len(candidate)))
		b.ReportAllocs()
		for b.Loop() {
			patch, err := jsondiff.CompareJSON(baseline, candidate)
			if err != nil || (len(patch) == 0) != (want == 0) {
				b.Fatalf("%d operations for %d differences (%v)", len(patch), want, err)
			}
		}
	})
}

// BenchmarkEqual: both documents are the same bytes.
func BenchmarkEqual(b *testing.B) {
	for _, s := range sizes {
		doc := order(s.bytes, false, same)
		b.Run(s.name, func(b *testing.B) {
			run(b, doc, bytes.Clone(doc), 0)
			b.Run("bytes", func(b *testing.B) {
				other := bytes.Clone(doc)
				for b.Loop() {
					if !bytes.Equal(doc, other) {
						b.Fatal("not equal")
					}
				}
			})
		})
	}
}

// BenchmarkScalars: three scalars differ, the members stand in the same order.
func BenchmarkScalars(b *testing.B) {
	for _, s := range sizes {
		doc := order(s.bytes, false, same)
		other := order(s.bytes, false, three(items(b, doc)))
		b.Run(s.name, func(b *testing.B) { run(b, doc, other, min(3, items(b, doc))) })
	}
}

// BenchmarkReordered: three scalars differ and all members stand in another
// order.
func BenchmarkReordered(b *testing.B) {
	for _, s := range sizes {
		doc := order(s.bytes, false, same)
		other := order(s.bytes, true, three(items(b, doc)))
		b.Run(s.name, func(b *testing.B) { run(b, doc, other, min(3, items(b, doc))) })
	}
}

// BenchmarkSpaced: like Scalars, the candidate's white space differs
// everywhere.
func BenchmarkSpaced(b *testing.B) {
	for _, s := range sizes {
		doc := order(s.bytes, false, same)
		var other bytes.Buffer
		if err := json.Indent(&other, order(s.bytes, false, three(items(b, doc))), "", "  "); err != nil {
			b.Fatal(err)
		}
		b.Run(s.name, func(b *testing.B) { run(b, doc, other.Bytes(), min(3, items(b, doc))) })
	}
}

// BenchmarkInserted: the candidate lacks the first element.
func BenchmarkInserted(b *testing.B) {
	for _, s := range sizes {
		doc := order(s.bytes, false, same)
		var all []json.RawMessage
		if err := json.Unmarshal(doc, &all); err != nil {
			b.Fatal(err)
		}
		other, err := json.Marshal(all[1:])
		if err != nil {
			b.Fatal(err)
		}
		b.Run(s.name, func(b *testing.B) { run(b, doc, other, 1) })
	}
}

// BenchmarkMoved: the candidate has the elements in the opposite order.
func BenchmarkMoved(b *testing.B) {
	for _, s := range sizes {
		doc := order(s.bytes, false, same)
		var all []json.RawMessage
		if err := json.Unmarshal(doc, &all); err != nil {
			b.Fatal(err)
		}
		slices.Reverse(all)
		other, err := json.Marshal(all)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(s.name, func(b *testing.B) { run(b, doc, other, 1) })
	}
}
