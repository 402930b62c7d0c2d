package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/cluster/board"
)

// What a command itself notes of a member, besides what that tells.
const (
	unreachable = "unreachable" // it does not answer: Detail says why
	reachable   = "reachable"   // it answers again
)

// sentence says to people what happened at a member: it is the subject.
func sentence(e cluster.Happening) string {
	switch e.Kind {
	case measure.StatusChanged:
		return e.From + " -> " + e.To
	case measure.Recovered:
		return "votes, and serves clients"
	case measure.Advised:
		if e.Detail == "" {
			return "no longer waits"
		}
		return e.Detail
	case measure.CatchingUp, measure.CaughtUp:
		return progressSentence(e)
	case measure.Elected:
		return "is elected, and writes under " + e.To
	case measure.ElectionLost:
		return strings.TrimSpace("lost an election: " + e.Detail + " " + e.To)
	case measure.Fenced:
		return fmt.Sprintf("is fenced: it wrote under %s, and now %s stands", e.From, e.To)
	case measure.Resigned:
		return "writes no more under " + e.From
	}
	return otherSentence(e)
}

// otherSentence is sentence for what is not about the replica itself.
func otherSentence(e cluster.Happening) string {
	switch e.Kind {
	case measure.PeerPresent:
		return fmt.Sprintf("hears member %d", e.Peer)
	case measure.PeerAbsent:
		return fmt.Sprintf("hears member %d no more", e.Peer)
	case measure.PeerRefuses:
		return fmt.Sprintf("is refused by member %d: %s", e.Peer, e.Detail)
	case measure.DirectoryDamaged:
		return "found its data directory damaged, and recovers: " + e.Detail
	case measure.RecordsDamaged:
		return "found learned records damaged on its disk, and copies them from another member: " + e.Detail
	case measure.RecordsMended:
		return "has copied all damaged records"
	case measure.MembersChanged:
		return "knows other members: " + e.Detail
	case measure.Failed:
		return "stops: " + e.Detail
	case board.Missed:
		return fmt.Sprintf("%d events before are not kept any more", e.Missed)
	case unreachable:
		return "does not answer: " + e.Detail
	case reachable:
		return "answers again"
	}
	return strings.Join(strings.Fields(strings.Join([]string{e.Kind, e.From, e.To, e.Detail}, " ")), " ") // of a newer version
}

func progressSentence(e cluster.Happening) string {
	if e.Catchup == nil {
		return "catches up"
	}
	if e.Kind == measure.CaughtUp {
		return fmt.Sprintf("caught up on %d positions, %s, in %s", e.Catchup.Total, size(e.Catchup.Bytes), brief(e.Catchup.Elapsed))
	}
	return howFar(*e.Catchup)
}

// howFar says how far a catch-up is, how fast it is, and how long it takes.
func howFar(p cluster.CatchupProgress) string {
	text := fmt.Sprintf("copied %d of %d positions", p.Done, p.Total)
	if p.Rate > 0 {
		text += fmt.Sprintf(", %s/s", size(p.Rate))
	}
	if p.Left > 0 {
		text += fmt.Sprintf(", %s left", brief(p.Left))
	}
	return text
}

// size is a number of bytes for people.
func size(n uint64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	value, i := float64(n), 0
	for ; value >= 1000 && i < len(units)-1; i++ {
		value /= 1000
	}
	if i == 0 || value >= 10 {
		return fmt.Sprintf("%.0f %s", value, units[i])
	}
	return fmt.Sprintf("%.1f %s", value, units[i])
}

// brief is a duration for people, in two digits or so.
func brief(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1000)
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 100*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%.0f d", d.Hours()/24)
}
