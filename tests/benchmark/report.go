package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// result is what became of a workload. It is printed as one line of JSON.
type result struct {
	Workload    string    `json:"workload"`
	What        string    `json:"what"`
	Size        int       `json:"size"`
	Outstanding int       `json:"outstanding"`
	Unit        string    `json:"unit"`
	Figures     []float64 `json:"figures"` // of each run, in order
	Median      float64   `json:"median"`
	Limits      []float64 `json:"limits,omitempty"` // of each run
	Limit       float64   `json:"limit,omitempty"`  // the median of these
	Ratio       float64   `json:"ratio,omitempty"`  // the median of the runs' figures over their limits
	Goal        string    `json:"goal"`
	Machine     string    `json:"machine"`
	Commit      string    `json:"commit"`
	Load        []float64 `json:"load"` // average of the minute before each run

	P99     []float64 `json:"p99_us,omitempty"`
	Objects []float64 `json:"allocations_per_entry,omitempty"` // of the writer's process, with who appends in it
	Restart []float64 `json:"restart_seconds,omitempty"`
	Recover []float64 `json:"recover_seconds,omitempty"`
	Memory  []float64 `json:"memory_bytes,omitempty"`        // of the largest member
	Written []float64 `json:"written_bytes,omitempty"`       // to the disk of the member that wrote most and was not recovering
	Syncs   []float64 `json:"syncs,omitempty"`               // of the member that synced most and was not recovering
	Appends []float64 `json:"appends_share,omitempty"`       // appends a second meanwhile, over those before
	After   []float64 `json:"appends_share_after,omitempty"` // the same, once the member is back
}

// note keeps what a run told beside its figure.
func (r *result) note(a answer) {
	if a.P99 > 0 {
		r.P99 = append(r.P99, a.P99)
	}
	if a.Objects > 0 {
		r.Objects = append(r.Objects, a.Objects)
	}
	for _, run := range a.Runs {
		r.Restart = append(r.Restart, run.Restart)
		r.Recover = append(r.Recover, run.Seconds)
		r.Memory = append(r.Memory, most(run.Memory))
		r.Written = append(r.Written, most(run.Written))
		r.Syncs = append(r.Syncs, most(run.Syncs))
		if run.Before > 0 {
			r.Appends, r.After = append(r.Appends, run.Meanwhile/run.Before), append(r.After, run.After/run.Before)
		}
	}
}

func most(of map[string]uint64) float64 {
	largest := uint64(0)
	for _, value := range of {
		largest = max(largest, value)
	}
	return float64(largest)
}

// conclude works out the medians. Each figure is compared with the limit of its own run.
func (r *result) conclude() {
	r.Median, r.Limit = median(r.Figures), median(r.Limits)
	var ratios []float64
	for i, limit := range r.Limits {
		if i < len(r.Figures) && limit > 0 {
			ratios = append(ratios, r.Figures[i]/limit)
		}
	}
	r.Ratio = median(ratios)
}

// report prints what was measured, which need not be all.
func report(out io.Writer, here machine, results []result) error {
	measured := slices.DeleteFunc(results, func(r result) bool { return len(r.Figures) == 0 })
	if len(measured) == 0 {
		return nil
	}
	for i := range measured {
		measured[i].conclude()
		if err := measured[i].print(out); err != nil {
			return err
		}
	}
	return printMarkdown(out, here, measured)
}

// print prints one line of JSON.
func (r *result) print(out io.Writer) error {
	line, err := json.Marshal(r)
	if err == nil {
		_, err = fmt.Fprintf(out, "%s\n", line)
	}
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// median is the middle one, or the mean of the two in the middle; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// printMarkdown prints a table for people.
func printMarkdown(out io.Writer, here machine, results []result) error {
	var text strings.Builder
	load := []float64{}
	for _, r := range results {
		load = append(load, r.Load...)
	}
	fmt.Fprintf(&text, "\n%s; commit %s; load average %.1f to %.1f", here.name, here.commit, slices.Min(load), slices.Max(load))
	if slices.Max(load) > float64(here.cores) {
		text.WriteString(": the machine was busy, so compare the ratios")
	}
	text.WriteString("\n\n| | what | unit | runs | median | limit | ratio | goal | and |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		limit, ratio := "-", "-"
		if r.Limit > 0 {
			limit, ratio = figure(r.Limit, r.Unit), fmt.Sprintf("%.2f", r.Ratio)
		}
		var runs []string
		for _, f := range r.Figures {
			runs = append(runs, figure(f, r.Unit))
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s | **%s** | %s | %s | %s | %s |\n",
			r.Workload, r.What, r.Unit, strings.Join(runs, " "), figure(r.Median, r.Unit), limit, ratio, r.Goal, r.beside())
	}
	if _, err := io.WriteString(out, text.String()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// beside is what else was seen, in medians.
func (r *result) beside() string {
	var parts []string
	add := func(values []float64, format string, scale float64) {
		if len(values) > 0 {
			parts = append(parts, fmt.Sprintf(format, median(values)*scale))
		}
	}
	add(r.P99, "p99 %.1f ms", 1e-3)
	add(r.Objects, "%.1f allocations each", 1)
	add(r.Recover, "%.2f s", 1)
	add(r.Restart, "restart %.2f s", 1)
	add(r.Memory, "memory %.0f MiB", 1.0/(1<<20))
	add(r.Written, "others wrote %.1f MB", 1e-6)
	add(r.Syncs, "and synced %.0f times", 1)
	add(r.Appends, "appends %.0f %%", 100)
	add(r.After, "and %.0f %% once it was back", 100)
	return strings.Join(parts, ", ")
}

// figure writes a figure in its unit.
func figure(value float64, unit string) string {
	if unit == inSeconds {
		return fmt.Sprintf("%.2f", value)
	}
	return thousands(value)
}

// thousands writes a number in groups of three.
func thousands(n float64) string {
	text := fmt.Sprintf("%.0f", n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
