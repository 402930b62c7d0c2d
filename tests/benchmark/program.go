package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// answer is what is read of what quorumlog benchmark prints: see its help.
type answer struct {
	Rate    float64 `json:"entries_per_second"`
	P50     float64 `json:"p50_us"`
	P99     float64 `json:"p99_us"`
	Objects float64 `json:"allocations_per_entry"`
	Seconds float64 `json:"seconds"`
	Writer  int     `json:"writer"`

	Fill    float64     `json:"fill_entries_per_second"`
	Recover float64     `json:"recover_seconds"`
	Restart float64     `json:"restart_seconds"`
	Runs    []recovered `json:"-"`
}

// recovered is one run of quorumlog benchmark recover.
type recovered struct {
	Restart   float64           `json:"restart_seconds"`
	Seconds   float64           `json:"recover_seconds"`
	Memory    map[string]uint64 `json:"memory_bytes"`
	Written   map[string]uint64 `json:"written_bytes"`
	Syncs     map[string]uint64 `json:"syncs"`
	Before    float64           `json:"append_entries_per_second"`
	Meanwhile float64           `json:"append_entries_per_second_meanwhile"`
	After     float64           `json:"append_entries_per_second_after"`
}

// patience is how long the program has to end by itself.
const patience = 20 * time.Second

// call runs a workload once. With a directory for profiles, members write them there.
func (o options) call(ctx context.Context, w workload, profile string) (answer, error) {
	args := append([]string{"benchmark"}, w.args...)
	args = append(args, "--dir", o.dir, "-o", "ndjson")
	if profile != "" {
		args = append(args, "--cpuprofile", profile)
	}
	return o.ask(ctx, args)
}

// ask runs the program, and reads what it prints.
func (o options) ask(ctx context.Context, args []string) (answer, error) {
	command := exec.CommandContext(ctx, o.program, args...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // it cleans up behind itself
	command.WaitDelay = patience
	command.SysProcAttr = apart()
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	if err := command.Run(); err != nil {
		return answer{}, fmt.Errorf("%s: %w: %s", strings.Join(command.Args, " "), err, complaints.String())
	}
	return read(out.Bytes())
}

// apart gives the program a group of its own: a Ctrl-C on the terminal is for this process, which hands it on.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// read reads what the program printed. The runs of a recovery are objects, those of a start are numbers.
func read(text []byte) (answer, error) {
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return a, fmt.Errorf("read %q: %w", text, err)
	}
	var runs struct{ Runs []json.RawMessage }
	if err := json.Unmarshal(text, &runs); err != nil {
		return a, fmt.Errorf("read %q: %w", text, err)
	}
	for _, raw := range runs.Runs {
		var one recovered
		wrong := &json.UnmarshalTypeError{}
		if err := json.Unmarshal(raw, &one); errors.As(err, &wrong) {
			continue
		} else if err != nil {
			return a, fmt.Errorf("read %q: %w", raw, err)
		}
		a.Runs = append(a.Runs, one)
	}
	return a, nil
}
