package main

import (
	"context"
	"fmt"
	"time"
)

// workload is one thing that is measured.
type workload struct {
	name        string
	what        string // for people
	size        int    // of an entry, in bytes
	outstanding int    // appends on their way at once
	unit        string
	goal        string
	args        []string // of quorumlog benchmark
	figure      func(answer) float64
	limit       func(context.Context, options) (float64, error) // nil: there is none
}

// scale is how much is measured.
type scale struct {
	duration time.Duration // of appends
	warmUp   time.Duration
	divisor  int // of the entries of a log
}

func (o options) scale() scale {
	if o.tiny {
		return scale{duration: 100 * time.Millisecond, warmUp: 50 * time.Millisecond, divisor: 200}
	}
	return scale{duration: 2 * time.Second, warmUp: 500 * time.Millisecond, divisor: 1}
}

// The units.
const (
	perSecond = "entries/s"
	inMicros  = "µs"
	inSeconds = "s"
)

// workloads are all of them, in the order in which they are run.
func workloads(s scale) []workload {
	all := []workload{
		s.append(false, 1, 128, "1.5x the limit"), s.append(true, 1, 128, "1.5x the limit"),
	}
	for _, w := range []struct {
		outstanding, size int
		goal              string
	}{
		{64, 128, "50,000"}, {256, 128, "100,000"}, {256, 1 << 10, "65,000"}, {256, 16 << 10, "10,000"},
	} {
		all = append(all, s.append(false, w.outstanding, w.size, w.goal), s.append(true, w.outstanding, w.size, w.goal))
	}
	return append(all,
		s.recover(50_000, 128, 0, "500,000"), s.recover(50_000, 1<<10, 0, "150,000"), s.recover(1_000_000, 128, 0, "500,000"),
		s.recover(65_536, 16<<10, 0, "256 MiB of memory"),
		s.recover(65_536, 16<<10, 64, "80 % of the appends"), s.recover(65_536, 16<<10, 64, "80 % of the appends").limited("50MiB"),
		workload{
			name: "W4", what: "the writer's process killed, until the next append works", unit: inSeconds, goal: "0.6, at most 1.5",
			args: []string{"failover", "--kills", fmt.Sprint(max(30/s.divisor, 1))}, figure: func(a answer) float64 { return a.Seconds },
		},
		workload{
			name: "W5", what: "three empty processes until the first append", unit: inSeconds, goal: "0.4",
			args: []string{"start", "--runs", "1"}, figure: func(a answer) float64 { return a.Seconds },
		},
	)
}

// append is W1 with one append at a time, and W2 with more.
func (s scale) append(embedded bool, outstanding, size int, goal string) workload {
	w := workload{
		name: fmt.Sprintf("W2-%dx%d", outstanding, size), what: fmt.Sprintf("%d outstanding, %s", outstanding, bytesText(size)), size: size,
		outstanding: outstanding, unit: perSecond, goal: goal, figure: func(a answer) float64 { return a.Rate },
		args: []string{
			"append", "--local", "--size", fmt.Sprint(size), "--outstanding", fmt.Sprint(outstanding), "--duration", s.duration.String(),
			"--warm-up", s.warmUp.String(),
		},
		limit: func(ctx context.Context, o options) (float64, error) {
			l, err := measureLimit(ctx, o, outstanding, size)
			return l.rate, err
		},
	}
	if outstanding == 1 {
		w.name, w.what, w.unit = "W1", "one append at a time, "+bytesText(size)+", p50", inMicros
		w.figure = func(a answer) float64 { return a.P50 }
		w.limit = func(ctx context.Context, o options) (float64, error) {
			l, err := measureLimit(ctx, o, 1, size)
			return l.p50, err
		}
	}
	if embedded {
		w.name, w.what = w.name+"-embedded", w.what+", in the writer's process"
		w.args = append(w.args, "--embedded")
	} else {
		w.what += ", from a client"
	}
	return w
}

// recover is W3: a member whose directory is gone.
func (s scale) recover(entries, size, outstanding int, goal string) workload {
	entries /= s.divisor
	w := workload{
		name: fmt.Sprintf("W3-%dx%d", entries, size), what: fmt.Sprintf("recovery of %s x %s", thousands(float64(entries)), bytesText(size)), size: size,
		outstanding: outstanding, unit: perSecond, goal: goal, figure: func(a answer) float64 { return a.Rate },
		args: []string{"recover", "--entries", fmt.Sprint(entries), "--size", fmt.Sprint(size), "--runs", "1", "--outstanding", fmt.Sprint(outstanding)},
		limit: func(ctx context.Context, o options) (float64, error) {
			took, err := measureStream(ctx, o, int64(entries)*int64(size))
			return float64(entries) / took.Seconds(), err
		},
	}
	if outstanding > 0 {
		w.name += "-busy"
		w.what += fmt.Sprintf(", with %d appends of 128 B outstanding", outstanding)
	}
	return w
}

// limited has the members copy at most so much a second.
func (w workload) limited(rate string) workload {
	w.name, w.what = w.name+"-limited", w.what+", serve --copy-rate "+rate
	w.args = append(w.args, "--copy-rate", rate)
	return w
}

// bytesText writes a size for people.
func bytesText(size int) string {
	if size >= 1<<10 {
		return fmt.Sprintf("%d KiB", size>>10)
	}
	return fmt.Sprintf("%d B", size)
}
