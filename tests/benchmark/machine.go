package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// machine is where it was measured, and what.
type machine struct {
	name   string
	commit string
	cores  int
}

func thisMachine(ctx context.Context) machine {
	m := machine{cores: runtime.NumCPU(), commit: "unknown"}
	m.name = fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, m.cores)
	if model := processor(); model != "" {
		m.name += ", " + model
	}
	if out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output(); err == nil {
		m.commit = strings.TrimSpace(string(out))
	}
	return m
}

// processor is what the processor calls itself; "" where nobody knows.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// loadAverage is how many processes wanted to run in the last minute; -1 where nobody knows.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return -1
	}
	first, _, _ := strings.Cut(string(text), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return -1
	}
	return load
}
