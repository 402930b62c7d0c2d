package status_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
)

// of is the configuration of n members with auto-initialize on; me is the last of three, and EMPTY.
func of(n int) status.Config {
	return status.Config{Members: n, Quorum: n/2 + 1, AutoInitialize: true}
}

var me = status.Local{Replica: 3, Status: status.Empty}

func life(generation, disk uint64) identity.Incarnation {
	return identity.Incarnation{Generation: generation, Disk: disk}
}

func TestAnswersOfADeadLifeDoNotCount(t *testing.T) {
	for _, c := range []struct {
		name  string
		knows identity.Incarnation // what member 2 knows of member 1, which answers in its life 1-100
		want  string
	}{
		{"the life that answers", life(1, 100), "RECOVERING"},
		{"a later life         ", life(2, 777), "undecided"},
		{"another disk         ", life(1, 777), "undecided"},
		{"a former life        ", life(0, 777), "RECOVERING"},
	} {
		as := answers("V V E")
		as[1].Known = identity.Vector{}.With(1, c.knows)
		if got := strings.Fields(said(status.Next(of(3), me, as)))[0]; got != c.want {
			t.Errorf("member 2 knows %s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Two of five lost their disks, and one of these two knows a life of member 5 that was lost before anybody else heard of it.
func TestWhoCannotVoteKeepsNobodyFromRecovering(t *testing.T) {
	as := answers("V V V E E")
	as[3].Known = identity.Vector{}.With(1, life(1, 777))
	if d := status.Next(of(5), status.Local{Replica: 5, Status: status.Empty}, as); d.Next != status.Recovering {
		t.Errorf("a peer that is EMPTY knows of it: %+v", d)
	}
	as[3].Known, as[4].Known = nil, as[3].Known
	if d := status.Next(of(5), status.Local{Replica: 5, Status: status.Empty}, as); d.Next != status.Recovering {
		t.Errorf("the replica itself knows of it: %+v", d)
	}
	as[3].Known, as[3].Status = as[4].Known, status.Voting
	if d := status.Next(of(5), status.Local{Replica: 5, Status: status.Empty}, as); d.Next != status.Recovering {
		t.Errorf("three others vote: %+v", d)
	}
	as[2].Status = status.Empty
	if d := status.Next(of(5), status.Local{Replica: 5, Status: status.Empty}, as); !d.Undecided {
		t.Errorf("one of three that vote knows of it: %+v", d)
	}
}

func TestOfTwoDisksTheOneThatWasCountedIsTakenOver(t *testing.T) {
	for _, disk := range []uint64{1, 777} { // below and above the one that votes
		as := answers("V V V - E")
		as[3].Known = identity.Vector{}.With(1, life(1, disk)).With(4, life(2, 5))
		d := status.Next(of(5), status.Local{Replica: 5, Status: status.Empty}, as)
		if k, _ := d.Known.Of(1); d.Next != status.Recovering || k != as[0].Incarnation {
			t.Errorf("%v is taken over, where %v votes", k, as[0].Incarnation)
		}
	}
}

func TestWhatADeadLifeKnewIsStillTrue(t *testing.T) {
	as := answers("V V E")
	as[0].Known = identity.Vector{}.With(2, life(2, 777))
	as[2].Known = identity.Vector{}.With(1, life(2, 777))
	if d := status.Next(of(3), me, as); !d.Undecided {
		t.Errorf("got %+v", d)
	}
}

func TestDeadLifeDoesNotDisplaceItsSuccessor(t *testing.T) {
	dead, as := answers("V V E")[0], answers("V V E")
	as[0].Incarnation, as[0].Status = life(2, 777), status.Empty
	for _, order := range [][]status.Answer{
		{as[0], as[1], as[2], dead},
		{dead, as[0], as[1], as[2]},
	} {
		if d := status.Next(of(3), me, order); !d.Undecided || d.Heard != 3 {
			t.Errorf("got %+v", d)
		}
	}
}

func TestLaterAnswerOfAReplicaCounts(t *testing.T) {
	voting, empty := answers("V V E"), answers("E E E")
	if d := status.Next(of(3), me, append(voting, empty[0])); !d.Undecided || d.Heard != 3 {
		t.Errorf("V, then E: %+v", d)
	}
	if d := status.Next(of(3), me, append(empty, voting[0], voting[1])); d.Next != status.Recovering || d.Heard != 3 {
		t.Errorf("E, then V: %+v", d)
	}
}

func TestOwnAnswerNeverCompletesTheQuorum(t *testing.T) {
	if d := status.Next(of(3), me, answers("V - V")); !d.Undecided {
		t.Errorf("got %+v", d)
	}
}

// lost is what three members answer of which some are known to have lost a disk.
func lost(heard string, members ...log.ReplicaID) []status.Answer {
	as := answers(heard)
	for _, m := range members {
		as[m-1].Incarnation.Generation = 2
	}
	return as
}

func TestNoNewLogWhereAQuorumLostADisk(t *testing.T) {
	for _, c := range []struct {
		heard string
		lost  []log.ReplicaID
		want  string
	}{
		{"E E E", nil, "STARTING"},
		{"E E E", []log.ReplicaID{1}, "STARTING"},
		{"S S E", []log.ReplicaID{3}, "STARTING"},
		{"E E E", []log.ReplicaID{1, 2}, "undecided"},
		{"S E E", []log.ReplicaID{2, 3}, "undecided"},
		{"E S E", []log.ReplicaID{1, 2, 3}, "undecided"},
		{"V V E", []log.ReplicaID{1, 2, 3}, "RECOVERING"}, // the log is there
	} {
		d := status.Next(of(3), me, lost(c.heard, c.lost...))
		if got := strings.Fields(said(d))[0]; got != c.want || d.Undecided != (d.Advice != "") {
			t.Errorf("heard %s, lost %v: %s with advice %q, want %s", c.heard, c.lost, got, d.Advice, c.want)
		}
	}
}

func TestLostDisksAreCountedAsTheAnswersKnowThem(t *testing.T) {
	as := lost("E E E - -", 1)
	as = append(as, answers("- - - E E")...)
	as[1].Incarnation = life(2, 101)
	as[4].Known = identity.Vector{}.With(1, life(2, 100)).With(2, life(2, 101))
	if d := status.Next(of(5), me, as); d.Next != status.Starting {
		t.Errorf("two of five: %+v", d)
	}
	as[2].Incarnation = life(3, 102)
	if d := status.Next(of(5), me, as); !d.Undecided || !strings.Contains(d.Advice, "3 of 5") {
		t.Errorf("three of five: %+v", d)
	}
}

func TestAdviceNamesWhatToDo(t *testing.T) {
	for _, c := range []struct {
		auto   bool
		heard  string
		lost   []log.ReplicaID
		advice string // a part of it; empty for none
	}{
		{false, "E E E", nil, "auto-initialize is off"},
		{false, "E E E", []log.ReplicaID{1, 2}, "lost a disk"}, // the graver news
		{false, "E E -", nil, ""},
		{false, "E S E", nil, ""},
		{false, "V E E", nil, "a quorum of the disks is lost"},
		{false, "V S E", nil, "a quorum of the disks is lost"}, // auto-initialize was on before: STARTING waits for an operator
		{false, "V V E", nil, ""},
		{false, "V E -", nil, ""},
		{true, " E E E", nil, ""},
		{true, " E E -", nil, ""},
		{true, " V E E", nil, "a quorum of the disks is lost"},
		{true, " V E E", []log.ReplicaID{2, 3}, "a quorum of the disks is lost"},
		{true, " V S E", nil, ""}, // hole L5: the STARTING one will vote
		{true, " E E E", []log.ReplicaID{1, 2}, "lost a disk"},
		{true, " R R E", nil, "2 of 3 had data"},
		{true, " S R E", nil, "1 of 3 had data"},
		{false, "R E E", nil, "1 of 3 had data"},
		{true, " R E -", nil, ""},
		{true, " V R E", nil, "a quorum of the disks is lost"},
	} {
		config := of(3)
		config.AutoInitialize = c.auto
		got := status.Next(config, me, lost(c.heard, c.lost...)).Advice
		if !strings.Contains(got, c.advice) || (got == "") != (c.advice == "") {
			t.Errorf("auto-initialize %v, heard %s, lost %v: %q, want %q", c.auto, c.heard, c.lost, got, c.advice)
		}
		if got != "" && !strings.Contains(got, "quorumlog initialize") && !strings.Contains(got, "quorumlog read --data") {
			t.Errorf("%q does not name the command", got)
		}
	}
}

func TestCompleteMeansThatAllHaveAnswered(t *testing.T) {
	for _, c := range []struct {
		heard    string
		members  int
		complete bool
	}{
		{"- - -", 0, false},
		{"V - E", 2, false},
		{"V E E", 3, true},
		{"V E V", 3, true}, // an answer that does not count is one, too
	} {
		if d := status.Next(of(3), me, answers(c.heard)); d.Heard != c.members || d.Complete != c.complete {
			t.Errorf("heard %s: %d, complete %v, want %d, %v", c.heard, d.Heard, d.Complete, c.members, c.complete)
		}
	}
}

func TestRecoveringTakesOverWhatTheAnswersKnow(t *testing.T) {
	as := answers("V V V - -")
	as[0].Known = identity.Vector{}.With(1, as[0].Incarnation).With(4, life(3, 5)).With(5, life(2, 7))
	as[1].Known = identity.Vector{}.With(2, as[1].Incarnation).With(4, life(4, 4)).With(5, life(2, 6))
	want := identity.Vector{}.With(1, life(1, 100)).With(2, life(1, 101)).With(3, life(1, 102)).With(4, life(4, 4)).With(5, life(2, 7))
	rotate(as, 0, func(as []status.Answer) {
		if d := status.Next(of(5), status.Local{Replica: 5, Status: status.Empty}, as); !reflect.DeepEqual(d.Known, want) {
			t.Errorf("got %v, want %v", d.Known, want)
		}
	})
}

func TestRecoveringTakesEachBoundFromTheReplicaThatHasIt(t *testing.T) {
	as := answers("V V E")
	as[0].Begin, as[0].End, as[0].Promised, as[0].Highest = 5, 4, 70, 80 // an empty log that was truncated
	as[1].Begin, as[1].End, as[1].Promised, as[1].Highest = 3, 9, 60, 90
	d := status.Next(of(3), me, as)
	if got, want := said(d), "RECOVERING 3 9 70 90"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
