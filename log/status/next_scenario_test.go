package status_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
)

// row is one decision: what the last member is, what the members answered, and the status that comes next.
type row struct {
	local status.Status
	auto  bool
	heard string // one letter per member, '-' for silence; the last member is the local one
	want  string
}

func check(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		n := len(strings.Fields(r.heard))
		c := status.Config{Members: n, Quorum: n/2 + 1, AutoInitialize: r.auto}
		d := status.Next(c, status.Local{Replica: log.ReplicaID(n), Status: r.local}, answers(r.heard))
		got := d.Next.String()
		if d.Undecided {
			got = "undecided"
		}
		if got != r.want {
			t.Errorf("local %v, auto-initialize %v, heard %s: %s, want %s", r.local, r.auto, r.heard, got, r.want)
		}
	}
}

// Scenario 1: A, B and C vote, D is new.
func TestNewMemberBesidesThreeRecovers(t *testing.T) {
	check(t, []row{
		{status.Empty, true, " V V V E", "RECOVERING"},
		{status.Empty, false, "V V V E", "RECOVERING"},
		{status.Empty, true, " - - - E", "undecided"}, // the others' member list refuses D
	})
}

// Scenario 2: A and B vote, C is new.
func TestNewReplicaRecoversFromAQuorum(t *testing.T) {
	check(t, []row{
		{status.Empty, true, " V V E", "RECOVERING"},
		{status.Empty, false, "V V E", "RECOVERING"},
		{status.Empty, false, "V V -", "RECOVERING"}, // before its own answer
	})
}

// Scenario 3: A votes, B is new, C is silent.
func TestWipedReplicaWaitsForQuorum(t *testing.T) {
	check(t, []row{
		{status.Empty, true, " V - E", "undecided"},
		{status.Empty, false, "V - E", "undecided"},
		{status.Empty, true, " V V E", "RECOVERING"}, // once C is back
	})
}

// Scenario 4: A votes, B is EMPTY, C is new.
func TestOneVotingReplicaIsNoQuorum(t *testing.T) {
	check(t, []row{
		{status.Empty, true, " V E E", "undecided"},
		{status.Empty, false, "V E E", "undecided"},
	})
}

// Scenario 5: all are EMPTY.
func TestNewLogStartsInTwoPhases(t *testing.T) {
	check(t, []row{
		{status.Empty, true, "    E E E", "STARTING"},
		{status.Empty, true, "    S E E", "STARTING"},
		{status.Starting, true, " E E S", "undecided"}, // not yet: they would never vote
		{status.Starting, true, " S E S", "undecided"},
		{status.Starting, true, " S S S", "VOTING"},
		{status.Starting, true, " V S S", "VOTING"},
		{status.Empty, false, "   E E E", "undecided"},
	})
}

func TestNewLogWaitsForAllMembers(t *testing.T) {
	check(t, []row{
		{status.Empty, true, "    E - E", "undecided"},
		{status.Empty, true, "    E E -", "undecided"}, // its own answer, too
		{status.Empty, true, "    R E E", "undecided"},
		{status.Starting, true, " S - S", "undecided"},
		{status.Starting, true, " S R S", "undecided"},
	})
}

func TestQuorumOfVotingReplicasComesFirst(t *testing.T) {
	check(t, []row{
		{status.Starting, true, "   V V S", "RECOVERING"}, // not VOTING, by B3 or L5
		{status.Recovering, true, " V V R", "RECOVERING"},
		{status.Recovering, true, " V E R", "undecided"},
		{status.Recovering, true, " S S R", "undecided"},
	})
}

func TestStartingReplicaFollowsOneThatVotes(t *testing.T) {
	check(t, []row{
		{status.Starting, true, "  V E S", "VOTING"}, // L5
		{status.Starting, true, "  V - S", "VOTING"},
		{status.Starting, true, "  V R S", "VOTING"},
		{status.Starting, false, " V E S", "undecided"},
		{status.Empty, true, "     V S E", "undecided"},
	})
}

func TestSingleMemberStartsAlone(t *testing.T) {
	check(t, []row{
		{status.Empty, true, "    E", "STARTING"},
		{status.Starting, true, " S", "VOTING"},
		{status.Empty, false, "   E", "undecided"},
	})
}

func TestEvenNumberNeedsMoreThanHalf(t *testing.T) {
	check(t, []row{
		{status.Empty, true, " V V - E", "undecided"},
		{status.Empty, true, " V V V E", "RECOVERING"},
		{status.Empty, true, " V E", "undecided"},
	})
}

// member is a replica of a model cluster in which everybody hears everybody, and a recovery takes no time.
type member struct {
	status status.Status
	life   identity.Incarnation
	known  identity.Vector
}

// ask lets a member ask all, itself included, and store what follows.
func ask(members []member, i int) {
	var as []status.Answer
	for j := range members {
		m := &members[j]
		m.known = m.known.With(log.ReplicaID(i+1), members[i].life) // before the answer
		as = append(as, status.Answer{
			From: log.ReplicaID(j + 1), Incarnation: m.life, Known: m.known, Status: m.status, Begin: 1,
		})
	}
	c := status.Config{Members: len(members), Quorum: len(members)/2 + 1, AutoInitialize: true}
	d := status.Next(c, status.Local{Replica: log.ReplicaID(i + 1), Status: members[i].status}, as)
	switch {
	case d.Undecided:
	case d.Next == status.Recovering:
		members[i].status = status.Voting
	default:
		members[i].status = d.Next
	}
}

// wipe gives a member a new disk, of the generation after the highest that its peers know.
func wipe(members []member, i int) {
	highest := uint64(0)
	for j := range members {
		if life, found := members[j].known.Of(log.ReplicaID(i + 1)); found && j != i {
			highest = max(highest, life.Generation)
		}
	}
	members[i] = member{status: status.Empty, life: life(highest+1, members[i].life.Disk+1)}
}

func TestNewLogStartsWhicheverDiskIsLostMeanwhile(t *testing.T) {
	for seed := range uint64(5000) {
		random := rand.New(rand.NewPCG(seed, 0))
		n := 3 + 2*random.IntN(2)
		members := make([]member, n)
		for i := range members {
			members[i] = member{status: status.Empty, life: life(1, uint64(100*i))}
		}
		lost := random.IntN(4 * n)
		for step := range 60 * n {
			if step == lost {
				wipe(members, random.IntN(n))
			}
			if i := random.IntN(n); members[i].status != status.Voting {
				ask(members, i)
			}
		}
		for _, m := range members {
			if m.status != status.Voting {
				t.Fatalf("seed %d: stuck at %v", seed, members)
			}
		}
	}
}
