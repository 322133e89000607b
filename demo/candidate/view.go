package candidate

import (
	"strings"
	"time"

	"understudy.dev/demo/shop"
)

// decimal is money without superfluous zeros: 129.9, 449.
type decimal shop.Cents

func (d decimal) MarshalJSON() ([]byte, error) {
	return []byte(strings.TrimSuffix(strings.TrimRight(shop.Cents(d).String(), "0"), ".")), nil
}

// milli is a time to the millisecond in UTC.
type milli time.Time

func (m milli) MarshalText() ([]byte, error) {
	return []byte(time.Time(m).UTC().Format("2006-01-02T15:04:05.000Z")), nil
}

type order struct {
	Links     links    `json:"links"`
	Created   milli    `json:"created_at"`
	Due       milli    `json:"due_at"`
	Account   int64    `json:"account_number"`
	Status    string   `json:"status"`
	ID        string   `json:"id"`
	Version   int      `json:"version"`
	Total     decimal  `json:"total"`
	Tax       decimal  `json:"tax"`
	Discount  decimal  `json:"discount"`
	Subtotal  decimal  `json:"subtotal"`
	Currency  string   `json:"currency"`
	Shipping  shipping `json:"shipping"`
	Note      string   `json:"note"`
	Customer  string   `json:"customer"`
	Reference string   `json:"reference"`
	Items     []line   `json:"items"`
}

type links struct {
	Self string `json:"self"`
}

type line struct {
	Amount   decimal `json:"amount"`
	Price    decimal `json:"price"`
	Quantity int     `json:"quantity"`
	Name     string  `json:"name"`
	SKU      string  `json:"sku"`
}

type shipping struct {
	Cost   decimal `json:"cost"`
	Method string  `json:"method"`
}

func viewLines(lines []shop.Line) []line {
	out := make([]line, 0, len(lines))
	for _, l := range lines {
		out = append(out, line{decimal(l.Amount), decimal(l.Price), l.Quantity, l.Name, l.SKU})
	}
	return out
}

func viewOrder(o shop.Order) order {
	return order{
		links{"/orders/" + o.ID}, milli(o.Created), milli(o.Due), o.Account, o.Status, o.ID, o.Version, decimal(o.Total),
		decimal(o.Tax), decimal(o.Discount), decimal(o.Subtotal), shop.Currency,
		shipping{decimal(o.Shipping), o.Method()}, o.Note, o.Customer, o.Reference, viewLines(o.Lines),
	}
}

type payment struct {
	Captured milli   `json:"captured_at"`
	Account  int64   `json:"account_number"`
	Amount   decimal `json:"amount"`
	Currency string  `json:"currency"`
	Order    string  `json:"order"`
	Method   string  `json:"method"`
	Status   string  `json:"status"`
	ID       string  `json:"id"`
}

func viewPayment(p shop.Payment) payment {
	return payment{milli(p.Captured), p.Account, decimal(p.Amount), shop.Currency, p.Order, p.Method, "captured", p.ID}
}

type list struct {
	Orders   []order `json:"orders"`
	Total    int     `json:"total_count"`
	Limit    int     `json:"limit"`
	Offset   int     `json:"offset"`
	Customer string  `json:"customer"`
}

func viewList(customer string, offset, limit, total int, page []shop.Order) list {
	orders := make([]order, 0, len(page))
	for _, o := range page {
		orders = append(orders, viewOrder(o))
	}
	return list{orders, total, limit, offset, customer}
}

type products struct {
	Items  []product `json:"products"`
	Search string    `json:"search"`
	Count  int       `json:"count"`
}

type product struct {
	Price decimal `json:"price"`
	Name  string  `json:"name"`
	Stock int     `json:"stock"`
	SKU   string  `json:"sku"`
}

func viewProducts(text string, found []shop.Product) products {
	items := make([]product, 0, len(found))
	for _, p := range found {
		items = append(items, product{decimal(p.Price), p.Name, p.Stock, p.SKU})
	}
	return products{items, text, len(items)}
}

type quote struct {
	Until    milli   `json:"valid_until"`
	Total    decimal `json:"total"`
	Shipping decimal `json:"shipping"`
	Tax      decimal `json:"tax"`
	Discount decimal `json:"discount"`
	Subtotal decimal `json:"subtotal"`
	Currency string  `json:"currency"`
	Items    []line  `json:"items"`
	Customer string  `json:"customer"`
	ID       string  `json:"id"`
}

func viewQuote(id, customer string, a shop.Amounts, now time.Time) quote {
	return quote{
		milli(now.Add(time.Hour)), decimal(a.Total), decimal(a.Shipping), decimal(a.Tax), decimal(a.Discount),
		decimal(a.Subtotal), shop.Currency, viewLines(a.Lines), customer, id,
	}
}
