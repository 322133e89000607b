package text

import (
	"io"

	"understudy.dev/comparator"
)

// Rules writes a list of rules in one of Formats.
func Rules(w io.Writer, rules []comparator.ListedRule, format string) error {
	v := view{value: rules, columns: []string{"name", "class", "state", "owner", "covers", "reason", "expires"}}
	var rows [][]string
	for _, r := range rules {
		v.records = append(v.records, []any{r.Name, r.Class, r.State, r.Owner, r.Covers, r.Reason, r.Expires})
		state := r.State
		switch {
		case r.State == comparator.RuleExpired:
			state += " " + r.Expires
		case r.Expires != "":
			state += " until " + r.Expires
		}
		why := r.Reason
		if r.Owner != comparator.OwnRules {
			why += prefixed(" — ", r.Owner)
		}
		rows = append(rows, []string{r.Class, state, r.Covers, why})
	}
	v.table = func(p *page) {
		p.table([]column{{"Class", 23, false}, {"State", 10, false}, {"Covers", 21, false}, {"Why — whom to ask", 18, false}}, rows)
	}
	return v.render(w, format)
}
