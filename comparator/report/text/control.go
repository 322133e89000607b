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
	different, alike, open, uncompared := c.Count()
	p.line("Asked again in %s replays, the baseline differs from itself at %s. At %d of them candidate and baseline are different (at most %g %% of these wrongly), at %d they are alike (but for at most %g %% of the replays); SELECT * FROM volatile shows them.",
		report.Count(c.Replays), count(len(c.Places), "place"), different, 100*report.Alpha, alike, 100*report.Margin)
	if open > 0 {
		p.line("At %d too few replays had a control to say either; replay.control.per_route asks it more often on such routes.", open)
	}
	if uncompared > 0 {
		p.line("At %d it gives something else that looks like a name or a token; whether the candidate's is right, nothing compares.", uncompared)
	}
	if c.Explained > 0 {
		p.line("%s of the mismatches differ only where they are alike.%s", report.Count(c.Explained), remaining(c))
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

// remaining says what the controlled replays tell of the explained mismatches;
// nothing of a run that was judged before they did.
func remaining(c report.Control) string {
	if c.Judged == 0 {
		return ""
	}
	return fmt.Sprintf(" Of %s replays of these routes that have a control, %s are mismatches all the same (%s to %s); expect that share of those without one.",
		report.Count(c.Judged), report.Count(c.Mismatches), bound(c.Lower), bound(c.Upper))
}

// bound writes a bound of a share.
func bound(share float64) string { return fmt.Sprintf("%.2f %%", 100*share) }

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
