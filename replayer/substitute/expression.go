package substitute

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"understudy.dev/exchange/names"
)

// Names may stand where nothing is replaced: in an expression, or where the
// document says beside a value what it is. What is found there is only looked for,
// so that a request with the name of another thing is not sent.

// A condition on an identifier in an expression or in a query (order_id eq 17,
// order_id:17, order(id: 17)), a link without a slash before it, and one within
// something else (arn:…:order/17, orders(17)).
var (
	condition = regexp.MustCompile(`([A-Za-z_][\w.]*)["']?\s*(?:\beq\b|\bin\b|==?|:)\s*[("'\[]*([\w-]+)`)
	argument  = regexp.MustCompile(`([A-Za-z_]\w*)\s*\(\s*id\s*:\s*["']?([\w-]+)`)
	resource  = regexp.MustCompile(`^[a-z][a-z_-]*(?:/[\w.-]+)*/[\w-]*\d[\w-]*$`)
	inside    = regexp.MustCompile(`\b([A-Za-z]{2,32})[/(]'?(\d{1,18})\b`)
)

const maxExpression = 64 << 10 // bytes

// expression looks for names in a text that is no prose.
func expression(f *names.Finder, text string) {
	if len(text) > maxExpression || !strings.ContainsAny(text, "0123456789") || f.Beside(text) {
		return
	}
	if begin := strings.TrimSpace(text); begin != "" && (begin[0] == '{' || begin[0] == '[') && json.Valid([]byte(begin)) {
		f.JSON([]byte(begin))
		return
	}
	if resource.MatchString(text) {
		f.Target("/" + text)
	} else if !names.IsLink(text) {
		for _, m := range inside.FindAllStringSubmatch(text, maxSaid) {
			f.Value(m[1]+"_id", m[2])
		}
	}
	comparisons(f, text)
	attached(f, text)
}

// operands looks for names in a parameter that is a list in JSON.
func operands(f *names.Finder, name, value string) {
	if len(value) > maxExpression {
		return
	}
	if strings.HasPrefix(value, "[") && json.Valid([]byte(value)) {
		if key, err := json.Marshal(name); err == nil {
			f.JSON([]byte("{" + string(key) + ":" + value + "}"))
		}
	}
}

// comparisons looks for what is compared with names in a text, or passed as one,
// and says how many there are.
func comparisons(f *names.Finder, text string) int {
	all := condition.FindAllStringSubmatch(text, maxTags)
	for _, m := range all {
		f.Value(m[1][strings.LastIndexByte(m[1], '.')+1:], m[2])
	}
	calls := argument.FindAllStringSubmatch(text, maxTags)
	for _, m := range calls {
		f.Value(m[1]+"_id", m[2])
	}
	said := sentence.FindAllStringSubmatch(text, maxTags)
	for _, m := range said {
		f.Value(m[1], m[2])
	}
	return max(len(all), len(calls), len(said))
}

// expressions looks for names in the texts of a JSON document.
func expressions(f *names.Finder, body []byte) {
	texts(body, func(text string) { expression(f, text) })
}

const (
	maxNested   = 64
	maxDescribe = 10_000 // values of one document
)

// described looks for names in a JSON document of which it says beside them what
// they are: {"type": "orders", "id": "17"} (jsonapi.org), {"subject_type":
// "Order", "subject_id": "17"}, {"field": "order_id", "value": 17}, {"op":
// "replace", "path": "/order_id", "value": 17} (RFC 6902), {"order": {"number":
// 17}}, {"orders": [17]}, the variables of a GraphQL query. family is what a list
// at the top holds. Those in beside may be the ones that are replaced at their own
// places.
func described(f, beside *names.Finder, body []byte, family string) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	w := describing{f: f, beside: beside}
	for {
		var v any
		if d.Decode(&v) != nil {
			return
		}
		if list, is := v.([]any); is && family != "" {
			w.all(family+"_id", list)
		}
		w.walk("", v, 0)
	}
}

type describing struct {
	f, beside *names.Finder
	seen      int
}

// all looks at a scalar or at those in a list.
func (w *describing) all(name string, v any) {
	switch x := v.(type) {
	case json.Number, string:
		if w.seen++; w.seen <= maxDescribe && len(name) <= maxLabel {
			w.f.Value(name, fmt.Sprint(x))
		}
	case []any:
		for _, e := range x {
			switch e.(type) {
			case json.Number, string:
				w.all(name, e)
			}
		}
	}
}

// maxLabel is the longest name of a member that describes another, in bytes.
const maxLabel = 64

// labels, kinds and values are members that say of which member, or of what kind,
// what stands in another one is.
var (
	labels = strings.Fields("field name key attribute column property member path")
	kinds  = strings.Fields("type kind entity resource model class object of")
	values = strings.Fields("value val values equals eq is in")
	ids    = strings.Fields("ref key value uuid number no target")
)

func (w *describing) walk(name string, v any, depth int) {
	if depth > maxNested {
		return
	}
	switch x := v.(type) {
	case map[string]any:
		w.object(name, x)
		for key, value := range x {
			w.walk(key, value, depth+1)
		}
	case []any:
		for _, e := range x {
			number, is := e.(json.Number)
			switch {
			case !is || name == "":
				w.walk(name, e, depth+1)
			case names.IsIdentifier(strings.TrimSuffix(name, "s")):
			case strings.HasSuffix(name, "s"):
				w.beside.Value(name+"_id", number.String())
			case listOf(name) != "":
				w.all(listOf(name)+"_id", e)
			}
		}
	}
}

// listOf is what a list is one of by its name: order_list, orderList, and anything
// for idList.
func listOf(name string) string {
	for _, end := range []string{"_list", "List", "-list"} {
		if of, ok := strings.CutSuffix(name, end); ok && names.IsIdentifier(of) {
			return "entity"
		} else if ok {
			return of
		}
	}
	return ""
}

func (w *describing) object(name string, x map[string]any) {
	for _, label := range labels {
		of, is := x[label].(string)
		if !is {
			continue
		}
		if at := strings.Split(of, "/"); len(at) > 1 && at[0] == "" { // a pointer
			of = at[len(at)-1]
			if of == "-" || names.IsDigits(of) {
				of = at[len(at)-2]
			}
		}
		for _, value := range values {
			w.all(of, x[value])
		}
	}
	for _, kind := range kinds {
		of, is := x[kind].(string)
		if !is || of == "" || len(of) > maxLabel {
			continue
		}
		of = of[strings.LastIndexAny(of, `\.:/`)+1:] // App\Models\Order
		switch id := x["id"].(type) {
		case string, json.Number:
			w.beside.Value(of+"_id", fmt.Sprint(id))
		}
		for _, id := range ids {
			w.all(of+"_id", x[id])
		}
	}
	for key, value := range x {
		switch stem, isType := strings.CutSuffix(strings.ToLower(strings.ReplaceAll(key, "_", "")), "type"); {
		case isType && stem != "":
			if of, is := value.(string); is && of != "" && len(of) <= maxLabel {
				w.referred(x, stem, of[strings.LastIndexAny(of, `\.:/`)+1:])
			}
		case name != "" && names.IsDesignator(key) && !names.IsIdentifier(strings.TrimSuffix(key, "s")):
			w.all(name+"_"+key, value)
		case key == "query":
			query, is := value.(string)
			if variables, has := x["variables"].(map[string]any); is && has {
				w.variables(query, variables)
			}
		}
	}
}

// referred looks at what a member of an object names that tells its kind in another.
func (w *describing) referred(x map[string]any, stem, kind string) {
	for key, value := range x {
		plain := strings.ToLower(strings.ReplaceAll(key, "_", ""))
		if plain == stem+"id" || plain == stem || plain == stem+"uuid" || plain == stem+"ref" {
			w.all(kind+"_id", value)
		}
	}
}

// variable is where an argument of a GraphQL field is a variable: order(id: $o).
var (
	arguments = regexp.MustCompile(`([A-Za-z_]\w*)\s*\(([^()]{1,1000})\)`)
	variable  = regexp.MustCompile(`([A-Za-z_]\w*)\s*:\s*\[?\s*\$(\w+)`)
)

// variables looks at the variables of a GraphQL query that are arguments of another
// name.
func (w *describing) variables(query string, variables map[string]any) {
	if len(query) > maxExpression {
		return
	}
	for _, call := range arguments.FindAllStringSubmatch(query, maxTags) {
		for _, m := range variable.FindAllStringSubmatch(call[2], maxTags) {
			if place, own := names.KindOf(m[2]); place.Named && !own {
				continue // it is replaced by its own name
			}
			of := m[1]
			if of == "id" || of == "ids" {
				of = call[1] + "_id"
			}
			w.all(of, variables[m[2]])
		}
	}
}

// texts goes over the texts of a JSON document.
func texts(body []byte, with func(string)) {
	d := json.NewDecoder(bytes.NewReader(body))
	for range maxTokens {
		token, err := d.Token()
		if err != nil {
			return
		}
		if text, ok := token.(string); ok {
			with(text)
		}
	}
}

const maxTokens = 100_000
