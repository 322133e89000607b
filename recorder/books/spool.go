package books

// Head is where in a spool what is not settled begins.
type Head struct {
	// Segment and Offset are a position of package spool.
	Segment, Offset uint64
	// Handed is when what begins there was produced to Kafka, nanoseconds since
	// the Unix epoch; 0 when nothing was.
	Handed int64
	// Rescued is how many exchanges there had been produced before they were
	// spooled, so that Kafka may have them.
	Rescued uint64
}

// Head returns the head of the spool.
func (b *Books) Head() Head {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.page
	return Head{p[segment], p[offset], int64(p[handed]), p[rescued]}
}

// HandSpooled says that exchanges from the head on are produced now.
func (b *Books) HandSpooled(unixNano int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.page[handed] = uint64(unixNano)
}

// Rescue says that n exchanges that may be in Kafka stand at the head of the
// spool, which is moved in front of them.
func (b *Books) Rescue(n, atSegment, atOffset uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.page[segment], b.page[offset] = atSegment, atOffset
	b.page[rescued] += n
}

// Again says that one of those was recorded, as its entry says too.
func (b *Books) Again() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.page[again]++
}

// Unrescue moves the head behind those, none of which needs the spool.
func (b *Books) Unrescue(toSegment, toOffset uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.page[segment], b.page[offset] = toSegment, toOffset
	b.page[rescued], b.page[again] = 0, 0
}

// Unspool settles exchanges that were on disk, as recorded and as dropped for
// reasons, unless they are counted as recorded already, and moves the head behind them, in one step: a process that is
// killed has done all of it or nothing. It does so also after Close, for a
// spool outlives the life. known are those that Kafka was found to have.
func (b *Books) Unspool(inKafka, known uint64, lost map[string]uint64, toSegment, toOffset uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	counted := min(known, b.page[again])
	b.page[again] -= counted
	inKafka += known - counted
	n := inKafka
	for _, l := range lost {
		n += l
	}
	b.page[segment], b.page[offset], b.page[handed] = toSegment, toOffset, 0
	b.page[rescued] -= min(n+counted, b.page[rescued])
	b.page[spooled] -= n
	b.page[recorded] += inKafka
	for reason, l := range lost {
		b.page.drop(reason, l)
	}
}

// LoseSpooled settles n exchanges that were on disk as dropped for a reason; the
// spool then begins at the position.
func (b *Books) LoseSpooled(n uint64, reason string, atSegment, atOffset uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	counted := min(n, b.page[again])
	b.page[again] -= counted
	n -= counted
	b.page[segment], b.page[offset] = atSegment, atOffset
	b.page[spooled] -= n
	b.page.drop(reason, n)
}
