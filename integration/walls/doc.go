// Package walls tests the repository itself: which room may import which, and
// how large things have grown.
package walls
