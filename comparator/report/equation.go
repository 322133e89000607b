package report

import (
	"fmt"
	"strings"
)

// Equation is one line of a balance.
type Equation struct {
	// Name is the equation without numbers: selected = replayed + skipped.
	Name  string `json:"name"`
	Left  uint64 `json:"left"`
	Right uint64 `json:"right"`

	left, right string // with numbers
}

// term of an equation; why says what the number is made of, if anything.
type term struct {
	name string
	n    uint64
	why  map[string]uint64
}

func (t term) String() string {
	s := t.name + " " + Count(t.n)
	if len(t.why) > 0 {
		s += " (" + Reasons(t.why) + ")"
	}
	return s
}

func equation(left term, right ...term) Equation {
	e := Equation{Left: left.n, left: left.String()}
	var names, texts []string
	for _, t := range right {
		e.Right += t.n
		names, texts = append(names, t.name), append(texts, t.String())
	}
	e.Name, e.right = left.name+" = "+strings.Join(names, " + "), strings.Join(texts, " + ")
	return e
}

// Holds says whether both sides are equal.
func (e Equation) Holds() bool { return e.Left == e.Right }

// String is the equation with its numbers; one that does not hold says by how
// much: replayed 10 ≠ sum of verdicts 9: 1 missing.
func (e Equation) String() string {
	switch {
	case e.Left > e.Right:
		return fmt.Sprintf("%s ≠ %s: %s missing", e.left, e.right, Count(e.Left-e.Right))
	case e.Left < e.Right:
		return fmt.Sprintf("%s ≠ %s: %s too many", e.left, e.right, Count(e.Right-e.Left))
	}
	return e.left + " = " + e.right
}
