package protocol

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/coordinator"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

func TestThreeNewReplicasInitializeElectAndAppend(t *testing.T) {
	for seed := range uint64(20) {
		c := kit.New(t, seed, 3, true)
		c.Start()
		c.AwaitVoting(c.Members...)
		writer := c.Member(1)
		writer.Elect()
		var want []string
		for i := range 10 {
			want = append(want, fmt.Sprint(i))
			writer.Append(want[i])
		}
		c.World.Run(5 * time.Second)
		for _, m := range c.Members {
			if got := m.Entries(); !slices.Equal(got, want) {
				t.Fatalf("seed %d: replica %d has %q", seed, m.ID, got)
			}
		}
	}
}

func TestAWipedReplicaRecoversAndVotes(t *testing.T) {
	for seed := range uint64(20) {
		c := kit.New(t, seed, 3, true)
		c.Start()
		c.AwaitVoting(c.Members...)
		writer, wiped := c.Member(1), c.Member(3)
		writer.Elect()
		var want []string
		for i := range 10 {
			want = append(want, fmt.Sprint(i))
			writer.Append(want[i])
		}
		wiped.Crash()
		wiped.Wipe()
		for i := 10; i < 20; i++ {
			want = append(want, fmt.Sprint(i))
			writer.Append(want[i])
		}
		wiped.Restart()
		c.AwaitVoting(wiped)
		if got := wiped.Inspect(); got.Status != status.Voting || got.Identity.Incarnation.Generation != 2 {
			t.Fatalf("seed %d: %+v", seed, got)
		}
		if got := wiped.Entries(); !slices.Equal(got, want) {
			t.Fatalf("seed %d: the wiped replica has %q", seed, got)
		}
		c.Member(2).Crash()
		writer.Append("with the rebuilt replica's vote")
	}
}

func TestARecoveryAsksAgainTenSecondsAfterAQuestionThatWasNotAnswered(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.Initialized(t, seed, 3)
		var asked []time.Duration // when each question was asked first: within one, requests are repeated
		question := uint64(0)
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			r, ok := e.Message.(*messages.RecoverRequest)
			if !ok || e.From == e.To {
				return actortest.Deliver
			}
			if r.GetHeader().GetRequest() != question {
				question = r.GetHeader().GetRequest()
				asked = append(asked, c.World.Elapsed())
			}
			if c.World.Elapsed() < 25*time.Second {
				return actortest.Drop
			}
			return actortest.Deliver
		})
		c.Member(3).Wipe()
		c.Start()
		c.AwaitVoting(c.Members...)
		if len(asked) < 3 {
			t.Fatalf("asked at %v", asked)
		}
		for i := range 2 { // the third is answered
			if gap := asked[i+1] - asked[i]; (gap - 10*time.Second).Abs() > 10*time.Millisecond {
				t.Errorf("asked at %v", asked)
			}
		}
	})
}

func TestARecoveryPausesBetweenTwoUndecidedRounds(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		c := kit.New(t, seed, 3, false) // all EMPTY, and nobody may initialize: undecided for ever
		var asked []time.Duration
		c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
			if _, ok := e.Message.(*messages.RecoverRequest); ok && e.From == c.Member(1).Node.Address() {
				asked = append(asked, c.World.Elapsed())
			}
			return actortest.Deliver
		})
		c.Start()
		c.World.Run(20 * time.Second)
		asked = slices.Compact(asked)
		if len(asked) < 15 || len(asked) > 45 {
			t.Errorf("asked %d times in 20 s", len(asked))
		}
		for i := range asked[2:] { // the first round may have met members that were not there yet
			if gap := asked[i+2] - asked[i+1]; gap < 500*time.Millisecond || gap > 1020*time.Millisecond {
				t.Errorf("asked again after %v", gap)
			}
		}
		for _, m := range c.Members {
			if got := m.Status(); got != status.Empty {
				t.Errorf("member %d is %s", m.ID, got)
			}
		}
	})
}

func TestAnAdviceTellsWhatAnOperatorMustDo(t *testing.T) {
	c := kit.New(t, 1, 3, false)
	c.Start()
	c.World.Run(5 * time.Second)
	m := c.Member(2)
	if s := ask[*messages.StatusResponse](t, m, &messages.StatusRequest{}); !strings.Contains(s.GetAdvice(), "quorumlog initialize") {
		t.Errorf("advice: %q", s.GetAdvice())
	}
	if s := ask[*messages.ReadResponse](t, m, &messages.ReadRequest{}); s.GetFailure().GetCode() != messages.Code_CODE_NOT_VOTING {
		t.Errorf("read: %v", s)
	}
}

func TestANewLogIsInitializedOnlyWhenEveryMemberIsThere(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.New(t, seed, 3, true)
		c.Member(1).Start()
		c.Member(2).Start()
		c.World.Run(15 * time.Second)
		for _, m := range c.Members[:2] {
			if got := m.Status(); got != status.Empty {
				t.Errorf("member %d is %s", m.ID, got)
			}
		}
		c.Member(3).Start()
		c.AwaitVoting(c.Members...)
		c.Member(3).Elect()
		c.Member(3).Append("a")
		c.Agree(c.Members...)
	})
}

// Every member crashes at some moment of its initialization, and starts again.
func TestAnInitializationIsTakenUpAgainAfterCrashes(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.New(t, seed, 3, true)
		chance := rand.New(rand.NewPCG(seed, 7))
		c.Start()
		for range 4 {
			for range chance.IntN(150) {
				c.World.Step()
			}
			m := c.Members[chance.IntN(3)]
			m.CrashKeeping(chance)
			m.Restart()
		}
		c.AwaitVoting(c.Members...)
		c.Member(1).Elect()
		c.Member(1).Append("a")
		c.Agree(c.Members...)
	})
}

// A writer writes on while a replica that lost its disk recovers, which may not cost the writer its election.
func TestARecoveryRacesAWriter(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer, wiped := c.Member(1), c.Member(2+log.ReplicaID(seed%2))
		by := writer.Elect().By
		want := pour(t, c, writer, "before", 20)
		wiped.Crash()
		wiped.Wipe()
		want = append(want, pour(t, c, writer, "meanwhile", 20)...)
		wiped.Restart()
		for i := 0; !wiped.Reported(member.Recovered{}); i++ {
			want = append(want, pour(t, c, writer, fmt.Sprint("race", i, "-"), 3)...)
			if i > 1000 {
				t.Fatal("the recovery never ends while the writer writes")
			}
		}
		want = append(want, pour(t, c, writer, "after", 5)...)
		if got := writer.Inspect().Writer; got != by {
			t.Errorf("the recovery cost the writer its election: %s, then %s", by, got)
		}
		if got := writer.Entries(); !slices.Equal(got, want) {
			t.Errorf("the log has %d entries, want %d", len(got), len(want))
		}
		c.Agree(c.Members...)
	})
}

func TestARecoveredReplicaKeepsThePromisesOfTheOthers(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		old, wiped := c.Member(1), c.Member(3)
		fence := old.Elect().By
		appendAll(old, "old", 3)
		c.World.Net.Isolate(old.Node.Address())
		c.Member(2).Elect() // by members 2 and 3
		wiped.Crash()
		wiped.Wipe()
		c.World.Net.HealAll()
		c.World.Net.Cut(old.Node.Address(), c.Member(2).Node.Address()) // the old writer reaches the wiped replica only
		wiped.Restart()
		c.AwaitVoting(wiped)
		if a, ok := old.Write(fence, kit.Entry("of the old writer")).(coordinator.Appended); ok {
			t.Errorf("the old writer was acknowledged at %s", a.Range)
		}
		c.World.Net.HealAll()
		c.Member(2).Append("of the new writer")
		c.Agree(c.Members...)
	})
}

// children lists what runs below one of the member's actors.
func children(m *kit.Member, name string) []string {
	return slices.DeleteFunc(m.Node.Actors(), func(actor string) bool {
		return actor != kit.Name+"/"+name && !strings.HasPrefix(actor, kit.Name+"/"+name+"/")
	})
}

// A recovery that nobody wants any more ends with all that it started, wherever it is: at each step of its way once.
func TestADiscardedRecoveryLeavesNothing(t *testing.T) {
	for steps := 10; steps < 400; steps += 13 {
		c := kit.Voting(t, uint64(steps), 3)
		c.Member(1).Elect()
		appendAll(c.Member(1), "", 3)
		m := c.Member(3)
		m.Crash()
		m.Wipe()
		if steps%2 == 0 {
			c.Member(2).Crash() // it waits for a quorum, or asks for ever
		}
		m.Restart()
		for range steps {
			c.World.Step()
		}
		m.Node.Root().Poison(m.PID(member.Recover))
		c.World.Run(time.Second)
		if left := children(m, member.Recover); len(left) > 0 {
			t.Errorf("after %d steps: %v is left", steps, left)
		}
		c.World.Close()
	}
}

// They do not find each other at once, and so ask each other more than once. Between two questions they would pause for 500 ms
// to 1 s.
func TestNewMembersDoNotPauseWhereAnotherOneHasMadeAStep(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.New(t, seed, 3, true)
		for _, m := range c.Members {
			m.Start()
			c.World.Run(time.Duration(seed) * 4 * time.Millisecond)
		}
		c.AwaitVoting(c.Members...)
		if took := c.World.Elapsed(); took > 800*time.Millisecond {
			t.Errorf("all vote after %v", took)
		}
	})
}
