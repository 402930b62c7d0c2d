package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
)

// point is how long it takes with a log of so many entries. It is printed as one line of JSON.
type point struct {
	Workload string    `json:"workload"` // growth
	Size     int       `json:"size"`
	Entries  int       `json:"entries"`
	Recover  []float64 `json:"recover_seconds"` // of each run
	Restart  []float64 `json:"restart_seconds"`
	Machine  string    `json:"machine"`
	Commit   string    `json:"commit"`
	Load     float64   `json:"load"`
}

// growthSize is the size of the entries.
const growthSize = 128

// lengths are the logs that are measured: from a thousand entries to a million, two for each factor of ten.
func (s scale) lengths() []int {
	var all []int
	for half := 6; half <= 12; half++ {
		all = append(all, max(1, int(math.Round(math.Pow(10, float64(half)/2)))/s.divisor))
	}
	return all
}

// grow measures recovery and restart for logs of several lengths, and draws them.
func grow(ctx context.Context, o options, out io.Writer) error {
	here := thisMachine(ctx)
	var points []point
	for _, entries := range o.scale().lengths() {
		_, _ = fmt.Fprintf(o.notes, "growth: %s entries\n", thousands(float64(entries)))
		p := point{Workload: "growth", Size: growthSize, Entries: entries, Machine: here.name, Commit: here.commit, Load: loadAverage()}
		a, err := o.ask(ctx, []string{
			"benchmark", "recover", "--entries", fmt.Sprint(entries), "--size", fmt.Sprint(growthSize), "--runs", fmt.Sprint(o.runs),
			"--dir", o.dir, "-o", "ndjson",
		})
		if err != nil {
			return fmt.Errorf("%d entries: %w", entries, err)
		}
		for _, run := range a.Runs {
			p.Recover, p.Restart = append(p.Recover, run.Seconds), append(p.Restart, run.Restart)
		}
		line, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("print: %w", err)
		}
		if _, err := fmt.Fprintf(out, "%s\n", line); err != nil {
			return fmt.Errorf("print: %w", err)
		}
		points = append(points, p)
	}
	if err := os.WriteFile(o.growth, growthChart(points, here).draw(), 0o644); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	return nil
}

// growthChart is the picture of it.
func growthChart(points []point, here machine) chart {
	recovery, restart := series{name: "recovery of an empty replica", colour: "#b5332e"}, series{name: "restart with its directory", colour: "#2b5f9e"}
	for _, p := range points {
		recovery.add(float64(p.Entries), p.Recover)
		restart.add(float64(p.Entries), p.Restart)
	}
	return chart{
		title: fmt.Sprintf("From the start of the process until the replica votes, entries of %d B", growthSize),
		note:  fmt.Sprintf("%s; commit %s; medians, and each run as a dot", here.name, here.commit),
		x:     "entries in the log", y: "seconds", series: []series{recovery, restart},
	}
}
