package candidate

import (
	"encoding/json"
	"errors"
	"net/http"

	"understudy.dev/demo/shop"
)

// answer is a status, a body (nil for none), and fields before and behind it.
type answer struct {
	status  int
	body    any // JSON unless it is a []byte
	header  http.Header
	trailer http.Header
}

func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	text, raw := a.body.([]byte)
	if !raw {
		var err error
		if text, err = json.Marshal(a.body); err != nil {
			http.Error(w, "the answer has no JSON form", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(a.status)
	w.Write(text)
	for name, values := range a.trailer {
		w.Header()[name] = values
	}
}

// refuse is the answer to a request that failed with err.
func refuse(err error) answer {
	refusal := &shop.Error{Status: http.StatusInternalServerError, Code: "internal", Message: err.Error()}
	errors.As(err, &refusal)
	return answer{status: refusal.Status, body: map[string]any{
		"error": map[string]string{"message": refusal.Message, "code": refusal.Code},
	}}
}

// result is the answer of work that gave a body or failed.
func result(status int, body any, err error) answer {
	if err != nil {
		return refuse(err)
	}
	return answer{status: status, body: body}
}
