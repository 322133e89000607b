package shop

import (
	"hash/fnv"
	"time"
)

// Currency is the only one the shop takes.
const Currency = "EUR"

// Line is one item with what it comes to.
type Line struct {
	SKU      string
	Name     string
	Quantity int
	Price    Cents
	Amount   Cents
}

// Order is one order as it stands.
type Order struct {
	ID        string
	Customer  string
	Reference string
	Note      string
	Status    string // "open", "paid", "cancelled"
	Version   int
	Account   int64
	Amounts
	Created time.Time
	Due     time.Time
}

// Amounts are the lines of a draft and their sums.
type Amounts struct {
	Lines    []Line
	Subtotal Cents
	Discount Cents
	Tax      Cents
	Shipping Cents
	Total    Cents
}

// Payment is money taken for an order.
type Payment struct {
	ID       string
	Order    string
	Amount   Cents
	Method   string
	Account  int64
	Captured time.Time
}

// Price computes what a valid draft comes to: 5 % off from ten pieces, 19 %
// tax, 4.90 shipping below 100.
func Price(items []Item) Amounts {
	var a Amounts
	pieces := 0
	for _, item := range items {
		p, _ := product(item.SKU)
		line := Line{item.SKU, p.Name, item.Quantity, item.Price, item.Price * Cents(item.Quantity)}
		a.Lines = append(a.Lines, line)
		a.Subtotal += line.Amount
		pieces += item.Quantity
	}
	if pieces >= 10 {
		a.Discount = a.Subtotal.percent(5)
	}
	a.Tax = (a.Subtotal - a.Discount).percent(19)
	if a.Subtotal < 100_00 {
		a.Shipping = 4_90
	}
	a.Total = a.Subtotal - a.Discount + a.Tax + a.Shipping
	return a
}

// Method names the way an order is shipped.
func (a Amounts) Method() string {
	if a.Shipping == 0 {
		return "free"
	}
	return "parcel"
}

// Account is the ledger account of a customer: an odd number above 2^53, so
// one that a double cannot hold.
func Account(customer string) int64 {
	h := fnv.New32a()
	h.Write([]byte(customer))
	return 9007199254740993 + 2*int64(h.Sum32()%1_000_000)
}
