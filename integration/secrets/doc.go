// Package secrets drives secrets in every place and spelling through a recorder,
// an import and a replay, and searches everything that is left behind for them.
package secrets
