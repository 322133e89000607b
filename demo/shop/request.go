package shop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Error is a refusal, with the HTTP status that says the same.
type Error struct {
	Status  int
	Code    string
	Message string
}

// Error gives the message.
func (e *Error) Error() string { return e.Message }

// ErrMissing is the refusal of an order that does not exist.
var ErrMissing = &Error{http.StatusNotFound, "not_found", "no such order"}

// errFull keeps a system that is left running within its memory.
var errFull = &Error{http.StatusServiceUnavailable, "full", "the demo keeps no more orders; restart it"}

func conflict(message string) *Error { return &Error{http.StatusConflict, "conflict", message} }

// Item is one line of a draft as the client sends it.
type Item struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
	// Price is what the client saw; it is what the line costs.
	Price Cents `json:"price"`
}

// Draft is the body of POST /orders and POST /quotes.
type Draft struct {
	Customer  string `json:"customer"`
	Reference string `json:"reference"`
	Note      string `json:"note"`
	Items     []Item `json:"items"`
}

// Change is the body of PATCH /orders/{id}.
type Change struct {
	Note *string `json:"note"`
}

// Charge is the body of POST /orders/{id}/payments.
type Charge struct {
	Amount Cents  `json:"amount"`
	Method string `json:"method"`
}

// Decode reads a request body: 400 if it is not JSON of the right types.
func Decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return &Error{http.StatusBadRequest, "malformed", "the body is not the JSON document that this route takes"}
	}
	return nil
}

// Validate refuses a draft that cannot become an order (422), naming every
// field that is wrong.
func (d Draft) Validate() error {
	var wrong []string
	if d.Customer == "" {
		wrong = append(wrong, "customer")
	}
	if len(d.Items) == 0 || len(d.Items) > 50 {
		wrong = append(wrong, "items")
	}
	for i, item := range d.Items {
		if _, known := product(item.SKU); !known {
			wrong = append(wrong, fmt.Sprintf("items[%d].sku", i))
		}
		if item.Quantity < 1 || item.Quantity > 1000 {
			wrong = append(wrong, fmt.Sprintf("items[%d].quantity", i))
		}
	}
	return invalid(wrong)
}

// Validate refuses a change without anything to change (422).
func (c Change) Validate() error {
	if c.Note == nil {
		return invalid([]string{"note"})
	}
	return nil
}

// Validate refuses a charge that no order could take (422).
func (c Charge) Validate() error {
	var wrong []string
	if c.Amount == 0 {
		wrong = append(wrong, "amount")
	}
	if c.Method != "card" && c.Method != "invoice" {
		wrong = append(wrong, "method")
	}
	return invalid(wrong)
}

func invalid(fields []string) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{http.StatusUnprocessableEntity, "invalid", "these fields are wrong: " + strings.Join(fields, ", ")}
}
