package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// SlogLogger returns a logger for Config.Logger whose lines go to a logger of log/slog: with their levels (trace is four below
// slog.LevelDebug, fatal and panic are above slog.LevelError), messages, and fields as attributes, in order. A field that is an object
// is a group, and one that is a list is a slice. Numbers are what JSON knows of them: a whole one is an int64, or a uint64 where it is
// too large for that, also where it was a float; a duration is in milliseconds.
//
// The time of a line is that of its writing, or what its field "time" says where that is another one; its source is who logged it. A level that the handler does
// not want costs a question, and no memory; it is asked for each line, so that its level may change.
func SlogLogger(to *slog.Logger) zerolog.Logger {
	w := slogWriter{to.Handler()}
	return zerolog.New(w).Sample(w)
}

// slogWriter hands the lines of zerolog, which are JSON, to a handler of slog.
type slogWriter struct{ next slog.Handler }

// Sample implements zerolog.Sampler: it is asked before a line is made.
func (w slogWriter) Sample(l zerolog.Level) bool {
	return w.next.Enabled(context.Background(), slogLevel(l))
}

// Write implements io.Writer.
func (w slogWriter) Write(line []byte) (int, error) { return w.WriteLevel(zerolog.NoLevel, line) }

// WriteLevel implements zerolog.LevelWriter.
func (w slogWriter) WriteLevel(l zerolog.Level, line []byte) (int, error) {
	if !w.Sample(l) { // where the program has switched off all samplers (zerolog.DisableSampling)
		return len(line), nil
	}
	record := slog.NewRecord(time.Now(), slogLevel(l), "", caller())
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	attributes, err := readObject(d)
	if err != nil {
		record.Message = string(line) // no JSON: zerolog was built to write something else
	}
	if last := len(attributes) - 1; last >= 0 && attributes[last].Key == zerolog.MessageFieldName { // it comes last
		record.Message, attributes = attributes[last].Value.String(), attributes[:last]
	}
	for _, a := range attributes {
		at, isTime := timeOf(a.Value)
		switch {
		case a.Key == zerolog.LevelFieldName:
		case a.Key == zerolog.TimestampFieldName && isTime:
			if time.Since(at).Abs() > time.Second { // else it is now, told in seconds perhaps
				record.Time = at
			}
		default:
			record.AddAttrs(a)
		}
	}
	if err := w.next.Handle(context.Background(), record); err != nil {
		return 0, fmt.Errorf("hand a line to the slog handler: %w", err)
	}
	return len(line), nil
}

// step is how far the levels of slog are apart.
const step = slog.LevelInfo - slog.LevelDebug

func slogLevel(l zerolog.Level) slog.Level {
	switch l {
	case zerolog.NoLevel, zerolog.Disabled:
		return slog.LevelInfo
	default: // zerolog counts from trace, which is -1, in steps of one
		return slog.LevelInfo + step*slog.Level(l-zerolog.InfoLevel)
	}
}

// readObject reads an object, with its fields in order.
func readObject(d *json.Decoder) ([]slog.Attr, error) {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("a line begins with %v: %w", t, err)
	}
	return readFields(d)
}

// readFields reads what is behind the brace of an object.
func readFields(d *json.Decoder) (fields []slog.Attr, err error) {
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return fields, err
		}
		value, err := readValue(d)
		if err != nil {
			return fields, err
		}
		fields = append(fields, slog.Attr{Key: fmt.Sprint(key), Value: value})
	}
	_, err = d.Token() // the other brace
	return fields, err
}

func readValue(d *json.Decoder) (slog.Value, error) {
	t, err := d.Token()
	if err != nil {
		return slog.Value{}, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			fields, err := readFields(d)
			return slog.GroupValue(fields...), err
		}
		return readList(d)
	case json.Number:
		return number(t), nil
	default: // a string, a bool or nil
		return slog.AnyValue(t), nil
	}
}

// readList reads what is behind the bracket of a list.
func readList(d *json.Decoder) (slog.Value, error) {
	list := []any{}
	for d.More() {
		v, err := readValue(d)
		if err != nil {
			return slog.Value{}, err
		}
		list = append(list, v.Any()) // a group is a slice of attributes
	}
	_, err := d.Token() // the other bracket
	return slog.AnyValue(list), err
}

func number(n json.Number) slog.Value {
	if i, err := n.Int64(); err == nil {
		return slog.Int64Value(i)
	}
	var u uint64
	if json.Unmarshal([]byte(n), &u) == nil {
		return slog.Uint64Value(u)
	}
	f, err := n.Float64()
	if err != nil {
		return slog.StringValue(n.String())
	}
	return slog.Float64Value(f)
}

// timeOf reads a time as zerolog writes it in this program.
func timeOf(v slog.Value) (time.Time, bool) {
	if v.Kind() == slog.KindString {
		t, err := time.Parse(zerolog.TimeFieldFormat, v.String())
		return t, err == nil
	}
	if v.Kind() != slog.KindInt64 {
		return time.Time{}, false
	}
	switch n := v.Int64(); zerolog.TimeFieldFormat {
	case zerolog.TimeFormatUnix:
		return time.Unix(n, 0), true
	case zerolog.TimeFormatUnixMs:
		return time.UnixMilli(n), true
	case zerolog.TimeFormatUnixMicro:
		return time.UnixMicro(n), true
	case zerolog.TimeFormatUnixNano:
		return time.Unix(0, n), true
	}
	return time.Time{}, false
}

// caller is where the line was logged that is being written: the first of those who called that is no logger.
func caller() uintptr {
	var stack [24]uintptr
	frames := runtime.CallersFrames(stack[:runtime.Callers(2, stack[:])])
	for {
		f, more := frames.Next()
		if !isLogger(f.Function) {
			return f.PC + 1 // behind the call, as runtime.Callers has it
		}
		if !more {
			return 0
		}
	}
}

func isLogger(function string) bool {
	for _, logger := range []string{"github.com/rs/zerolog.", "log/slog.", scope + ".slogWriter.", scope + ".quiet."} {
		if strings.HasPrefix(function, logger) {
			return true
		}
	}
	return false
}
