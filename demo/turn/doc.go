// Package turn is the demo's second act, in which users move over: two systems that
// answer alike until the candidate begins to lie, and users who check every answer.
package turn
