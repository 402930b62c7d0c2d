package storage

import (
	"errors"
	"fmt"
	"regexp"
)

// Errors of a data directory that holds several logs, wrapped. They change nothing.
var (
	// ErrLogName: the name is not one that a log can have.
	ErrLogName = errors.New("not a name of a log")
	// ErrLogOpen: the log is open in this process, and a log is open once.
	ErrLogOpen = errors.New("the log is open")
	// ErrTooManyLogs: the directory has MaxLogs logs.
	ErrTooManyLogs = errors.New("too many logs")
)

// MaxLogs is how many logs a data directory holds at most, the one without a name among them.
const MaxLogs = 64

// FormatLogs is the version of the data directory once it holds a log with a name: a program that knows none must not open it. It would
// go on with the log without a name, and replace the others where the directory is damaged.
const FormatLogs = 3

// CheckName says whether a log can have the name: 1 to 63 of the characters a-z, 0-9 and -, the first one not a -. The empty name is that of
// the log that every directory has, and is not for others. The error is an ErrLogName.
func CheckName(name string) error {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`).MatchString(name) {
		return fmt.Errorf("%w: %q: take 1 to 63 of a-z, 0-9 and -, and begin with none of the latter", ErrLogName, name)
	}
	return nil
}
