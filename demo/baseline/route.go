package baseline

import (
	"net/http"
	"time"

	"understudy.dev/demo/shop"
)

func (s *server) create(r *http.Request) (int, any, error) {
	draft, err := decode[shop.Draft](r)
	if err != nil {
		return 0, nil, err
	}
	o, err := s.shop.Create(draft, time.Now())
	return http.StatusCreated, viewOrder(o), err
}

func (s *server) read(r *http.Request) (int, any, error) {
	o, err := s.shop.Order(r.PathValue("id"))
	return http.StatusOK, viewOrder(o), err
}

func (s *server) change(r *http.Request) (int, any, error) {
	change, err := decode[shop.Change](r)
	if err != nil {
		return 0, nil, err
	}
	o, err := s.shop.Change(r.PathValue("id"), change)
	return http.StatusOK, viewOrder(o), err
}

func (s *server) remove(r *http.Request) (int, any, error) {
	return http.StatusNoContent, nil, s.shop.Delete(r.PathValue("id"))
}

func (s *server) pay(r *http.Request) (int, any, error) {
	charge, err := decode[shop.Charge](r)
	if err != nil {
		return 0, nil, err
	}
	p, err := s.shop.Pay(r.PathValue("id"), charge, time.Now())
	return http.StatusCreated, viewPayment(p), err
}

func (s *server) cancel(r *http.Request) (int, any, error) {
	o, err := s.shop.Cancel(r.PathValue("id"))
	return http.StatusOK, viewOrder(o), err
}

func (s *server) list(r *http.Request) (int, any, error) {
	offset, limit, err := shop.Page(r.URL.Query())
	if err != nil {
		return 0, nil, err
	}
	customer := r.PathValue("id")
	page, total := s.shop.List(customer, offset, limit)
	return http.StatusOK, viewList(customer, offset, limit, total, page), nil
}

func (s *server) search(r *http.Request) (int, any, error) {
	text := r.URL.Query().Get("search")
	return http.StatusOK, viewProducts(text, shop.Search(text)), nil
}

func (s *server) quote(r *http.Request) (int, any, error) {
	draft, err := decode[shop.Draft](r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, viewQuote(s.id("quote"), draft.Customer, shop.Price(draft.Items), time.Now()), nil
}
