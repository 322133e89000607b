// Package fault is the list of mistakes that the demo's candidate makes on
// purpose, and the book of where it made them.
//
// Whether a request is hit follows from its route and from the header
// X-Reference, which its client chose and which a replay carries unchanged. No
// chance and no clock is involved, so a replay at any speed meets the same
// faults, and no request meets two of them.
//
// A reference that ends in ".last" belongs to the last request of its session.
// Faults that leave a request unfinished, or undone, hit only those: what came
// after them in the session would differ as well, and the count would no longer
// say how many faults there are. References that end in ".first" and ".second"
// belong to two requests that one session makes one right after the other.
package fault
