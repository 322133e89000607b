package clickhouse

import (
	"encoding/binary"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// judgedBytes is how many bytes of bodies, unpacked, are judged at a time: while
// it is judged a body takes some ten times as much. What is larger is judged
// alone.
const judgedBytes = 16 << 20

// weigh is about how many bytes of bodies judging a replay unpacks.
func weigh(r *understudyv1.Replay) int64 {
	sum := unpacked(r.GetExchange().GetResponse())
	for _, o := range []*understudyv1.Observation{r.GetCandidate(), r.GetControl()} {
		sum += unpacked(o.GetAck()) + unpacked(o.GetCompletion().GetPayload())
	}
	return min(sum, judgedBytes)
}

// unpacked is about the size of a body without its content coding. The end of
// gzip says it (RFC 1952, 2.3.1), without a proof; of other codings eight times
// is a guess.
func unpacked(r *understudyv1.Response) int64 {
	content := r.GetBody().GetContent()
	size := int64(len(content))
	switch coding := message.First(r.GetHeaders(), "Content-Encoding"); {
	case coding == "" || size == 0:
		return size
	case strings.EqualFold(coding, "gzip") && size > 8 && !r.GetBody().GetTruncated():
		return max(size, int64(binary.LittleEndian.Uint32(content[size-4:])))
	}
	return 8 * size
}
