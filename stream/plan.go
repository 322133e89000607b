package stream

import (
	"strconv"
	"strings"
)

// plan is a batch that was announced before it was handled: offsets
// [first, end). end = 0 means that there is none.
type plan struct{ first, end int64 }

const planMark = "understudy-plan/1"

// metadata is the plan as the text of a commit's metadata: "understudy-plan/1
// <end> <fingerprint>".
func (p plan) metadata(fingerprint string) string {
	return planMark + " " + strconv.FormatInt(p.end, 10) + " " + fingerprint
}

// parsePlan reads the metadata of a commit at offset first. Anything but a plan
// that ends after first counts as no plan.
func parsePlan(first int64, metadata string) (p plan, fingerprint string) {
	fields := strings.SplitN(metadata, " ", 3)
	if len(fields) != 3 || fields[0] != planMark {
		return plan{}, ""
	}
	end, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil || end <= first {
		return plan{}, ""
	}
	return plan{first, end}, fields[2]
}
