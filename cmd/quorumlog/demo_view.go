package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// demoView shows what happens in the demo.
type demoView interface {
	show(demoEvent) error
	close() // what moves stops, and the next line is one of its own
}

// How the demo is shown.
const (
	demoText   = "text"   // to people; bars only on a terminal
	demoNDJSON = "ndjson" // to programs: an event per line
)

// newDemoView returns the view that is asked for; without one, what fits the output.
func newDemoView(out io.Writer, output string) (demoView, error) {
	file, isFile := out.(*os.File)
	terminal := isFile && term.IsTerminal(int(file.Fd()))
	if output == "" {
		output = demoNDJSON
		if terminal {
			output = demoText
		}
	}
	switch output {
	case demoText:
		return newTextView(console{err: out, errTerminal: terminal, environment: os.LookupEnv}), nil
	case demoNDJSON:
		return &eventView{out: out, told: make(map[string]time.Time)}, nil
	}
	return nil, fmt.Errorf("-o %s: it is one of %s, %s", output, demoText, demoNDJSON)
}

// eventView writes an event per line: {"event":"killed","replica":3,...}.
type eventView struct {
	out  io.Writer
	told map[string]time.Time // when progress of a step was told last
}

// show implements demoView.
func (v *eventView) show(e demoEvent) error {
	if p, ok := e.(demoProgress); ok {
		if time.Since(v.told[p.Step]) < eventPause/2 {
			return nil
		}
		v.told[p.Step] = time.Now()
	}
	fields, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	line := append([]byte(`{"event":"`+e.name()+`",`), fields[1:]...) // every event has fields
	if _, err := v.out.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func (v *eventView) close() {}
