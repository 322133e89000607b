package baseline

import (
	"time"

	"understudy.dev/demo/shop"
)

// decimal is money with two places always: 129.90.
type decimal shop.Cents

func (d decimal) MarshalJSON() ([]byte, error) { return []byte(shop.Cents(d).String()), nil }

// milli is a time to the millisecond in UTC.
type milli time.Time

func (m milli) MarshalText() ([]byte, error) {
	return []byte(time.Time(m).UTC().Format("2006-01-02T15:04:05.000Z")), nil
}

type order struct {
	ID        string   `json:"id"`
	Customer  string   `json:"customer"`
	Reference string   `json:"reference"`
	Status    string   `json:"status"`
	Version   int      `json:"version"`
	Items     []line   `json:"items"`
	Subtotal  decimal  `json:"subtotal"`
	Discount  decimal  `json:"discount"`
	Tax       decimal  `json:"tax"`
	Shipping  shipping `json:"shipping"`
	Total     decimal  `json:"total"`
	Currency  string   `json:"currency"`
	Note      string   `json:"note"`
	Account   int64    `json:"account_number"`
	Created   milli    `json:"created_at"`
	Due       milli    `json:"due_at"`
	Links     links    `json:"links"`
}

type links struct {
	Self string `json:"self"`
}

type line struct {
	SKU      string  `json:"sku"`
	Name     string  `json:"name"`
	Quantity int     `json:"quantity"`
	Price    decimal `json:"price"`
	Amount   decimal `json:"amount"`
}

type shipping struct {
	Method string  `json:"method"`
	Cost   decimal `json:"cost"`
}

func viewLines(lines []shop.Line) []line {
	out := make([]line, 0, len(lines))
	for _, l := range lines {
		out = append(out, line{l.SKU, l.Name, l.Quantity, decimal(l.Price), decimal(l.Amount)})
	}
	return out
}

func viewOrder(o shop.Order) order {
	return order{
		o.ID, o.Customer, o.Reference, o.Status, o.Version, viewLines(o.Lines),
		decimal(o.Subtotal), decimal(o.Discount), decimal(o.Tax),
		shipping{o.Method(), decimal(o.Shipping)}, decimal(o.Total), shop.Currency,
		o.Note, o.Account, milli(o.Created), milli(o.Due), links{"/orders/" + o.ID},
	}
}

type payment struct {
	ID       string  `json:"id"`
	Order    string  `json:"order"`
	Status   string  `json:"status"`
	Amount   decimal `json:"amount"`
	Currency string  `json:"currency"`
	Method   string  `json:"method"`
	Account  int64   `json:"account_number"`
	Captured milli   `json:"captured_at"`
}

func viewPayment(p shop.Payment) payment {
	return payment{p.ID, p.Order, "captured", decimal(p.Amount), shop.Currency, p.Method, p.Account, milli(p.Captured)}
}

type list struct {
	Customer string  `json:"customer"`
	Total    int     `json:"total_count"`
	Offset   int     `json:"offset"`
	Limit    int     `json:"limit"`
	Orders   []order `json:"orders"`
}

func viewList(customer string, offset, limit, total int, page []shop.Order) list {
	orders := make([]order, 0, len(page))
	for _, o := range page {
		orders = append(orders, viewOrder(o))
	}
	return list{customer, total, offset, limit, orders}
}

type products struct {
	Search string    `json:"search"`
	Count  int       `json:"count"`
	Items  []product `json:"products"`
}

type product struct {
	SKU   string  `json:"sku"`
	Name  string  `json:"name"`
	Price decimal `json:"price"`
	Stock int     `json:"stock"`
}

func viewProducts(text string, found []shop.Product) products {
	items := make([]product, 0, len(found))
	for _, p := range found {
		items = append(items, product{p.SKU, p.Name, decimal(p.Price), p.Stock})
	}
	return products{text, len(items), items}
}

type quote struct {
	ID       string  `json:"id"`
	Customer string  `json:"customer"`
	Items    []line  `json:"items"`
	Subtotal decimal `json:"subtotal"`
	Discount decimal `json:"discount"`
	Tax      decimal `json:"tax"`
	Shipping decimal `json:"shipping"`
	Total    decimal `json:"total"`
	Currency string  `json:"currency"`
	Until    milli   `json:"valid_until"`
}

func viewQuote(id, customer string, a shop.Amounts, now time.Time) quote {
	return quote{
		id, customer, viewLines(a.Lines), decimal(a.Subtotal), decimal(a.Discount), decimal(a.Tax),
		decimal(a.Shipping), decimal(a.Total), shop.Currency, milli(now.Add(time.Hour)),
	}
}

type failureBody struct {
	Error failureDetail `json:"error"`
}

type failureDetail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func failure(e *shop.Error) failureBody { return failureBody{failureDetail{e.Code, e.Message}} }
