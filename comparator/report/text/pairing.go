package text

import "understudy.dev/comparator/report"

// paired says how much of what is presumed the whole run proves.
func (p *page) paired(all []report.Pairing) {
	if len(all) == 0 {
		return
	}
	var places, pairs, repeats uint64
	for _, x := range all {
		places, pairs, repeats = places+x.Places, pairs+x.Pairs, repeats+x.Repeats
	}
	p.line("Of what is presumed, the run proves %s places to be names: at %s they pair one to one in all replays, %s pairs that came again %s times.",
		report.Count(places), count(len(all), "path"), report.Count(pairs), report.Count(repeats))
	p.line("")
}
