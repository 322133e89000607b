// Package blocks reads and writes ClickHouse's Native format: blocks of columns
// as the native protocol and the HTTP interface carry them, and the compressed
// frames around them.
//
// Blocks are walked and copied, not decoded and encoded: from the engine's
// revision 0 to the revisions served only what surrounds the values differs.
// ch-go's decoders are not used here because they allocate what a length
// announces before a byte of it has arrived; here memory grows with what has
// arrived, and every announced number has a bound.
package blocks
