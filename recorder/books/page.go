package books

// place is an index into a page.
type place int

// A page holds the counts in fixed places, so that it can be a mapped file and
// outlive the process. Places are never moved: an older version's page must be
// read by a newer one.
const (
	magic place = iota
	nowhere
	served
	underWay
	queued
	inSink
	spooled
	recorded
	statements
	ended     // 1 after the final statement
	killed    // 1 when a successor has closed the books
	startedAt // of the life, nanoseconds since the Unix epoch
	segment   // of the spool, where what is not settled begins
	offset    // within it
	handed    // when what is in flight from the spool was produced; 0 = nothing is
	rescued   // how many at the head of the spool may be in Kafka too
	again     // how many of those are counted as recorded already
	interval  // between two statements, nanoseconds
)

const (
	firstReason = place(32)
	pageSize    = 128 // numbers in a page
)

// pageBytes is the size of a page in its file; the recorder's name follows.
const pageBytes = 8 * int(pageSize)

// pageMagic begins the page of a mapped file.
const pageMagic = 0x55_44_42_4f_4f_4b_53_01 // "UDBOOKS" and the version

type page []uint64

// drop counts n under a reason; one that is not listed counts as internal, so
// that no number is lost.
func (p page) drop(reason string, n uint64) {
	at := firstReason + place(len(reasons)) - 1
	for i, r := range reasons {
		if r == reason {
			at = firstReason + place(i)
			break
		}
	}
	p[at] += n
}

// dropped are the counts by reason; reasons that never occurred are absent.
func (p page) dropped() map[string]uint64 {
	out := map[string]uint64{}
	for i, r := range reasons {
		if n := p[firstReason+place(i)]; n > 0 {
			out[r] = n
		}
	}
	return out
}
