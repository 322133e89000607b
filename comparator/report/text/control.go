package text

import (
	"fmt"
	"math"

	"understudy.dev/comparator/report"
)

// control shows the places where candidate and baseline differ as distributions.
func (p *page) control(c report.Control) {
	if c.Replays == 0 {
		return
	}
	different := c.Different()
	p.line("Asked again in %s replays, the baseline differs from itself at %s. At %d of them candidate and baseline are different (at most %g %% of these wrongly); SELECT * FROM volatile shows them.",
		report.Count(c.Replays), count(len(c.Places), "place"), different, 100*report.Alpha)
	if c.Explained > 0 {
		p.line("%s of the mismatches differ only at the others.", report.Count(c.Explained))
	}
	if different > 0 {
		var rows [][]string
		for _, v := range c.Places[:min(len(c.Places), maxVolatile)] {
			if v.Different {
				rows = append(rows, []string{v.Route + " " + v.Path, told(v.Coins[0]), odds(v.LogE)})
			}
		}
		p.table([]column{{"Where", 30, false}, {"Candidate : control", 28, false}, {"Odds", 12, true}}, rows)
	}
	p.line("")
}

// maxVolatile bounds the list; the view volatile has all.
const maxVolatile = 20

// told says what a coin has shown.
func told(c report.Coin) string {
	what := map[string]string{"differs": "differs alone", "presence": "has it alone", "number": "is greater", "share": "says " + shorten(report.Clean(c.Word), 24)}[c.Statistic]
	return fmt.Sprintf("%s %s : %s", what, report.Count(c.Heads), report.Count(c.Tails))
}

// odds writes an e-value: what a stake of 1 has become.
func odds(logE float64) string {
	if logE > math.Log(1e6) {
		return "> 1,000,000"
	}
	return report.Count(uint64(math.Exp(logE)))
}
