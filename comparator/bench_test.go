package comparator_test

import (
	"fmt"
	"strings"
	"testing"

	"understudy.dev/comparator"
)

// BenchmarkJudge judges replays of 10 KiB answers: the same bytes, generated
// ids and times in them, members in another order besides.
func BenchmarkJudge(b *testing.B) {
	doc := func(id, at string, reordered bool) string {
		var items []string
		for i := 0; len(items) < 80; i++ {
			item := []string{fmt.Sprintf(`"sku":"SKU-%05d"`, i), `"price":"129.90"`, `"quantity":2`, `"name":"A product with a name of some length"`, `"available":true`}
			if reordered {
				item[0], item[4] = item[4], item[0]
			}
			items = append(items, "{"+strings.Join(item, ",")+"}")
		}
		return fmt.Sprintf(`{"id":%q,"created_at":%q,"items":[%s]}`, id, at, strings.Join(items, ","))
	}
	const id, at = "ord_1001", "2026-11-24T10:00:00Z"
	j, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		b.Fatal(err)
	}
	headers := []string{"Date: x", "Cache-Control: no-store", "X-Request-Id: 1", "Server: y"}
	for _, c := range []struct{ name, candidate string }{
		{"equal", doc(id, at, false)},
		{"noise", doc("7f1c2d3e-1111-4222-8333-444455556666", "2026-11-24T10:10:00Z", false)},
		{"reordered", doc("7f1c2d3e-1111-4222-8333-444455556666", "2026-11-24T10:10:00Z", true)},
	} {
		r := immediate(response(200, doc(id, at, false), headers...), response(200, c.candidate, headers...))
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v := j.Judge(r).Verdict; v != comparator.Match {
					b.Fatal(v)
				}
			}
		})
	}
}

// BenchmarkTranslate judges answers that differ in an amount. needed and known are
// one pair of answers of 2 KiB with ten renamed orders: the record has the ten
// pairs that they need, or 500. same and renamed are answers of 90 KiB about 500
// orders: the candidate calls them as the baseline does, or all by other names.
func BenchmarkTranslate(b *testing.B) {
	body := func(orders, first int) string {
		var s strings.Builder
		s.WriteString(`{"orders":[`)
		for i := range orders {
			if i > 0 {
				s.WriteByte(',')
			}
			fmt.Fprintf(&s, `{"id":%d,"sku":"article-%d","text":"two of the blue ones, please, and one of the green ones","amount":%d,"currency":"EUR","links":{"self":"/orders/%d"}}`,
				first+i, i, 100+i, first+i)
		}
		s.WriteString(`]}`)
		return s.String()
	}
	judge, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name                   string
		orders, renamed, pairs int
	}{
		{"needed", 10, 20_000, 10},
		{"known", 10, 20_000, 500},
		{"same", 500, 10_000, 0},
		{"renamed", 500, 20_000, 500},
	} {
		b.Run(c.name, func(b *testing.B) {
			var known []string
			for i := range c.pairs {
				known = append(known, fmt.Sprintf("order #%d=#%d", 10_000+i, 20_000+i))
			}
			r := get(body(c.orders, 10_000), strings.Replace(body(c.orders, c.renamed), `"amount":107,`, `"amount":108,`, 1), knows(known...))
			if v := judge.Judge(r).Verdict; v != comparator.Mismatch {
				b.Fatal(v)
			}
			b.ReportAllocs()
			for b.Loop() {
				judge.Judge(r)
			}
		})
	}
}
