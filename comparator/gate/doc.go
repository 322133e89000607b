// Package gate decides from counts whether the evidence of a run suffices to move
// users over: promote, hold, or roll back, for each route and in all.
//
// It speaks in bounds that hold at all moments at once, so it may be asked as often
// as one likes: promote when the upper bound of each rate is under its limit, roll
// back when a lower one is over it, otherwise hold. docs/statistics.md derives what
// it promises. It is pure: it reads no table and no clock, and does not know where
// its counts are from, so that those of several runs may be added up.
package gate
