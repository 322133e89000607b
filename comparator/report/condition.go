package report

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// Condition is a limit that a run must keep: mismatch>0.1% is broken when more
// than a thousandth of all that was selected is a mismatch, lost>0 when one
// replay is.
type Condition struct {
	text  string // as it was written
	name  string
	op    string
	limit *big.Rat
	share bool
}

// maxConditions bounds how many are taken, maxTold how many mistakes are told.
const (
	maxConditions = 100
	maxTold       = 10
)

var (
	conditionPart = regexp.MustCompile(`^(\s*)([a-z_]+)\s*(>=|<=|>|<)\s*(.*?)\s*$`)
	conditionName = regexp.MustCompile(`^\s*[A-Za-z_]*`)
	limitText     = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,9})?$`)
)

// ParseConditions reads a list with commas between. Every mistake is told, at
// most maxTold of them, with its column, from 1, and with what may stand there.
func ParseConditions(text string) ([]Condition, error) {
	var out []Condition
	var wrong []string
	column := 1
	for part := range strings.SplitSeq(text, ",") {
		c, at, err := parseCondition(part)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("column %d: %v", column+at, err))
		}
		if out = append(out, c); len(out) > maxConditions {
			wrong = append(wrong, fmt.Sprintf("column %d: more than %d conditions", column, maxConditions))
			break
		}
		column += len([]rune(part)) + 1
	}
	if n := len(wrong) - maxTold; n > 1 {
		wrong = append(wrong[:maxTold], fmt.Sprintf("and %d more mistakes", n))
	}
	if len(wrong) > 0 {
		return nil, errors.New(strings.Join(wrong, "; "))
	}
	return out, nil
}

// parseCondition reads one; at is where the mistake is, in characters from 0.
func parseCondition(part string) (c Condition, at int, err error) {
	blank := len(part) - len(strings.TrimLeft(part, " "))
	m := conditionPart.FindStringSubmatchIndex(part)
	if m == nil {
		name := strings.TrimSpace(conditionName.FindString(part))
		if name != "" && slices.Contains(conditionNames(), name) {
			return c, blank + len(name), fmt.Errorf("after %s comes one of >, >=, <, <= and a limit, as in %s>0.1%%", name, name)
		}
		return c, blank, fmt.Errorf("%q is no condition; want NAME>LIMIT, as in mismatch>0.1%% or lost>0; names are %s",
			Clean(brief(strings.TrimSpace(part))), strings.Join(conditionNames(), ", "))
	}
	group := func(i int) string { return part[m[2*i]:m[2*i+1]] }
	c = Condition{text: strings.TrimSpace(part), name: group(2), op: group(3)}
	if !slices.Contains(conditionNames(), c.name) {
		return c, m[4], fmt.Errorf("%q cannot be counted; names are %s", Clean(brief(c.name)), strings.Join(conditionNames(), ", "))
	}
	number := group(4)
	if s, ok := strings.CutSuffix(number, "%"); ok {
		number, c.share = strings.TrimRight(s, " "), true
	}
	if !limitText.MatchString(number) || !c.share && strings.Contains(number, ".") {
		return c, m[8], fmt.Errorf("the limit %q is neither a whole number, as in 10, nor a share of all that was selected, as in 0.1%%", Clean(brief(group(4))))
	}
	c.limit, _ = new(big.Rat).SetString(number)
	if c.share && c.limit.Cmp(big.NewRat(100, 1)) > 0 {
		return c, m[8], fmt.Errorf("the share %s is more than 100%%", group(4))
	}
	return c, 0, nil
}

func brief(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// conditionNames are the verdicts and the sums of them that a condition may
// name.
func conditionNames() []string {
	var names []string
	for _, v := range (&Score{}).verdicts() {
		names = append(names, v.name)
	}
	slices.Sort(names)
	return append(names, unexplained, "match", "judged", "selected")
}

// unexplained are the mismatches without those that differ only at places where the
// control sample shows candidate and baseline to be alike (Control.Explained).
const unexplained = "unexplained"

// NeedsControl says whether one of the conditions is about what the control sample
// explains, so that a report must have it.
func NeedsControl(conditions []Condition) bool {
	return slices.ContainsFunc(conditions, func(c Condition) bool { return c.name == unexplained })
}

// value of a name in a report.
func (r *Report) value(name string) uint64 {
	s := &r.Total
	left := s.Mismatch - min(s.Mismatch, r.Control.Explained)
	for _, v := range append(s.verdicts(), named{unexplained, &left}, named{"match", &s.Match}, named{"judged", &s.Judged}, named{"selected", &s.Selected}) {
		if v.name == name {
			return *v.n
		}
	}
	return 0
}

// Broken says in words which conditions hold for a report, in their order. A
// share of nothing selected is none, so that its condition counts as broken: an
// empty run is no evidence.
func Broken(conditions []Condition, r *Report) []string {
	var out []string
	s := &r.Total
	for _, c := range conditions {
		n := r.value(c.name)
		switch {
		case c.share && s.Selected == 0:
			out = append(out, c.text+": nothing was selected, so that there is no share")
		case c.share && c.holds(new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(100), new(big.Int).SetUint64(n)), new(big.Int).SetUint64(s.Selected))):
			out = append(out, fmt.Sprintf("%s: %s of %s selected, %s", c.text, Count(n), Count(s.Selected), Percent(n, s.Selected)))
		case !c.share && c.holds(new(big.Rat).SetInt(new(big.Int).SetUint64(n))):
			out = append(out, c.text+": "+Count(n))
		}
	}
	return out
}

func (c Condition) holds(value *big.Rat) bool {
	sign := value.Cmp(c.limit)
	switch c.op {
	case ">":
		return sign > 0
	case ">=":
		return sign >= 0
	case "<":
		return sign < 0
	}
	return sign <= 0
}
