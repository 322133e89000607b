package gate

// Evidence is all that a gate looks at.
type Evidence struct {
	Run string
	// Scope is the stage of a migration whose exchanges alone are counted; nil if
	// it is the whole run.
	Scope *Scope
	// Judgement is the one that the counts are of; empty if there is none.
	Judgement string
	// Routes are the counts of each route, in any order.
	Routes []Counts
	// Thresholds are those that Counts.Over stand for, in their order.
	Thresholds []Threshold
	// Spoiled says why the counts are no evidence at all, Doubts why they do not
	// suffice for a promotion, whatever they are.
	Spoiled, Doubts []Reason
	// Audit is the audit of the run; nil if there is none.
	Audit *Audited
}

// Scope is one stage of a migration, for as long as it has lasted.
type Scope struct {
	Migration string `json:"migration"`
	// Stage is its stage now, in words.
	Stage string `json:"stage"`
	// Since is the number of the first step whose exchanges count.
	Since uint64 `json:"since"`
	// Routes are the first steps of routes with a step of their own.
	Routes map[string]uint64 `json:"routes,omitempty"`
	// Served are the exchanges that the candidate served and nobody compared. Who is
	// with the candidate does not depend on what it does, so they are left out.
	Served uint64 `json:"served"`
}

// Counts are those of the requests of one route.
type Counts struct {
	Route string
	// First is the position of its first request in the schedule. It decides how
	// much of the error the route may use up, and may not depend on what the
	// candidate did.
	First uint64
	// Requests are all that were selected, sent or not.
	Requests uint64
	// Findings are how many requests have each finding, by its name; of error only
	// those that the baseline had answered.
	Findings map[string]uint64
	// Skipped were not sent, Unanswered not answered by the baseline: nothing is
	// known of the candidate there.
	Skipped, Unanswered uint64
	// Presumed and Incomplete are requests whose answers differ in what nothing
	// proves harmless, or were not compared in all; Unsure those that are one or
	// both of it and no mismatch: whether they are one is unknown.
	Presumed, Incomplete, Unsure uint64
	// Over are requests beyond each threshold.
	Over []Over
	// Different are the places at which the candidate differs from the baseline as
	// the baseline does not differ from itself.
	Different uint64
}

// Over counts requests beyond a threshold, and those of which it is not known.
type Over struct{ Over, Unknown uint64 }

// Audited is what an audit has found of the faults that it planted.
type Audited struct {
	Run       string
	Judgement string
	// Found of Counted faults, those aside that lie where nothing is compared by
	// default.
	Found, Counted uint64
}

// sight is how often something was seen, and of how many requests it is unknown.
type sight struct{ hits, unknown uint64 }

// see counts what a limit is about.
func (c Counts) see(l limit, thresholds []Threshold) sight {
	blind := c.Skipped + c.Unanswered
	if l.at == nil {
		s := sight{c.Findings[l.name], blind}
		if l.name == "mismatch" {
			s.unknown += c.Unsure
		}
		return s
	}
	for i, t := range thresholds {
		if t == *l.at && i < len(c.Over) {
			return sight{c.Over[i].Over, c.Over[i].Unknown}
		}
	}
	return sight{0, c.Requests} // nobody has looked
}

// add sums up the counts of another route.
func (c *Counts) add(o Counts) {
	c.Requests += o.Requests
	c.Skipped, c.Unanswered = c.Skipped+o.Skipped, c.Unanswered+o.Unanswered
	c.Presumed, c.Incomplete, c.Unsure = c.Presumed+o.Presumed, c.Incomplete+o.Incomplete, c.Unsure+o.Unsure
	c.Different += o.Different
	for name, n := range o.Findings {
		c.Findings[name] += n
	}
	for len(c.Over) < len(o.Over) {
		c.Over = append(c.Over, Over{})
	}
	for i, x := range o.Over {
		c.Over[i].Over += x.Over
		c.Over[i].Unknown += x.Unknown
	}
}
