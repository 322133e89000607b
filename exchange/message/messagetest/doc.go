// Package messagetest makes messages for tests.
package messagetest
