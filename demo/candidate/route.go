package candidate

import (
	"net/http"
	"time"

	"understudy.dev/demo/fault"
	"understudy.dev/demo/shop"
)

func (c *Candidate) create(in *request) answer {
	draft, err := decode[shop.Draft](in)
	if err != nil {
		return refuse(err)
	}
	if c.hit(in, fault.Refused) {
		return refuse(&shop.Error{Status: http.StatusConflict, Code: "conflict", Message: "the stock does not allow this order"})
	}
	return c.accept(in, "Operation-Location", func() answer {
		o, err := c.shop.Create(draft, time.Now())
		a := result(http.StatusCreated, viewOrder(o), err)
		if err == nil {
			c.note(o)
		}
		if err == nil && c.hit(in, fault.WrongTotal) {
			a.body = altered(a.body, aCentMore)
		}
		return a
	})
}

func (c *Candidate) read(in *request) answer {
	o, err := c.shop.Order(in.PathValue("id"))
	a := result(http.StatusOK, viewOrder(o), err)
	other, ok := c.another(o.Customer)
	switch {
	case err != nil:
	case ok && c.hit(in, fault.SwappedCustomer):
		o.Customer, o.Account = other.Customer, other.Account
		a.body = viewOrder(o)
	case ok && c.hit(in, fault.WrongLink):
		view := viewOrder(o)
		view.Links.Self = "/orders/" + other.ID
		a.body = view
	case c.hit(in, fault.MissingField):
		a.body = altered(a.body, withoutMethod)
	case c.hit(in, fault.WrongType):
		a.body = altered(a.body, quantityAsText)
	}
	return a
}

func (c *Candidate) change(in *request) answer {
	change, err := decode[shop.Change](in)
	if err != nil {
		return refuse(err)
	}
	id := in.PathValue("id")
	return c.accept(in, "Location", func() answer {
		o, err := c.shop.Change(id, change)
		a := result(http.StatusOK, viewOrder(o), err)
		if err == nil && c.hit(in, fault.ExtraField) {
			a.body = altered(a.body, withRevision)
		}
		return a
	})
}

func (c *Candidate) remove(in *request) answer {
	return result(http.StatusNoContent, nil, c.shop.Delete(in.PathValue("id")))
}

func (c *Candidate) pay(in *request) answer {
	charge, err := decode[shop.Charge](in)
	if err != nil {
		return refuse(err)
	}
	id := in.PathValue("id")
	return c.accept(in, "Location", func() answer {
		p, err := c.shop.Pay(id, charge, time.Now())
		a := result(http.StatusCreated, viewPayment(p), err)
		switch {
		case err != nil:
		case c.hit(in, fault.LargeInteger):
			a.body = altered(a.body, throughDouble)
		case c.hit(in, fault.CoarseTime):
			a.body = altered(a.body, toTheSecond)
		}
		return a
	})
}

func (c *Candidate) cancel(in *request) answer {
	id := in.PathValue("id")
	return c.accept(in, "Location", func() answer {
		o, err := c.shop.Cancel(id)
		return result(http.StatusOK, viewOrder(o), err)
	})
}

func (c *Candidate) list(in *request) answer {
	offset, limit, err := shop.Page(in.URL.Query())
	if err != nil {
		return refuse(err)
	}
	customer := in.PathValue("id")
	page, total := c.shop.List(customer, offset, limit)
	if len(page) > 0 && len(page) == total && c.hit(in, fault.StaleList) {
		page, total = page[:total-1], total-1
	}
	return result(http.StatusOK, viewList(customer, offset, limit, total, page), nil)
}

func (c *Candidate) search(in *request) answer {
	text := in.URL.Query().Get("search")
	return result(http.StatusOK, viewProducts(text, shop.Search(text)), nil)
}

func (c *Candidate) quote(in *request) answer {
	draft, err := decode[shop.Draft](in)
	if err != nil && !c.hit(in, fault.Accepted) {
		return refuse(err)
	}
	if c.hit(in, fault.SlowTail) {
		pause(in.Context(), fault.SlowBy*time.Millisecond)
	}
	return result(http.StatusOK, viewQuote(newID(), draft.Customer, shop.Price(draft.Items), time.Now()), nil)
}
