package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quorumlog/quorumlog/log"
)

// textView shows the demo to people: a line for what has happened, and a bar for what takes long.
type textView struct {
	screen   console // its err is where the demo is shown
	moving   *progress
	step     string // that moves
	began    bool   // the log is there
	paths    map[log.ReplicaID][]string
	verified []demoVerified
}

func newTextView(screen console) *textView {
	return &textView{screen: screen, paths: make(map[log.ReplicaID][]string)}
}

// show implements demoView.
func (v *textView) show(e demoEvent) error {
	if p, ok := e.(demoProgress); ok {
		v.move(p)
		return nil
	}
	lines := v.lines(e)
	if len(lines) == 0 {
		return nil
	}
	v.close()
	for _, line := range lines {
		if _, err := fmt.Fprintln(v.screen.err, line); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}

// close implements demoView.
func (v *textView) close() {
	if v.moving != nil {
		v.moving.end()
		v.moving = nil
	}
}

// move draws the bar of a step. There is none without a terminal.
func (v *textView) move(p demoProgress) {
	if !v.screen.errTerminal {
		return
	}
	if v.moving == nil || v.step != p.Step {
		v.close()
		v.step, v.moving = p.Step, v.screen.progress(barLabel(p), p.Unit, p.Total)
	}
	v.moving.label = barLabel(p)
	v.moving.set(p.Done)
}

func barLabel(p demoProgress) string {
	if p.Step != "recover" {
		return pad(p.Step)
	}
	return pad("  RECOVERING") + megabytes(p.Bytes, p.elapsed) + " "
}

// lines is what is shown of an event.
func (v *textView) lines(e demoEvent) []string {
	switch e := e.(type) {
	case demoBegan:
		return v.opening(e)
	case demoStatus:
		return v.status(e)
	case demoInitialized:
		v.began = true
		return v.line("three replicas", "%s   in %.1f s", v.longestPath(), e.Seconds)
	case demoAppended:
		return v.line("append", "%s", appendedText(e))
	case demoKilled:
		return v.killed(e)
	case demoDeleted:
		return v.line("delete", "replica %d's directory, and start it again under the same id", e.Replica)
	case demoRecovered:
		took := time.Duration(e.CopySeconds * float64(time.Second))
		return append(v.line("  RECOVERING", "%s positions, %s", grouped(e.Positions), megabytes(e.Bytes, took)),
			v.line("  VOTING", "in %.1f s", e.Seconds)...)
	case demoFenced:
		return v.line("take over", "a second writer is elected; the first one's next append: ErrFenced")
	case demoReturned:
		return v.line("start", "replica %d again, with its own disk: it votes in %.1f s", e.Replica, e.Seconds)
	case demoVerified:
		v.verified = append(v.verified, e)
	case demoFinished:
		return v.closing(e)
	case demoFailed:
		first, _, _ := strings.Cut(e.Error, "\n") // all of it comes with the exit code
		return v.line("failed", "%s", first)
	case demoKept:
		return v.line("kept", "%s", e.Directory)
	case demoStarted, demoElected, demoProgress:
	}
	return nil
}

func (v *textView) opening(e demoBegan) []string {
	what := fmt.Sprintf("each of %s lines of a file", grouped(e.Entries))
	if e.Seed > 0 {
		what = fmt.Sprintf("%s entries of %s bytes, seed %d", grouped(e.Entries), grouped(e.EntryBytes), e.Seed)
	}
	return []string{"", "three processes on this machine; " + what, ""}
}

// status collects the statuses on the way to a new log. Later, only a replica that may not vote is worth a line.
func (v *textView) status(e demoStatus) []string {
	if !v.began {
		v.paths[e.Replica] = append(v.paths[e.Replica], e.To)
	} else if e.To == "EMPTY" {
		return v.line("  EMPTY", "may not vote: it could have forgotten promises")
	}
	return nil
}

func (v *textView) longestPath() string {
	var longest []string
	for _, path := range v.paths {
		if len(path) > len(longest) {
			longest = path
		}
	}
	return strings.Join(longest, " -> ")
}

func appendedText(e demoAppended) string {
	text := fmt.Sprintf("%s entries", grouped(e.Entries))
	if e.Away > 0 {
		text += fmt.Sprintf(" without replica %d", e.Away)
	}
	return text + fmt.Sprintf("   %s/s, p50 %.1f ms, p99 %.1f ms", grouped(int(e.Rate)), e.P50, e.P99)
}

func (v *textView) killed(e demoKilled) []string {
	if e.Needed > 0 {
		return v.line("kill -9", "replica %d: the quorum now needs the rebuilt replica %d", e.Replica, e.Needed)
	}
	return v.line("kill -9", "replica %d (process %d)", e.Replica, e.Process)
}

// closing is the table of the replicas, and the result.
func (v *textView) closing(e demoFinished) []string {
	lines := append(v.line("verify", "every acknowledged entry is present and equal on every replica, no holes"), "")
	var text strings.Builder
	var rows [][]string
	for _, r := range v.verified {
		rows = append(rows, []string{
			strconv.Itoa(int(r.Replica)), r.Status, strconv.Itoa(r.Processes), grouped(r.Entries), grouped(r.Learned),
			strconv.FormatUint(r.Holes, 10), r.SHA256[:12],
		})
	}
	if err := printTable(&text, "REPLICA STATUS PROCESSES ENTRIES LEARNED HOLES SHA256", rows); err != nil {
		return lines // a strings.Builder takes all
	}
	lines = append(lines, strings.Split(text.String(), "\n")...)
	return append(lines, fmt.Sprintf("%s entries acknowledged, none lost   %.1f s", grouped(e.Entries), e.Seconds))
}

// line is a line with a label before it.
func (v *textView) line(label, format string, args ...any) []string {
	text := pad(label)
	if v.screen.colour() {
		text = "\x1b[1m" + text + "\x1b[0m"
	}
	return []string{text + fmt.Sprintf(format, args...)}
}

func pad(label string) string { return fmt.Sprintf("%-16s ", label) }

// grouped writes a whole number with a comma between thousands.
func grouped[T ~int | ~uint64](n T) string {
	digits := strconv.FormatUint(uint64(n), 10)
	var groups []string
	for len(digits) > 3 {
		groups = append(groups, digits[len(digits)-3:])
		digits = digits[:len(digits)-3]
	}
	slices.Reverse(groups)
	return strings.Join(append([]string{digits}, groups...), ",")
}

// megabytes says how much was copied, and how fast.
func megabytes(bytes uint64, took time.Duration) string {
	copied := float64(bytes) / 1e6
	if took <= 0 {
		return fmt.Sprintf("%.1f MB", copied)
	}
	return fmt.Sprintf("%.1f MB, %.1f MB/s", copied, copied/took.Seconds())
}
