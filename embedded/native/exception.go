package native

import (
	"fmt"

	"understudy.dev/embedded/engine"
)

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

// exception makes an exception of a code above.
func exception(code int32, format string, args ...any) *engine.Exception {
	names := map[int32]string{
		codeNoSuchColumn: "NO_SUCH_COLUMN_IN_TABLE", codeNotImplemented: "NOT_IMPLEMENTED",
		codeSyntaxError: "SYNTAX_ERROR", codeUnexpectedPacket: "UNEXPECTED_PACKET_FROM_CLIENT",
		codeUnknownSetting: "UNKNOWN_SETTING", codeTooManyRequests: "TOO_MANY_SIMULTANEOUS_QUERIES",
		codeTooManyBytes: "TOO_MANY_BYTES", codeCannotWrite: "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
		codeAuthentication: "AUTHENTICATION_FAILED", codeUnknownException: "UNKNOWN_EXCEPTION",
	}
	return &engine.Exception{Code: code, Name: names[code], Message: fmt.Sprintf(format, args...)}
}
