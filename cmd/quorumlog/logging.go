package main

import (
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

// level is --log-level.
type level zerolog.Level

func levels() []string { return []string{"trace", "debug", "info", "warn", "error"} }

// String implements pflag.Value.
func (l *level) String() string { return zerolog.Level(*l).String() }

// Set implements pflag.Value.
func (l *level) Set(text string) error {
	var name string
	err := choose(&name, text, levels()...)
	if err != nil {
		return err
	}
	parsed, err := zerolog.ParseLevel(name)
	*l = level(parsed)
	return err
}

// Type implements pflag.Value.
func (l *level) Type() string { return "level" }

// logFormat is --log-format.
type logFormat string

// The formats of the log. By itself it is for people on a terminal, and JSON elsewhere.
const (
	logAuto    logFormat = "auto"
	logConsole logFormat = "console"
	logJSON    logFormat = "json"
)

// String implements pflag.Value.
func (f *logFormat) String() string { return string(*f) }

// Set implements pflag.Value.
func (f *logFormat) Set(text string) error { return choose(f, text, logAuto, logConsole, logJSON) }

// Type implements pflag.Value.
func (f *logFormat) Type() string { return "format" }

func (s *settings) addLogging(command *cobra.Command) {
	s.logLevel, s.logFormat = level(zerolog.InfoLevel), logAuto
	command.Flags().Var(&s.logLevel, "log-level", "least `level` that is logged: trace, debug, info, warn or error")
	command.Flags().Var(&s.logFormat, "log-format", "`format` of the log: auto, console or json")
	own(command, "log-level", true)
	own(command, "log-format", true)
	enumerate(command, "log-level", levels()...)
	enumerate(command, "log-format", logAuto, logConsole, logJSON)
}

// logger logs to stderr.
func (p *program) logger() zerolog.Logger {
	out := zerolog.Logger{}
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00" // what a fail-over did is told in milliseconds
	if p.logFormat == logConsole || p.logFormat == logAuto && p.errTerminal {
		out = zerolog.New(zerolog.ConsoleWriter{Out: p.err, NoColor: !p.colour(), TimeFormat: time.TimeOnly + ".000"})
	} else {
		out = zerolog.New(p.err)
	}
	return out.Level(zerolog.Level(p.logLevel)).With().Timestamp().Logger()
}
