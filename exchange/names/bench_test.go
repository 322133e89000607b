package names_test

import (
	"fmt"
	"testing"

	"understudy.dev/exchange/names"
)

// orders is a list of 50, about 7 KiB.
func orders(first int) []byte {
	out := []byte(`{"orders":[`)
	for i := range 50 {
		out = fmt.Appendf(out, `{"id":%d,"sku":"article-%d","text":"two of the blue ones, please","amount":%d,"links":{"self":"/orders/%d"}},`, first+i, i, 100+i, first+i)
	}
	return append(out[:len(out)-1], "]}"...)
}

func BenchmarkLearn(b *testing.B) {
	lesson := names.Lesson{
		Method: "GET", Target: "/orders", Sent: [][]byte{[]byte("/orders")},
		Baseline: names.Answer{Status: 200, Body: orders(10_000)}, Candidate: names.Answer{Status: 200, Body: orders(20_000)},
	}
	if n := len(names.Learn(lesson)); n != 100 {
		b.Fatal(n, "pairs")
	}
	b.ReportAllocs()
	for b.Loop() {
		names.Learn(lesson)
	}
}

// BenchmarkTranslate puts 100 names, of 500 that are known.
func BenchmarkTranslate(b *testing.B) {
	var pairs names.Pairs
	for i := range 500 {
		pairs.Add(names.Pair{
			Kind: "order", Proof: names.Created,
			Baseline: names.Value{Text: fmt.Sprint(10_000 + i), Number: true}, Candidate: names.Value{Text: fmt.Sprint(20_000 + i), Number: true},
		})
	}
	body, want := orders(10_000), string(orders(20_000))
	b.ReportAllocs()
	for b.Loop() {
		if got := names.NewTranslator(&pairs, "/orders").JSON(body); string(got) != want {
			b.Fatal(string(got))
		}
	}
}
