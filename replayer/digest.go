package replayer

import (
	"crypto/md5"  //nolint:gosec // Content-MD5 is one
	"crypto/sha1" //nolint:gosec // so is what older APIs ask for
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"net/http"
	"strings"

	"understudy.dev/exchange/message"
)

// redigest gives fields that hold a digest of one of the recorded bodies that of
// the body that is sent, whatever they are called, as the client would have: a
// candidate refuses a body that is not what its digest says. A field for digests
// that holds none of those goes.
func redigest(fields http.Header, sent []byte, recorded ...[]byte) {
	if len(fields) == 0 {
		return
	}
	now := digests(sent)
	var renew []string
	for _, body := range recorded {
		for i, was := range digests(body) {
			renew = append(renew, was, now[i])
		}
	}
	renewed := strings.NewReplacer(renew...)
	for _, values := range fields {
		for i, value := range values {
			values[i] = renewed.Replace(value)
		}
	}
	for _, name := range message.DigestFields() {
		for _, value := range fields.Values(name) {
			if !holdsAny(value, now) {
				fields.Del(name)
				break
			}
		}
	}
}

func holdsAny(value string, digests []string) bool {
	for _, d := range digests {
		if strings.Contains(value, d) {
			return true
		}
	}
	return false
}

// digests are the digests of a body in each spelling, the longest first, in one
// order for all bodies.
func digests(body []byte) (out []string) {
	long, medium, short, shortest := sha512.Sum512(body), sha256.Sum256(body), sha1.Sum(body), md5.Sum(body) //nolint:gosec // as above
	sums := [][]byte{long[:], medium[:], short[:], shortest[:]}
	for _, table := range []*crc32.Table{crc32.MakeTable(crc32.Castagnoli), crc32.IEEETable} {
		sums = append(sums, binary.BigEndian.AppendUint32(nil, crc32.Checksum(body, table)))
	}
	for _, sum := range sums {
		lower := hex.EncodeToString(sum)
		out = append(out, lower, strings.ToUpper(lower), base64.StdEncoding.EncodeToString(sum), base64.URLEncoding.EncodeToString(sum))
	}
	return out
}
