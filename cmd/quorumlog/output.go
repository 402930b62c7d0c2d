package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"
)

// format is how things are printed.
type format string

// The formats: for people, one JSON document, and one JSON document per line.
const (
	table  format = "table"
	asJSON format = "json"
	ndjson format = "ndjson"
)

var _ pflag.Value = (*format)(nil)

// String implements pflag.Value.
func (f *format) String() string { return string(*f) }

// Set implements pflag.Value.
func (f *format) Set(text string) error {
	return choose(f, text, table, asJSON, ndjson)
}

// Type implements pflag.Value.
func (f *format) Type() string { return "format" }

// choose sets a flag to one of its values.
func choose[T ~string](to *T, text string, values ...T) error {
	names := make([]string, len(values))
	for i, value := range values {
		if text == string(value) {
			*to = value
			return nil
		}
		names[i] = string(value)
	}
	return fmt.Errorf("it is one of %s", strings.Join(names, ", "))
}

// rows prints a list as it grows: a line each, or the elements of a JSON array. Nothing is sure to be out before flush.
type rows[T any] struct {
	out    *bufio.Writer
	format format
	line   func(T) []byte // what people are shown of one, without the end of line
	count  int
}

func newRows[T any](out io.Writer, f format, line func(T) []byte) *rows[T] {
	return &rows[T]{out: bufio.NewWriter(out), format: f, line: line}
}

// add prints one. An error of the output is kept, and comes with flush.
func (r *rows[T]) add(one T) error {
	text := r.line
	if r.format != table {
		encoded, err := json.Marshal(one)
		if err != nil {
			return fmt.Errorf("print: %w", err)
		}
		text = func(T) []byte { return encoded }
	}
	switch {
	case r.format == asJSON && r.count == 0:
		_, _ = r.out.WriteString("[\n") // bufio keeps the error
	case r.format == asJSON:
		_, _ = r.out.WriteString(",\n")
	}
	r.count++
	_, _ = r.out.Write(text(one))
	if r.format != asJSON {
		_ = r.out.WriteByte('\n')
	}
	return nil
}

// flush lets everything out that was printed.
func (r *rows[T]) flush() error {
	if err := r.out.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// end completes the list.
func (r *rows[T]) end() error {
	switch {
	case r.format == asJSON && r.count == 0:
		_, _ = r.out.WriteString("[]\n")
	case r.format == asJSON:
		_, _ = r.out.WriteString("\n]\n")
	}
	return r.flush()
}

// printJSON prints one document: over several lines for json, in one for ndjson.
func printJSON(out io.Writer, f format, document any) error {
	encoder := json.NewEncoder(out)
	if f == asJSON {
		encoder.SetIndent("", "  ")
	}
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// printTable prints rows of cells under a headline, in columns.
func printTable(out io.Writer, headline string, lines [][]string) error {
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)
	lines = append([][]string{strings.Fields(headline)}, lines...)
	for _, cells := range lines {
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) // a buffer takes everything
	}
	_ = w.Flush()
	for line := range strings.Lines(text.String()) {
		if _, err := fmt.Fprintln(out, strings.TrimRight(line, " \n")); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}
