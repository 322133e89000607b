package traffic

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"

	"understudy.dev/demo/shop"
)

// script is what one kind of visitor does; it is false when it was broken off.
type script func(*visitor) bool

// session plays one session, chosen by its number and the seed.
func (t *Traffic) session(ctx context.Context, number int) {
	r := rand.New(rand.NewPCG(t.cfg.Seed, uint64(number)+1))
	v := &visitor{Traffic: t, ctx: ctx, random: r, number: number}
	whole := choose(r.IntN(100))(v)

	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Sessions++
	if !whole {
		t.counts.Broken++
	}
}

// choose gives the script of the visitor with this percentile.
func choose(percent int) script {
	switch {
	case percent < 34:
		return buyer
	case percent < 44:
		return doubter
	case percent < 48:
		return deleter
	case percent < 68:
		return kiosk
	case percent < 79:
		return looker
	case percent < 92:
		return member
	}
	return twins
}

// buyer orders, looks at the order, and pays it.
func buyer(v *visitor) bool {
	return v.search() && v.quote("", v.items()) && v.order("") &&
		v.onOrder(func(id string, total json.Number) bool {
			return v.read(id) && (v.random.IntN(3) > 0 || v.note(id)) &&
				v.ask("POST", "/orders/{id}/payments", "/orders/"+id+"/payments", "",
					map[string]any{"amount": total, "method": "card"}) &&
				v.list() && v.read(id)
		})
}

// doubter changes the order, cancels it and tries to pay it all the same.
func doubter(v *visitor) bool {
	return v.search() && v.order("") && v.onOrder(func(id string, total json.Number) bool {
		return v.note(id) && v.ask("POST", "/orders/{id}/cancel", "/orders/"+id+"/cancel", "", nil) &&
			v.read(id) &&
			v.ask("POST", "/orders/{id}/payments", "/orders/"+id+"/payments", "",
				map[string]any{"amount": total, "method": "invoice"})
	})
}

// deleter removes an order and looks for it in vain.
func deleter(v *visitor) bool {
	return v.order("") && v.onOrder(func(id string, _ json.Number) bool {
		return v.ask("DELETE", "/orders/{id}", "/orders/"+id, "", nil) && v.read(id) && v.list()
	})
}

// kiosk is a walk-in customer: one order, and gone.
func kiosk(v *visitor) bool { return v.search() && v.order(".last") }

// member registers, logs in, orders, takes the price list along and logs out.
func member(v *visitor) bool {
	return v.register() && v.login() && v.order("") && v.onOrder(func(id string, _ json.Number) bool {
		return v.read(id) && v.list() && v.ask("GET", "/products/export", "/products/export", "", nil) &&
			v.ask("DELETE", "/sessions/current", "/sessions/current", "", nil)
	})
}

// looker asks for prices, also for what cannot be had.
func looker(v *visitor) bool {
	impossible := []map[string]any{{"sku": "lamp-desk", "quantity": 0, "price": json.Number("39.90")}}
	return v.search() && v.quote("", impossible) && v.read("ord_999") && v.search() &&
		v.quote("", impossible) && v.quote(".last", v.items())
}

// twins is a customer who orders twice in a row.
func twins(v *visitor) bool { return v.search() && v.order(".first") && v.order(".second") }

func (v *visitor) email() map[string]any {
	return map[string]any{"email": fmt.Sprintf("shopper-%d-%04d@example.com", v.cfg.Seed, v.number)}
}

func (v *visitor) register() bool {
	ok := v.ask("POST", "/customers", "/customers", "", v.email())
	v.registered = v.last.ID
	return ok && v.registered != ""
}

func (v *visitor) login() bool { return v.ask("POST", "/sessions", "/sessions", "", v.email()) }

func (v *visitor) search() bool {
	words := []string{"lamp", "oak", "mug", "table", "rug", "sofa", "chair", ""}
	text := words[v.random.IntN(len(words))]
	return v.ask("GET", "/products", "/products?search="+url.QueryEscape(text), "", nil)
}

func (v *visitor) quote(place string, items []map[string]any) bool {
	return v.ask("POST", "/quotes", "/quotes", place, map[string]any{"customer": v.customer(), "items": items})
}

func (v *visitor) order(place string) bool {
	notes := []string{"", "leave at the door", "gift, no invoice please", "ring twice"}
	body := map[string]any{
		"customer": v.customer(), "reference": fmt.Sprintf("po-%04d", v.number),
		"items": v.items(), "note": notes[v.random.IntN(len(notes))],
	}
	return v.ask("POST", "/orders", "/orders", place, body)
}

// onOrder goes on with the order that the last answer was about.
func (v *visitor) onOrder(next func(id string, total json.Number) bool) bool {
	return v.last.ID != "" && next(v.last.ID, v.last.Total)
}

func (v *visitor) read(id string) bool {
	return v.ask("GET", "/orders/{id}", "/orders/"+id, "", nil)
}

func (v *visitor) note(id string) bool {
	return v.ask("PATCH", "/orders/{id}", "/orders/"+id, "", map[string]any{"note": "please call before delivery"})
}

func (v *visitor) list() bool {
	return v.ask("GET", "/customers/{id}/orders", "/customers/"+v.customer()+"/orders?limit=10", "", nil)
}

// items are one to three lines at catalogue prices.
func (v *visitor) items() []map[string]any {
	catalogue := shop.Catalogue()
	items := make([]map[string]any, 0, 3)
	for range 1 + v.random.IntN(3) {
		p := catalogue[v.random.IntN(len(catalogue))]
		items = append(items, map[string]any{
			"sku": p.SKU, "quantity": 1 + v.random.IntN(5), "price": json.Number(p.Price.String()),
		})
	}
	return items
}
