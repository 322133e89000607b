package substitute_test

import (
	"fmt"
	"testing"

	"understudy.dev/exchange/timestamp"
	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// answer is one of about 1 KiB: an order with its lines.
func answer(id, customer int) *understudyv1.Response {
	body := fmt.Appendf(nil, `{"id":"ord_%d","customer":{"id":%d,"name":"qjxwzkvpmbtd"},"items":[`, id, customer)
	for i := 0; len(body) < 1050; i++ {
		body = fmt.Appendf(body, `{"sku":"abcdefg%c","quantity":%d,"price":"%d.%02d","note":"qjxwzkvpmbtdaeio"},`, 'a'+i, 1+i%9, 3+i*41, i*7%100)
	}
	return &understudyv1.Response{
		Status:  200,
		Headers: []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}},
		Body:    &understudyv1.Body{Content: append(body[:len(body)-1], "]}"...)},
	}
}

func read(i, sessions int, recorded *understudyv1.Response) *understudyv1.Exchange {
	return &understudyv1.Exchange{
		Id: fmt.Sprint("e", i), Session: fmt.Sprint("s", i%sessions), Response: recorded,
		Request: &understudyv1.Request{Method: "GET", Target: fmt.Appendf(nil, "/orders/%d", i), Headers: []*understudyv1.Header{{Name: "X-Seq", Value: fmt.Append(nil, i)}}},
	}
}

// BenchmarkAnswer is what an answer of 1 KiB costs from its arrival to the
// record: Learn and Record.
func BenchmarkAnswer(b *testing.B) {
	run := func(name string, sessions int, recorded func(i int) *understudyv1.Response) {
		b.Run(name, func(b *testing.B) {
			m := substitute.NewMemory("")
			var exchanges []*substitute.Exchange
			var answers []*understudyv1.Response
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i%1000 == 0 {
					b.StopTimer()
					exchanges, answers = exchanges[:0], answers[:0]
					for k := range 1000 {
						exchanges = append(exchanges, m.Register(read(i+k, sessions, recorded(i+k))))
						answers = append(answers, answer(7000+(i+k)%8000, (i+k)*7919%1000000))
					}
					b.StartTimer()
				}
				x, a := exchanges[i%1000], answers[i%1000]
				r, _ := x.Translate(func(*substitute.Request) {})
				x.Learn(nil, a, timestamp.Frame{})
				x.Record(r, a, a)
				i++
			}
		})
	}
	run("recorded without a body", 500, func(int) *understudyv1.Response { return &understudyv1.Response{Status: 200} })
	run("alike", 500, func(i int) *understudyv1.Response { return answer(1000+i%8000, i*7907%1000000) })
	run("one session", 1, func(i int) *understudyv1.Response { return answer(1000+i%8000, i*7907%1000000) })
}

// BenchmarkRegister is what reading ahead costs an exchange.
func BenchmarkRegister(b *testing.B) {
	m := substitute.NewMemory("")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		m.Register(read(i, 500, answer(1000+i%8000, i*7907%1000000))).Settle()
		i++
	}
}
