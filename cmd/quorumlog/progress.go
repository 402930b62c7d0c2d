package main

import (
	"encoding/json"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress tells how far long work is: a bar on a terminal, otherwise NDJSON events, at most one a second and one at the
// end. Both go to stderr. A nil progress tells nothing.
type progress struct {
	bar         *progressbar.ProgressBar // nil without a terminal
	events      *json.Encoder
	what, unit  string
	label       string // of the bar from now on, where it changes
	total, done uint64
	began, told time.Time
	shared      bool // stdout goes to the terminal too
	hidden      bool
}

// progress begins to tell whoever wants to know: people on a terminal, and programs that asked for NDJSON. Anything else,
// such as the mail of a cron job, is spared.
func (p *program) progress(what, unit string, total uint64) *progress {
	if !p.errTerminal && p.output != ndjson {
		return nil
	}
	return p.console.progress(what, unit, total)
}

// progressEvent is one line of the events.
type progressEvent struct {
	Event     string  `json:"event"` // always "progress"
	What      string  `json:"what"`
	Unit      string  `json:"unit"` // what is counted: bytes or positions
	Done      uint64  `json:"done"`
	Total     uint64  `json:"total"`
	Elapsed   float64 `json:"elapsed_seconds"`
	Rate      float64 `json:"rate"`              // units a second
	Remaining float64 `json:"remaining_seconds"` // at this rate
}

// How long after the bar was drawn it is drawn again, and after an event the next one comes.
const (
	barPause   = 100 * time.Millisecond
	eventPause = time.Second
)

// progress begins to tell. Unit is bytes or positions.
func (c console) progress(what, unit string, total uint64) *progress {
	now := time.Now()
	g := &progress{what: what, unit: unit, total: total, began: now, told: now, shared: c.outTerminal}
	if c.errTerminal {
		g.hidden = true // what is set first is drawn at once: all may be over before long
		g.bar = c.bar(what, unit, total)
	} else {
		g.events = json.NewEncoder(c.err)
	}
	return g
}

func (c console) bar(what, unit string, total uint64) *progressbar.ProgressBar {
	theme := progressbar.Theme{Saucer: "=", SaucerHead: ">", SaucerPadding: " ", BarStart: "[", BarEnd: "]"}
	if c.colour() {
		theme.Saucer, theme.SaucerHead = "[green]=[reset]", "[green]>[reset]"
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(c.err), progressbar.OptionSetDescription(what), progressbar.OptionSetTheme(theme),
		progressbar.OptionEnableColorCodes(c.colour()), progressbar.OptionSetWidth(30), progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true), // not throttled: set sees to that, and knows when the bar was hidden
		progressbar.OptionSetRenderBlankState(true), progressbar.OptionClearOnFinish(),
	}
	if unit == bytesUnit {
		options = append(options, progressbar.OptionShowBytes(true), progressbar.OptionUseIECUnits(true))
	} else {
		options = append(options, progressbar.OptionSetItsString(unit)) // the rate is shown when there is one: see draw
	}
	return progressbar.NewOptions64(int64(total), options...)
}

// What is counted.
const (
	bytesUnit     = "bytes"
	positionsUnit = "positions"
)

// set says how much is done.
func (g *progress) set(done uint64) {
	if g == nil {
		return
	}
	g.done = done
	switch {
	case g.bar != nil && (g.hidden || time.Since(g.told) >= barPause):
		g.told, g.hidden = time.Now(), false
		g.draw()
	case g.bar == nil && time.Since(g.told) >= eventPause:
		g.tell()
	}
}

func (g *progress) draw() {
	if g.done > 0 && g.unit != bytesUnit && g.unit != secondsUnit && time.Since(g.began) >= barPause { // before: 0 an hour, or millions a second
		progressbar.OptionShowIts()(g.bar)
	}
	if g.label != "" {
		g.bar.Describe(g.label)
	}
	_ = g.bar.Set64(int64(min(g.done, g.total))) // a bar that cannot be drawn must not stop the work
}

// hide makes room for lines on the same terminal; the next set draws the bar again.
func (g *progress) hide() {
	if g != nil && g.bar != nil && g.shared {
		g.hidden = true
		_ = g.bar.Clear()
	}
}

// end removes the bar, or tells the last event.
func (g *progress) end() {
	switch {
	case g == nil:
	case g.bar != nil:
		_ = g.bar.Clear()
	default:
		g.tell()
	}
}

func (g *progress) tell() {
	g.told = time.Now()
	e := progressEvent{
		Event: "progress", What: g.what, Unit: g.unit, Done: g.done, Total: g.total, Elapsed: g.told.Sub(g.began).Seconds(),
	}
	if e.Elapsed > 0 {
		e.Rate = float64(e.Done) / e.Elapsed
	}
	if e.Rate > 0 && e.Total > e.Done {
		e.Remaining = float64(e.Total-e.Done) / e.Rate
	}
	_ = g.events.Encode(e) // as for the bar
}
