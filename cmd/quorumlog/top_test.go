package main

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/cluster/board"
)

func aView() board.View {
	return board.View{Begin: 1, End: 100, Voting: 1, Quorum: 2, Writer: 1, Rate: 1234.4, P99: 0.0042, Members: []board.Member{
		{Status: cluster.Status{ID: 1, Address: "a:1", Status: "VOTING", Begin: 1, Learned: 100, End: 100, Leader: true, Writer: "7.1", Reachable: true}},
		{Status: cluster.Status{ID: 2, Address: "b:1", Status: "RECOVERING", Begin: 11, Learned: 30, End: 50, Holes: 10, Reachable: true,
			Gaps:    []cluster.Gap{{First: 31, Last: 40}},
			Catchup: cluster.CatchupProgress{Total: 90, Done: 30, Rate: 2_000_000, Left: 3 * time.Second}}, Lag: 60},
		{Status: cluster.Status{ID: 3, Address: "c:1", Error: "it is gone"}},
	}}
}

func TestTopShowsEachMemberAndItsLog(t *testing.T) {
	var text strings.Builder
	for _, l := range topLines(aView(), nil, 106, 40) {
		text.WriteString(strings.TrimRight(l.text(106, false), " ") + "\n")
	}
	want := `quorumlog  1 of 3 members vote: no quorum, nothing can be appended
member 1 writes, 1234 appends/s, p99 4.2 ms   q quits

ID  ADDRESS  STATUS       BEGIN  LEARNED  END  HOLES  LAG  WRITES
1   a:1      VOTING       1      100      100  0      0    7.1
2   b:1      RECOVERING   11     30       50   10     60   no
3   c:1      UNREACHABLE  -      -        -    -      -    -
    it is gone

LOG  positions 1 to 100
   1  ` + strings.Repeat("█", 100) + `
   2  ` + strings.Repeat("-", 10) + strings.Repeat("█", 20) + strings.Repeat("▒", 10) + strings.Repeat("█", 10) + strings.Repeat("·", 50) + `
      33 %: copied 30 of 90 positions, 2.0 MB/s, 3.0 s left
   3  ` + strings.Repeat("·", 100) + `

`
	if text.String() != want {
		t.Errorf("it shows\n%s\nexpected\n%s", &text, want)
	}
}

func TestTopFitsAnyWindow(t *testing.T) {
	events := make([]cluster.Happening, 100)
	for i := range events {
		events[i] = cluster.Happening{Member: 1, Kind: "advice", Detail: strings.Repeat("long ", 50)}
	}
	for width := 20; width < 200; width += 13 {
		for height := 1; height < 60; height += 7 {
			lines := topLines(aView(), events, width, height)
			if len(lines) > height {
				t.Fatalf("%d lines in a window of %d", len(lines), height)
			}
			for _, l := range lines {
				if n := len([]rune(l.text(width, false))); n > width {
					t.Fatalf("a line of %d in a window of %d: %s", n, width, l.text(width, false))
				}
			}
		}
	}
}

func TestColoursOfALineAreLeftOutWhereNobodyWantsThem(t *testing.T) {
	l := line{{"ab", red}, {"cd", plain}, {"ef", green}}
	if got := l.text(5, false); got != "abcde" {
		t.Errorf("without colours it is %q", got)
	}
	if got := l.text(5, true); got != "\x1b[31mab\x1b[0mcd\x1b[32me\x1b[0m" {
		t.Errorf("with colours it is %q", got)
	}
}

func TestStripOfALogOfTheGreatestSizeIsDrawn(t *testing.T) {
	v := aView()
	v.End = 1<<63 - 1
	v.Members[0].End = 1<<63 - 1
	if got := (line)(strip(v, v.Members[0], 10)).text(10, false); got != strings.Repeat("█", 10) {
		t.Errorf("it is %q", got)
	}
}

func TestEveryKindOfEventHasASentence(t *testing.T) {
	for _, r := range []struct {
		event cluster.Happening
		want  string
	}{
		{cluster.Happening{Kind: "status", From: "EMPTY", To: "RECOVERING"}, "EMPTY -> RECOVERING"},
		{cluster.Happening{Kind: "recovered"}, "votes, and serves clients"},
		{cluster.Happening{Kind: "advice"}, "no longer waits"},
		{cluster.Happening{Kind: "advice", Detail: "start the others"}, "start the others"},
		{cluster.Happening{Kind: "catchup", Catchup: &cluster.CatchupProgress{Total: 9, Done: 3, Rate: 1500, Left: time.Minute}}, "copied 3 of 9 positions, 1.5 kB/s, 60 s left"},
		{cluster.Happening{Kind: "catchup"}, "catches up"},
		{cluster.Happening{Kind: "caught_up", Catchup: &cluster.CatchupProgress{Total: 9, Bytes: 12, Elapsed: time.Millisecond}}, "caught up on 9 positions, 12 B, in 1.0 ms"},
		{cluster.Happening{Kind: "elected", To: "3.1"}, "is elected, and writes under 3.1"},
		{cluster.Happening{Kind: "election_lost", Detail: "late", To: "4.2"}, "lost an election: late 4.2"},
		{cluster.Happening{Kind: "fenced", From: "3.1", To: "4.2"}, "is fenced: it wrote under 3.1, and now 4.2 stands"},
		{cluster.Happening{Kind: "resigned", From: "3.1"}, "writes no more under 3.1"},
		{cluster.Happening{Kind: "peer_present", Peer: 2}, "hears member 2"},
		{cluster.Happening{Kind: "peer_absent", Peer: 2}, "hears member 2 no more"},
		{cluster.Happening{Kind: "peer_refuses", Peer: 2, Detail: "old"}, "is refused by member 2: old"},
		{cluster.Happening{Kind: "directory_damaged", Detail: "a block"}, "found its data directory damaged, and recovers: a block"},
		{cluster.Happening{Kind: "records_damaged", Detail: "[7]"}, "found learned records damaged on its disk, and copies them from another member: [7]"},
		{cluster.Happening{Kind: "records_mended"}, "has copied all damaged records"},
		{cluster.Happening{Kind: "failed", Detail: "disk"}, "stops: disk"},
		{cluster.Happening{Kind: "missed", Missed: 7}, "7 events before are not kept any more"},
		{cluster.Happening{Kind: "unreachable", Detail: "silent"}, "does not answer: silent"},
		{cluster.Happening{Kind: "reachable"}, "answers again"},
		{cluster.Happening{Kind: "of_next_year", To: "x"}, "of_next_year x"},
	} {
		if got := sentence(r.event); got != r.want {
			t.Errorf("%s says %q, expected %q", r.event.Kind, got, r.want)
		}
	}
}
