package identity_test

import (
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
)

// from is replica 2 as it should be, in a process of its first boot.
func from() identity.Identity {
	return identity.Identity{
		Cluster: identity.ClusterID{7}, Configuration: 5, Replica: 2, Incarnation: life(1), Boot: 1, Process: 100,
	}
}

// life is the only disk of a generation.
func life(generation uint64) identity.Incarnation {
	return identity.Incarnation{Generation: generation, Disk: generation}
}

// guard is replica 1's, of three, which knows the second incarnation of replica 3.
func guard() *identity.Admission {
	self := from()
	self.Replica = 1
	return &identity.Admission{
		Self: self, Members: []log.ReplicaID{1, 2, 3}, Known: identity.Vector{}.With(1, life(1)).With(3, life(2)),
		Heard: map[log.ReplicaID]identity.Process{},
	}
}

func TestSenderIsAdmittedUnlessItIsSomebodyElse(t *testing.T) {
	for _, c := range []struct {
		claim string
		spoil func(i *identity.Identity)
		want  identity.Reason // 0 if admitted
	}{
		{"a member", func(*identity.Identity) {}, 0},
		{"itself", func(i *identity.Identity) { i.Replica = 1 }, 0},
		{"another cluster", func(i *identity.Identity) { i.Cluster = identity.ClusterID{8} }, identity.WrongCluster},
		{"another member list", func(i *identity.Identity) { i.Configuration = 6 }, identity.WrongConfiguration},
		{"no member", func(i *identity.Identity) { i.Replica = 4 }, identity.UnknownMember},
		{"the known incarnation", func(i *identity.Identity) { i.Replica, i.Incarnation = 3, life(2) }, 0},
		{"a newer incarnation", func(i *identity.Identity) { i.Replica, i.Incarnation = 3, life(3) }, 0},
		{"a dead incarnation", func(i *identity.Identity) { i.Replica, i.Incarnation = 3, life(1) }, identity.DeadIncarnation},
		{"another disk of the known generation", func(i *identity.Identity) {
			i.Replica, i.Incarnation = 3, identity.Incarnation{Generation: 2, Disk: 9}
		}, identity.DeadIncarnation},

		{"another cluster before anything else", func(i *identity.Identity) {
			*i = identity.Identity{Cluster: identity.ClusterID{8}, Configuration: 6, Replica: 4}
		}, identity.WrongCluster},
		{"another member list before what it lists", func(i *identity.Identity) {
			*i = identity.Identity{Cluster: identity.ClusterID{7}, Configuration: 6, Replica: 4}
		}, identity.WrongConfiguration},
	} {
		t.Run(c.claim, func(t *testing.T) {
			sender := from()
			c.spoil(&sender)
			refusal, admitted := guard().Admit(sender)
			if refusal.Reason != c.want || admitted != (c.want == 0) {
				t.Errorf("got %s, admitted %t", refusal.Reason, admitted)
			}
			if !admitted && refusal.Detail == "" {
				t.Error("a refusal says what was expected and what was seen")
			}
		})
	}
}

func TestDeadIncarnationIsToldWhoIsAlive(t *testing.T) {
	sender := from()
	sender.Replica = 3
	refusal, _ := guard().Admit(sender)
	if refusal.Known != life(2) || !strings.Contains(refusal.Error(), "2-0000000000000002") {
		t.Errorf("got %s, known %s", refusal, refusal.Known)
	}
}

// process is a sender of replica 2 in one of its boots, and what its disk had and has seen of syncs.
type process struct {
	generation, boot, nonce, bootAge, age uint64
}

func (p process) identity() identity.Identity {
	i := from()
	i.Incarnation, i.Boot, i.Process, i.BootAge, i.Age = life(p.generation), p.boot, p.nonce, p.bootAge, p.age
	return i
}

func TestProcessOfAnotherDirectoryIsRefused(t *testing.T) {
	original := process{1, 5, 100, 40, 60}
	for _, c := range []struct {
		claim string
		heard []process // all but the last are admitted
		want  bool
	}{
		{"the first that is heard", []process{original}, true},
		{"the same again", []process{original, original}, true},
		{"the same, late", []process{original, {1, 5, 100, 40, 50}}, true},
		{"after a restart", []process{original, {1, 6, 200, 61, 61}}, true},
		{"after several", []process{original, {1, 9, 200, 64, 70}}, true},
		{"after syncs that nobody heard of", []process{original, {1, 6, 200, 80, 90}}, true},
		{"a disk that was rolled back (S7)", []process{original, {1, 6, 200, 60, 60}}, false},
		{"the same, started again and again", []process{original, {1, 25, 200, 79, 79}}, false},
		{"the same, after syncs of its own", []process{original, {1, 6, 200, 60, 900}}, false},
		{"an earlier start", []process{original, {1, 4, 200, 30, 35}}, false},
		{"a second process of one start (S8)", []process{original, {1, 5, 200, 40, 60}}, false},
		{"an earlier process, late", []process{original, {1, 6, 200, 61, 61}, original}, false},
		{"a copy that goes on", []process{original, {1, 6, 200, 61, 61}, {1, 6, 100, 61, 61}}, false},
		{"the original beside a copy that was heard first", []process{{1, 6, 200, 50, 55}, original}, true},
		{"the copy, after that", []process{{1, 6, 200, 50, 55}, original, {1, 6, 200, 50, 58}}, false},
		{"the original started again beside a copy", []process{{1, 6, 200, 50, 55}, {1, 6, 300, 61, 61}}, true},
		{"a new disk begins with boot 1", []process{original, {2, 1, 200, 1, 1}}, true},
		{"a second process of the new disk", []process{original, {2, 1, 200, 1, 1}, {2, 1, 300, 1, 1}}, false},
	} {
		t.Run(c.claim, func(t *testing.T) {
			g := guard()
			for i, p := range c.heard {
				refusal, admitted := g.Admit(p.identity())
				want := c.want || i < len(c.heard)-1
				if admitted != want || !admitted && refusal.Reason != identity.DuplicateIdentity {
					t.Errorf("process %d: got %s, admitted %t", i, refusal.Reason, admitted)
				}
			}
		})
	}
}

func TestRolledBackDirectoryIsToldWhatItLacks(t *testing.T) {
	g := guard()
	if refusal, admitted := g.Admit(process{1, 5, 100, 40, 60}.identity()); !admitted {
		t.Fatal(refusal)
	}
	refusal, _ := g.Admit(process{1, 6, 200, 58, 58}.identity())
	for _, part := range []string{"60 syncs", "start 5", "58", "start 6", "rolled back"} {
		if !strings.Contains(refusal.Detail, part) {
			t.Errorf("%q does not say %q", refusal.Detail, part)
		}
	}
}

func TestRefusedProcessIsNotRemembered(t *testing.T) {
	g := guard()
	for i, c := range []struct {
		process
		want bool
	}{
		{process{1, 5, 100, 40, 60}, true},
		{process{1, 5, 200, 40, 90}, false},
		{process{1, 6, 200, 45, 90}, false},
		{process{1, 5, 100, 40, 60}, true},
		{process{1, 6, 300, 61, 61}, true},
	} {
		if _, admitted := g.Admit(c.identity()); admitted != c.want {
			t.Errorf("process %d: admitted %t", i, admitted)
		}
	}
}

func TestRefusedSenderIsNotRemembered(t *testing.T) {
	g := guard()
	stranger := process{1, 9, 100, 90, 90}.identity()
	stranger.Cluster = identity.ClusterID{8}
	if _, admitted := g.Admit(stranger); admitted {
		t.Error("a stranger is admitted")
	}
	if _, admitted := g.Admit(process{1, 5, 200, 40, 40}.identity()); !admitted || len(g.Heard) != 1 {
		t.Error("a boot of another cluster counts")
	}
}

func TestReplicasAreHeardApart(t *testing.T) {
	g := guard()
	if refusal, admitted := g.Admit(process{1, 5, 100, 40, 40}.identity()); !admitted {
		t.Errorf("got %s", refusal)
	}
	other := process{2, 1, 200, 1, 1}.identity()
	other.Replica = 3
	if refusal, admitted := g.Admit(other); !admitted {
		t.Errorf("got %s", refusal)
	}
}

func TestNewIncarnationIsRegistered(t *testing.T) {
	for _, c := range []struct {
		claim      string
		replica    log.ReplicaID
		generation uint64
		newer      bool
	}{
		{"of a replica that was never heard", 2, 1, true},
		{"of a replica that lost its disk", 3, 3, true},
		{"not the known one", 3, 2, false},
	} {
		t.Run(c.claim, func(t *testing.T) {
			g := guard()
			sender := from()
			sender.Replica, sender.Incarnation = c.replica, life(c.generation)
			known, newer := g.Register(sender)
			if got, _ := known.Of(c.replica); got != life(c.generation) || newer != c.newer {
				t.Errorf("got %s, newer %t", got, newer)
			}
			if others, _ := known.Of(1); others != life(1) {
				t.Errorf("replica 1 is known as %s", others)
			}
		})
	}
}

func TestRegisteringLeavesWhatIsKnownToTheDisk(t *testing.T) {
	g := guard()
	if _, newer := g.Register(from()); !newer {
		t.Fatal("not new")
	}
	if _, found := g.Known.Of(2); found {
		t.Error("it is known before it is stored")
	}
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{"unknown": true}
	for r := identity.Malformed; r.Valid(); r++ {
		if seen[r.String()] {
			t.Errorf("reason %d is called %q", r, r)
		}
		seen[r.String()] = true
	}
	for _, r := range []identity.Reason{0, identity.OutOfBounds + 1, 255} {
		if r.Valid() || r.String() != "unknown" {
			t.Errorf("%d is called %q", uint8(r), r)
		}
	}
}
