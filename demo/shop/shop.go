package shop

import (
	"sync"
	"time"
)

// maxOrders bounds the memory of a shop; beyond it orders are refused (503).
const maxOrders = 100_000

// Shop keeps orders. Its methods are safe for concurrent use; a refusal is an
// *Error.
type Shop struct {
	newID func(kind string) string

	mu         sync.Mutex
	orders     map[string]*Order
	byCustomer map[string][]string // order ids, oldest first
	customers  map[string]Customer // by email
	emails     map[string]string   // by the id of a customer
}

// New makes an empty shop; newID gives an unused identifier for an "order", a
// "payment", a "quote" or a "customer".
func New(newID func(kind string) string) *Shop {
	return &Shop{
		newID: newID, orders: map[string]*Order{}, byCustomer: map[string][]string{},
		customers: map[string]Customer{}, emails: map[string]string{},
	}
}

// Create makes an order of a valid draft.
func (s *Shop) Create(d Draft, now time.Time) (Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.orders) >= maxOrders {
		return Order{}, errFull
	}
	o := &Order{
		ID: s.newID("order"), Customer: d.Customer, Reference: d.Reference, Note: d.Note,
		Status: "open", Version: 1, Account: s.accountLocked(d.Customer), Amounts: Price(d.Items),
		Created: now, Due: now.AddDate(0, 0, 14),
	}
	s.orders[o.ID] = o
	s.byCustomer[o.Customer] = append(s.byCustomer[o.Customer], o.ID)
	return *o, nil
}

// Order gives one order.
func (s *Shop) Order(id string) (Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.orders[id]; ok {
		return *o, nil
	}
	return Order{}, ErrMissing
}

// List gives a page of a customer's orders, oldest first, and how many there
// are; a customer without orders has an empty list.
func (s *Shop) List(customer string, offset, limit int) (page []Order, total int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := s.byCustomer[customer]
	for _, id := range ids[min(offset, len(ids)):min(offset+limit, len(ids))] {
		page = append(page, *s.orders[id])
	}
	return page, len(ids)
}

// Change alters the note of an open order.
func (s *Shop) Change(id string, c Change) (Order, error) {
	return s.alter(id, func(o *Order) error {
		if o.Status != "open" {
			return conflict("only an open order can be changed")
		}
		o.Note = *c.Note
		return nil
	})
}

// Cancel ends an open order.
func (s *Shop) Cancel(id string) (Order, error) {
	return s.alter(id, func(o *Order) error {
		if o.Status != "open" {
			return conflict("only an open order can be cancelled")
		}
		o.Status = "cancelled"
		return nil
	})
}

// Pay takes the money for an open order; the amount must be its total.
func (s *Shop) Pay(id string, c Charge, now time.Time) (Payment, error) {
	o, err := s.alter(id, func(o *Order) error {
		if o.Status != "open" {
			return conflict("only an open order can be paid")
		}
		if o.Total != c.Amount {
			return conflict("the amount is not what the order comes to")
		}
		o.Status = "paid"
		return nil
	})
	if err != nil {
		return Payment{}, err
	}
	return Payment{s.newID("payment"), o.ID, c.Amount, c.Method, o.Account, now}, nil
}

// Delete removes an order that is not paid.
func (s *Shop) Delete(id string) error {
	_, err := s.alter(id, func(o *Order) error {
		if o.Status == "paid" {
			return conflict("a paid order cannot be deleted")
		}
		s.removeLocked(o)
		return nil
	})
	return err
}

func (s *Shop) removeLocked(o *Order) {
	delete(s.orders, o.ID)
	var rest []string
	for _, id := range s.byCustomer[o.Customer] {
		if id != o.ID {
			rest = append(rest, id)
		}
	}
	s.byCustomer[o.Customer] = rest
}

func (s *Shop) alter(id string, f func(*Order) error) (Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.orders[id]
	if !ok {
		return Order{}, ErrMissing
	}
	if err := f(o); err != nil {
		return Order{}, err
	}
	o.Version++
	return *o, nil
}
