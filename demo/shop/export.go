package shop

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sync"
	"time"
)

// ExportTrailer is the trailer field that tells, behind an export, whether all
// of it was written.
const ExportTrailer = "Export-Status"

// Export is the price of every product on every day of a year as CSV, about
// 120 KB; it must not be changed.
var Export = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	b.WriteString("day,sku,price\n")
	for day := range 365 {
		date := time.Date(2025, 1, 1+day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		for i, p := range Catalogue() {
			fmt.Fprintf(&b, "%s,%s,%s\n", date, p.SKU, p.Price+Cents((day+i)%7)*5)
		}
	}
	return b.Bytes()
})

// Digest is the value of Repr-Digest for a content (RFC 9530).
func Digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}
