package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/cluster/board"
)

// span is a piece of a line, and how it is painted.
type span struct {
	text  string
	paint paint
}

// paint is a colour as a terminal is told; empty for its own.
type paint string

// The paints.
const (
	plain paint = ""
	bold  paint = "1"
	faint paint = "2"
	red   paint = "31"
	green paint = "32"
	amber paint = "33"
)

type line []span

// text is a line as the terminal gets it, cut off at a width.
func (l line) text(width int, colour bool) string {
	var out strings.Builder
	for _, s := range l {
		runes := []rune(s.text)
		if len(runes) > width {
			runes = runes[:width]
		}
		width -= len(runes)
		if colour && s.paint != plain && len(runes) > 0 {
			fmt.Fprintf(&out, "\x1b[%sm%s\x1b[0m", s.paint, string(runes))
			continue
		}
		out.WriteString(string(runes))
	}
	return out.String()
}

// topLines are the lines of a view, at most so many: what happened gets what the rest leaves.
func topLines(v board.View, events []cluster.Happening, width, height int) []line {
	lines := []line{{{"quorumlog  ", bold}, {standing(v), mood(v)}}, {{pace(v), plain}, {"   q quits", faint}}, nil}
	lines = append(lines, memberLines(v)...)
	lines = append(lines, nil)
	lines = append(lines, logLines(v, width)...)
	lines = append(lines, nil)
	for _, e := range lastOf(events, height-len(lines)) {
		lines = append(lines, line{{e.At.Local().Format("15:04:05  "), faint}, {fmt.Sprintf("%d  ", e.Member), bold}, {sentence(e), gravity(e)}})
	}
	return lines[:min(len(lines), max(height, 1))]
}

// lastOf are the last events, the newest first.
func lastOf(events []cluster.Happening, n int) []cluster.Happening {
	var last []cluster.Happening
	for i := len(events) - 1; i >= 0 && len(last) < n; i-- {
		last = append(last, events[i])
	}
	return last
}

// standing says in one sentence how the log is.
func standing(v board.View) string {
	switch all := len(v.Members); {
	case v.Voting == all:
		return fmt.Sprintf("all %d members vote: %d may fail", all, v.Survives)
	case v.Voting >= v.Quorum:
		return fmt.Sprintf("%d of %d members vote: a quorum, %d may fail", v.Voting, all, v.Survives)
	default:
		return fmt.Sprintf("%d of %d members vote: no quorum, nothing can be appended", v.Voting, all)
	}
}

func mood(v board.View) paint {
	switch {
	case v.Voting == len(v.Members):
		return green
	case v.Voting >= v.Quorum:
		return amber
	}
	return red
}

// pace says who writes, and how fast the log grows.
func pace(v board.View) string {
	writer := "nobody writes"
	if v.Writer > 0 {
		writer = fmt.Sprintf("member %d writes", v.Writer)
	}
	text := fmt.Sprintf("%s, %.0f appends/s", writer, v.Rate)
	if v.P99 > 0 {
		text += ", p99 " + brief(time.Duration(v.P99*float64(time.Second)))
	}
	return text
}

const topHeadline = "ID ADDRESS STATUS BEGIN LEARNED END HOLES LAG WRITES"

// topCells is the row of one member.
func topCells(m board.Member) []string {
	id := strconv.Itoa(int(m.ID))
	if !m.Reachable {
		return []string{id, m.Address, "UNREACHABLE", "-", "-", "-", "-", "-", "-"}
	}
	writes := "no"
	if m.Leader {
		writes = m.Writer
	}
	return []string{
		id, m.Address, m.Status.Status, fmt.Sprint(m.Begin), fmt.Sprint(m.Learned), fmt.Sprint(m.End), fmt.Sprint(m.Holes), fmt.Sprint(m.Lag), writes,
	}
}

// memberLines are the table of the members, with why under each that has something to say.
func memberLines(v board.View) []line {
	rows := [][]string{strings.Fields(topHeadline)}
	for _, m := range v.Members {
		rows = append(rows, topCells(m))
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	var lines []line
	for n, row := range rows {
		var l line
		for i, cell := range row {
			l = append(l, span{fmt.Sprintf("%-*s  ", widths[i], cell), cellPaint(n, i, cell)})
		}
		lines = append(lines, l)
		if n > 0 && v.Members[n-1].Error != "" {
			lines = append(lines, line{{"    " + strings.ReplaceAll(v.Members[n-1].Error, "\n", "; "), red}})
		}
	}
	return lines
}

func cellPaint(row, column int, cell string) paint {
	const status, holes, lag = 2, 6, 7
	switch {
	case row == 0:
		return faint
	case column == status && cell == voting:
		return green
	case column == status && cell == "UNREACHABLE", (column == holes || column == lag) && cell != "0" && cell != "-":
		return red
	case column == status:
		return amber
	}
	return plain
}

// logLines are a strip of the log for each member.
func logLines(v board.View, width int) []line {
	lines := []line{{{fmt.Sprintf("LOG  positions %d to %d", v.Begin, v.End), faint}}}
	cells := max(width-6, 10)
	for _, m := range v.Members {
		l := append(line{{fmt.Sprintf("%4d  ", m.ID), bold}}, strip(v, m, cells)...)
		lines = append(lines, l)
		if c := m.Catchup; m.Reachable && c.Done < c.Total {
			lines = append(lines, line{{"      " + fmt.Sprintf("%d %%: ", 100*c.Done/c.Total) + howFar(c), amber}})
		}
	}
	return lines
}

// strip draws the log of one member in so many cells: each stands for some positions.
func strip(v board.View, m board.Member, cells int) line {
	if !m.Reachable || v.End < v.Begin || v.End == 0 {
		return line{{strings.Repeat("·", cells), faint}}
	}
	var l line
	length := v.End - v.Begin + 1
	for i := range uint64(cells) {
		first := v.Begin + uint64(float64(length)*float64(i)/float64(cells))
		last := max(first, v.Begin+uint64(float64(length)*float64(i+1)/float64(cells))-1)
		s := cell(m, first, last)
		if n := len(l) - 1; n >= 0 && l[n].paint == s.paint {
			l[n].text += s.text
			continue
		}
		l = append(l, s)
	}
	return l
}

// cell is what a member has of some positions.
func cell(m board.Member, first, last uint64) span {
	for _, gap := range m.Gaps {
		if uint64(gap.First) <= last && first <= uint64(gap.Last) {
			return span{"▒", red}
		}
	}
	switch {
	case last < uint64(m.Begin):
		return span{"-", faint} // truncated
	case first > uint64(m.End):
		return span{"·", faint}
	}
	return span{"█", green}
}

// gravity is the paint of an event.
func gravity(e cluster.Happening) paint {
	switch e.Kind {
	case "failed", "directory_damaged", "records_damaged", unreachable:
		return red
	case "recovered", "elected", "records_mended", reachable:
		return green
	case "fenced", "election_lost", "peer_absent", "peer_refuses", "advice", "catchup":
		return amber
	}
	return plain
}
