// Package recordertest has sinks for tests of what uses a recorder.
package recordertest
