package membership_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
)

func address(id log.ReplicaID) string { return fmt.Sprintf("host%d:7101", id) }

// seed is a log of n voters.
func seed(n int) membership.Configuration {
	var members []membership.Member
	for i := range n {
		id := log.ReplicaID(n - i)
		members = append(members, membership.Member{ID: id, Address: address(id)})
	}
	return membership.Seed(members)
}

// after makes changes, each a letter and an id: +4 adds, ^4 promotes, -4 removes.
func after(t *testing.T, c membership.Configuration, changes string) membership.Configuration {
	t.Helper()
	for _, text := range strings.Fields(changes) {
		var err error
		if c, err = c.Next(change(text)); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return c
}

func change(text string) membership.Change {
	var id log.ReplicaID
	if _, err := fmt.Sscanf(text[1:], "%d", &id); err != nil {
		panic(err)
	}
	ch := membership.Change{ID: id, Kind: map[byte]membership.Kind{'+': membership.Add, '^': membership.Promote, '-': membership.Remove}[text[0]]}
	if ch.Kind == membership.Add {
		ch.Address = address(id)
	}
	return ch
}

// walk makes random changes, and calls visit with each configuration and the one before.
func walk(random *rand.Rand, n int, visit func(before, next membership.Configuration)) {
	c := seed(n)
	for range 40 {
		ch := change(fmt.Sprintf("%c%d", "+^-"[random.IntN(3)], 1+random.IntN(int(c.Highest)+1)))
		next, err := c.Next(ch)
		if err != nil || len(next.Members) > 9 {
			continue
		}
		visit(c, next)
		c = next
	}
}

// majorities are the sets of voters, as bits of their ids, that make a quorum.
func majorities(c membership.Configuration) []uint64 {
	voters := c.Voters()
	var all []uint64
	for set := range 1 << len(voters) {
		var bits uint64
		size := 0
		for i, id := range voters {
			if set>>i&1 == 1 {
				bits, size = bits|1<<id, size+1
			}
		}
		if size >= len(voters)/2+1 {
			all = append(all, bits)
		}
	}
	return all
}

func TestMajoritiesOfConfigurationsThatFollowEachOtherShareAVoter(t *testing.T) {
	pairs := 0
	for s := range uint64(100) {
		walk(rand.New(rand.NewPCG(s, 1)), 1+int(s%5), func(before, next membership.Configuration) {
			if next.Highest > 60 {
				return
			}
			for _, a := range majorities(before) {
				for _, b := range majorities(next) {
					if pairs++; a&b == 0 {
						t.Fatalf("seed %d: after %s the quorum %b, after %s the quorum %b", s, before, a, next, b)
					}
				}
			}
		})
	}
	t.Logf("%d pairs of quorums", pairs)
}

func TestEveryChangeIsValidAndCountsOne(t *testing.T) {
	for s := range uint64(300) {
		given := map[log.ReplicaID]string{}
		walk(rand.New(rand.NewPCG(s, 2)), 1+int(s%5), func(before, next membership.Configuration) {
			if next.Equal(before) {
				return
			}
			if err := next.Validate(); err != nil || next.Epoch != before.Epoch+1 || next.Hash() == before.Hash() {
				t.Fatalf("seed %d: %s after %s: %v", s, next, before, err)
			}
			for _, m := range next.Members {
				if _, was := before.Member(m.ID); !was && given[m.ID] != "" {
					t.Fatalf("seed %d: the id %d is given twice", s, m.ID)
				}
				given[m.ID] = m.Address
			}
		})
	}
}

func TestMembersAreChangedOneByOne(t *testing.T) {
	for _, c := range []struct{ changes, want string }{
		{"", "epoch 0: 1=host1:7101/voter,2=host2:7101/voter,3=host3:7101/voter; ids up to 3"},
		{"+4", "epoch 1: 1=host1:7101/voter,2=host2:7101/voter,3=host3:7101/voter,4=host4:7101/observer; ids up to 4"},
		{"+4 ^4", "epoch 2: 1=host1:7101/voter,2=host2:7101/voter,3=host3:7101/voter,4=host4:7101/voter; ids up to 4"},
		{"+4 ^4 -1", "epoch 3: 2=host2:7101/voter,3=host3:7101/voter,4=host4:7101/voter; ids up to 4"},
		{"-3 -2", "epoch 2: 1=host1:7101/voter; ids up to 3"},
		{"+9 -9", "epoch 2: 1=host1:7101/voter,2=host2:7101/voter,3=host3:7101/voter; ids up to 9"},
	} {
		if got := after(t, seed(3), c.changes).String(); got != c.want {
			t.Errorf("%q: got %s, want %s", c.changes, got, c.want)
		}
	}
}

func TestChangeThatWasMadeIsMadeOnce(t *testing.T) {
	for _, c := range []struct{ changes, again string }{
		{"+4", "+4"}, {"+4 ^4", "+4"}, {"+4 ^4", "^4"}, {"", "^2"}, {"-3", "-3"},
	} {
		before := after(t, seed(3), c.changes)
		if got := after(t, before, c.again); !got.Equal(before) {
			t.Errorf("%s after %q: got %s, want %s", c.again, c.changes, got, before)
		}
	}
}

func TestChangeThatCannotBeIsRefused(t *testing.T) {
	elsewhere := change("+2")
	elsewhere.Address = "elsewhere:1"
	taken := change("+7")
	taken.Address = address(2)
	nowhere := change("+7")
	nowhere.Address = "nowhere"
	full := seed(membership.MaxMembers)
	for _, c := range []struct {
		claim  string
		before membership.Configuration
		change membership.Change
		want   error
	}{
		{"an id of a former member", after(t, seed(3), "-3"), change("+3"), membership.ErrTaken},
		{"an id below those of members", after(t, seed(3), "+9"), change("+4"), membership.ErrTaken},
		{"a member at another address", seed(3), elsewhere, membership.ErrTaken},
		{"an address of another member", seed(3), taken, membership.ErrTaken},
		{"no address", seed(3), nowhere, membership.ErrInvalid},
		{"the id 0", seed(3), membership.Change{Kind: membership.Add, Address: "a:1"}, membership.ErrInvalid},
		{"one too many", full, change("+65"), membership.ErrTooMany},
		{"a promotion of nobody", seed(3), change("^4"), membership.ErrUnknown},
		{"a removal of nobody", seed(3), change("-4"), membership.ErrUnknown},
		{"the last voter", after(t, seed(1), "+2"), change("-1"), membership.ErrUnhealthy},
		{"another kind of change", seed(3), membership.Change{Kind: 9, ID: 1}, membership.ErrInvalid},
	} {
		next, err := c.before.Next(c.change)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.claim, err, c.want)
		}
		if err == nil && !next.Equal(c.before) {
			t.Errorf("%s: refused, but %s", c.claim, next)
		}
	}
}

func TestWhoWasRemovedIsNotHeeded(t *testing.T) {
	for _, c := range []struct {
		claim   string
		changes string
		id      log.ReplicaID
		want    bool
	}{
		{"a member", "-3", 1, true},
		{"an observer", "+4", 4, true},
		{"who was removed", "-3", 3, false},
		{"who was removed long ago", "-3 +4 ^4 +5", 3, false},
		{"who is a member since a change that is not known", "-3", 4, true},
		{"whoever it is, where there was no change yet", "", 9, true},
	} {
		if got := after(t, seed(3), c.changes).Heeds(c.id); got != c.want {
			t.Errorf("%s: got %v", c.claim, got)
		}
	}
}

func TestChangeLeavesTheConfigurationBeforeAsItWas(t *testing.T) {
	before := after(t, seed(3), "+4")
	want := before.String()
	for _, text := range []string{"+5", "^4", "-1", "-4"} {
		after(t, before, text)
		if got := before.String(); got != want {
			t.Fatalf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestChangeWaitsUntilAQuorumIsLeft(t *testing.T) {
	for _, c := range []struct {
		changes, change string
		votes           string // one letter per id: V votes, L votes and lags, - is not there
		want            error
	}{
		{"", "-3", "VVV", nil},
		{"", "-3", "VV-", nil},
		{"", "-3", "V-V", membership.ErrUnhealthy},
		{"", "+4", "VV-", nil},
		{"", "+4", "V--", membership.ErrUnhealthy},
		{"", "+4", "VVL", nil},
		{"", "+4", "VL-", membership.ErrBehind},
		{"", "+4", "LLV", membership.ErrBehind},
		{"", "-3", "VLV", nil},
		{"", "-3", "VL-", membership.ErrBehind},
		{"+4", "^4", "VVVV", nil},
		{"+4", "^4", "VV-V", nil},
		{"+4", "^4", "VVV-", membership.ErrBehind},
		{"+4", "^4", "VVVL", membership.ErrBehind},
		{"+4", "^4", "V-LV", membership.ErrBehind},
		{"+4", "^4", "VVLV", nil},
		{"+4", "^4", "V--V", membership.ErrUnhealthy},
		{"+4 ^4", "-4", "VVV-", nil},
		{"+4 ^4", "-4", "VV--", membership.ErrUnhealthy},
		{"+4 ^4", "-1", "-VVV", nil},
		{"+4 ^4", "-1", "-V-V", membership.ErrUnhealthy},
		{"+4 ^4", "-1", "---V", membership.ErrUnhealthy},
		{"+4", "-4", "VV--", nil},
		{"+4", "-4", "VV-L", nil},
	} {
		before := after(t, seed(3), c.changes)
		next := after(t, before, c.change)
		err := before.MayFollow(next, func(id log.ReplicaID) membership.Standing {
			s := membership.Standing{Votes: c.votes[id-1] != '-', Lacks: membership.MaxLag}
			if c.votes[id-1] == 'L' {
				s.Lacks++
			}
			return s
		})
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%q, then %s, with %s: got %v, want %v", c.changes, c.change, c.votes, err, c.want)
		}
	}
}

func TestWhoLagsIsNamed(t *testing.T) {
	before := seed(3)
	err := before.MayFollow(after(t, before, "+4"), func(id log.ReplicaID) membership.Standing {
		return membership.Standing{Votes: id < 3, Lacks: 10_000 * uint64(id-1)}
	})
	if err == nil || !strings.Contains(err.Error(), "member 2 lacks 10000 positions") {
		t.Errorf("got %v", err)
	}
}
