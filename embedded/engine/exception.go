package engine

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Exception is an error that ClickHouse raised: code and name as in its
// src/Common/ErrorCodes.cpp, the message without either.
type Exception struct {
	Code    int32
	Name    string
	Message string
}

// Error gives the exception as ClickHouse prints it.
func (e *Exception) Error() string {
	return fmt.Sprintf("Code: %d. DB::Exception: %s (%s)", e.Code, e.Message, e.Name)
}

// codeUnknown is UNKNOWN_EXCEPTION, for errors that ClickHouse did not raise.
const codeUnknown = 1002

// coded is an error that knows which exception of ClickHouse it is.
type coded interface {
	error
	Exception() (code int32, name string)
}

// ExceptionOf turns any error into an exception. An error with a method
// Exception supplies its own code and name.
func ExceptionOf(err error) *Exception {
	var e *Exception
	if errors.As(err, &e) {
		return e
	}
	var c coded
	if errors.As(err, &c) {
		code, name := c.Exception()
		return &Exception{Code: code, Name: name, Message: err.Error()}
	}
	return &Exception{Code: codeUnknown, Name: "UNKNOWN_EXCEPTION", Message: err.Error()}
}

var (
	exceptionHead = regexp.MustCompile(`(?s)Code: (\d+)\. DB::(?:[A-Za-z]*Exception|NetException|ErrnoException): `)
	exceptionName = regexp.MustCompile(`(?s)\s*\(([A-Z][A-Z0-9_]+)\)\.?\s*(?:\(version [^)]*\))?\.?\s*$`)
)

// parseException parses an error text of the engine. Text without a code is
// code 1002, UNKNOWN_EXCEPTION.
func parseException(s string) *Exception {
	s = strings.TrimSpace(s)
	e := &Exception{Code: codeUnknown, Name: "UNKNOWN_EXCEPTION", Message: s}
	loc := exceptionHead.FindStringSubmatchIndex(s)
	if loc == nil {
		return e
	}
	code, err := strconv.ParseInt(s[loc[2]:loc[3]], 10, 32)
	if err != nil {
		return e
	}
	e.Code, e.Message = int32(code), s[loc[1]:]
	if m := exceptionName.FindStringSubmatchIndex(e.Message); m != nil {
		e.Name, e.Message = e.Message[m[2]:m[3]], e.Message[:m[0]]
	}
	e.Message = strings.TrimSuffix(strings.TrimSpace(e.Message), ".")
	return e
}
