package native

import (
	"errors"
	"fmt"
)

// An Exception is an error of ClickHouse: code and name as in its
// src/Common/ErrorCodes.cpp, and the message without either.
type Exception struct {
	Code    int32
	Name    string
	Message string
}

// Error gives the exception as ClickHouse prints it.
func (e *Exception) Error() string {
	return fmt.Sprintf("Code: %d. %s: %s (%s)", e.Code, exceptionClass, e.Message, e.Name)
}

// Codes of the exceptions that the protocol itself raises.
const (
	codeNoSuchColumn     = 16
	codeNotImplemented   = 48
	codeSyntaxError      = 62
	codeUnexpectedPacket = 101
	codeUnknownSetting   = 115
	codeTooManyRequests  = 202
	codeTooManyBytes     = 307
	codeCannotWrite      = 75
	codeAuthentication   = 516
	codeUnknownException = 1002
)

// exception makes an Exception of a code above.
func exception(code int32, format string, args ...any) *Exception {
	names := map[int32]string{
		codeNoSuchColumn: "NO_SUCH_COLUMN_IN_TABLE", codeNotImplemented: "NOT_IMPLEMENTED",
		codeSyntaxError: "SYNTAX_ERROR", codeUnexpectedPacket: "UNEXPECTED_PACKET_FROM_CLIENT",
		codeUnknownSetting: "UNKNOWN_SETTING", codeTooManyRequests: "TOO_MANY_SIMULTANEOUS_QUERIES",
		codeTooManyBytes: "TOO_MANY_BYTES", codeCannotWrite: "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
		codeAuthentication: "AUTHENTICATION_FAILED", codeUnknownException: "UNKNOWN_EXCEPTION",
	}
	return &Exception{Code: code, Name: names[code], Message: fmt.Sprintf(format, args...)}
}

// exceptionOf makes an exception of any error.
func exceptionOf(err error) *Exception {
	var e *Exception
	if errors.As(err, &e) {
		return e
	}
	var kind *unsupportedTypeError
	if errors.As(err, &kind) {
		return exception(codeNotImplemented, "%v", err)
	}
	return exception(codeUnknownException, "%v", err)
}
