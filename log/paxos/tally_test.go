package paxos_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
)

// A vote is written as "2:yes", from replica 2; "2.3:yes" from its third incarnation; "2:yes/1.2,3.4" knows the second
// incarnation of replica 1 and the fourth of replica 3. The answers:
//
//	yes  granted       no5  rejected by 5     no5?  the same, unsure     other  another value is chosen at position 1
//	gone4  truncated   away  not voting       busy  refused
func vote(q paxos.Question, s string) paxos.Vote {
	s, knows, _ := strings.Cut(s, "/")
	from, answer, _ := strings.Cut(s, ":")
	v := paxos.Vote{Answer: answerOf(q, answer)}
	v.From, v.Incarnation = life(from)
	for _, k := range strings.FieldsFunc(knows, func(c rune) bool { return c == ',' }) {
		v.Known = v.Known.With(life(k))
	}
	return v
}

func life(s string) (log.ReplicaID, identity.Incarnation) {
	id, generation, reborn := strings.Cut(s, ".")
	if !reborn {
		generation = "1"
	}
	return log.ReplicaID(number(id)), identity.Incarnation{Generation: number(generation), Disk: number(generation)}
}

func answerOf(q paxos.Question, s string) paxos.Answer {
	word := strings.TrimRight(s, "0123456789?")
	rest, unsure := strings.CutSuffix(s[len(word):], "?")
	switch word {
	case "yes":
		if q == paxos.AskWrite {
			return paxos.Accepted{Range: log.Span(1, 2)}
		}
		return paxos.Promised{}
	case "no":
		return paxos.Rejected{By: ballot(rest), Overwritten: unsure}
	case "other":
		return paxos.Learned{Actions: records("1=x@1!")}
	case "gone":
		return paxos.Truncated{Begin: log.Position(number(rest))}
	case "away":
		return paxos.NotVoting{Status: status.Recovering}
	case "busy":
		return paxos.Refused{Refusal: identity.Refusal{Reason: identity.Overloaded}}
	}
	panic("no answer " + s)
}

// hear counts votes, with spaces between them, and returns the tally and what can be concluded.
func hear(q paxos.Question, members int, votes string) (*paxos.Tally, paxos.Outcome) {
	tally := paxos.NewTally(q, members)
	outcome := paxos.Outcome(paxos.Pending{})
	for _, v := range strings.Fields(votes) {
		outcome = tally.Add(vote(q, v))
	}
	return tally, outcome
}

func showOutcome(outcome paxos.Outcome) string {
	switch o := outcome.(type) {
	case paxos.Pending:
		return "pending"
	case paxos.Won:
		return "won"
	case paxos.Lost:
		return "lost to " + showBallot(o.By)
	case paxos.Settled:
		return "settled " + showRecords(o.Actions)
	case paxos.Passed:
		return fmt.Sprintf("passed by %d", o.Begin)
	case paxos.Unheard:
		return "unheard"
	}
	return "nothing"
}

const (
	implicit = paxos.AskImplicit
	explicit = paxos.AskRange
	write    = paxos.AskWrite
)

func TestTallyConcludes(t *testing.T) {
	for _, c := range []struct {
		claim   string
		ask     paxos.Question
		members int
		votes   string
		want    string
	}{
		{"one of one is a quorum", implicit, 1, "1:yes", "won"},
		{"one of two is none", write, 2, "1:yes", "pending"},
		{"two of two are a quorum", write, 2, "1:yes 2:yes", "won"},
		{"two of three are a quorum", explicit, 3, "1:yes 3:yes", "won"},
		{"two of four are none", write, 4, "1:yes 2:yes", "pending"},
		{"three of five are a quorum", write, 5, "1:yes 2:yes 3:yes", "won"},
		{"one replica counts once", write, 3, "1:yes 1:yes 1:yes", "pending"},

		{"answers are no grants: a rejection does not make a quorum", write, 3, "1:yes 2:no5", "pending"},
		{"answers are no grants: nor does a refusal", write, 3, "1:yes 2:busy", "pending"},
		{"one rejection does not spoil the quorum of the others (L4)", write, 3, "1:no5 2:yes 3:yes", "won"},
		{"nor does it at an explicit promise (L4)", explicit, 3, "1:no5 2:yes 3:yes", "won"},
		{"nor do two of five (L4)", write, 5, "1:no5 2:yes 3:yes 4:no6 5:yes", "won"},
		{"one rejection ends an implicit promise: a higher proposal is alive", implicit, 3, "1:yes 2:no5", "lost to 5"},
		{"also of five", implicit, 5, "1:no5", "lost to 5"},
		{"two rejections of three end a write", write, 3, "1:no5 2:no7", "lost to 7"},
		{"the highest rejection is told", write, 3, "1:no7 2:no5", "lost to 7"},
		{"a rejection and a refusal of three end a write", write, 3, "1:no5 2:busy", "lost to 5"},

		{"one away and one silent of three may still be won (L3)", write, 3, "1:yes 2:away", "pending"},
		{"two away of three end it at once (L3)", write, 3, "2:away 3:away", "unheard"},
		{"two refused of three end it at once", explicit, 3, "2:busy 3:busy", "unheard"},
		{"away and refused add up", implicit, 3, "2:away 3:busy", "unheard"},
		{"one away of two ends it", write, 2, "2:away", "unheard"},
		{"two away of five leave a quorum", write, 5, "1:away 2:away", "pending"},
		{"three away of five do not", write, 5, "1:away 2:away 3:away", "unheard"},

		{"another chosen value ends a write", write, 3, "1:other", "settled 1=x@1!"},
		{"another chosen value comes before a rejection", write, 3, "1:no5 2:no6? 3:other", "settled 1=x@1!"},
		{"a truncation ends a write", write, 3, "1:gone4", "passed by 4"},
		{"a truncation ends an explicit promise", explicit, 3, "1:yes 2:gone4", "passed by 4"},
		{"the highest begin is told", write, 3, "1:gone4 2:gone9 3:gone6", "passed by 9"},

		{"whoever was away may grant later", write, 3, "1:yes 2:away 2:yes", "won"},
		{"whoever was busy may reject later", write, 3, "1:yes 2:busy 3:no5 2:no4", "lost to 5"},
		{"a grant stays, whatever its replica says later", write, 3, "1:yes 1:no5? 2:yes", "won"},
		{"a grant stays also where it goes away", explicit, 3, "1:yes 1:away 2:busy", "pending"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			if _, got := hear(c.ask, c.members, c.votes); showOutcome(got) != c.want {
				t.Errorf("%s: got %s, want %s", c.votes, showOutcome(got), c.want)
			}
		})
	}
}

func TestTallyCountsLivingReplicasOnly(t *testing.T) {
	for _, c := range []struct{ claim, votes, want string }{
		{"a dead incarnation's grant is dropped when a later answer knows better (S3)", "3:yes 1:yes/3.2", "pending"},
		{"also when an earlier answer knew better (S3)", "1:yes/3.2 3:yes", "pending"},
		{"who knows the same incarnation buries nobody", "1:yes/3.1 3:yes", "won"},
		{"who knows an older incarnation buries nobody", "1:yes/3.1 3.2:yes", "won"},
		{"the new incarnation may grant", "3:yes 1:yes/3.2 3.2:yes", "won"},
		{"a dead rejection is dropped as well", "3:no5 2:no6/3.2", "pending"},
		{"who does not grant may bury too", "3:yes 2:away/3.2 1:yes", "pending"},
		{"who is dead may bury too", "3:yes/2.2 2:yes/3.2 1:yes", "pending"},
		{"the new incarnation's answer takes the place of the old one's", "3:yes 3.2:away 1:yes", "pending"},
		{"the old incarnation's late answer does not take the new one's place", "3.2:away 3:yes 1:yes", "pending"},
		{"nor does its late rejection take the new one's grant back", "3.2:yes 3:no5 1:yes", "won"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			if _, got := hear(write, 3, c.votes); showOutcome(got) != c.want {
				t.Errorf("%s: got %s, want %s", c.votes, showOutcome(got), c.want)
			}
		})
	}
}

// Two disks of one generation come of two losses of which each was told to others. Neither ever was the one that all know.
func TestDiskThatAnotherKnowsByAnotherDiskIsNotCounted(t *testing.T) {
	tally, _ := hear(write, 3, "1:yes/3.2")
	twin := vote(write, "3.2:yes")
	twin.Incarnation.Disk = 9
	if got := tally.Add(twin); showOutcome(got) != "pending" {
		t.Errorf("got %s, want pending", showOutcome(got))
	}
}

func TestDroppedReplicaIsAskedAgain(t *testing.T) {
	tally, _ := hear(write, 5, "1:yes/3.2 2:no5 3:yes 4:away")
	for id, want := range map[log.ReplicaID]bool{1: true, 2: true, 3: false, 4: true, 5: false} {
		if got := tally.Answered(id); got != want {
			t.Errorf("replica %d answered: %t, want %t", id, got, want)
		}
	}
}

func TestVotesAreInOrderOfReplicas(t *testing.T) {
	tally, _ := hear(write, 5, "4:no5 1:yes 5:away 2:no7 3:yes/5.2")
	var got []log.ReplicaID
	for _, v := range tally.Votes() {
		got = append(got, v.From)
	}
	if fmt.Sprint(got) != "[1 2 3 4]" {
		t.Errorf("got %v", got)
	}
}

func TestWriteIsClearOnlyWhereEverybodyCertainlyHoldsNothingOfIt(t *testing.T) {
	for _, c := range []struct {
		claim  string
		values int
		votes  string
		want   bool
	}{
		{"all promised a higher proposal before", 1, "1:no5 2:no6 3:no5", false},
		{"somebody is silent", 1, "1:no5 2:no6", true},
		{"somebody accepted", 1, "1:no5 2:no6 3:yes", true},
		{"somebody wrote something else since", 1, "1:no5 2:no6 3:no5?", true},
		{"somebody may not vote, and may have before", 1, "1:no5 2:no6 3:away", true},
		{"somebody was busy, and may not have been before", 1, "1:no5 2:no6 3:busy", true},
		{"somebody dropped the position", 1, "1:no5 2:no6 3:gone4", true},
		{"another value is chosen in its only place", 1, "1:other 2:no6 3:other", false},
		{"other values are chosen in a part of its places", 2, "1:other 2:no6 3:other", true},
		{"somebody's answer is a dead one's", 1, "1:no5 2:no6/3.2 3:no5", true},
	} {
		t.Run(c.claim, func(t *testing.T) {
			if tally, _ := hear(write, 3, c.votes); tally.Unclear(c.values) != c.want {
				t.Errorf("%s: want %t", c.votes, c.want)
			}
		})
	}
}

// Each replica answers once: then what can be concluded in the end is a matter of the answers and not of their order, but
// for the order in which other chosen values are told.
func TestConclusionDoesNotDependOnOrder(t *testing.T) {
	answers := []string{"yes", "no5", "no7?", "gone4", "away", "busy", "yes/1.2", "away/2.2", "no4/3.2"}
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 1))
		members := 1 + random.IntN(5)
		q := []paxos.Question{implicit, explicit, write}[random.IntN(3)]
		var votes []string
		for id := range members {
			votes = append(votes, fmt.Sprintf("%d:%s", id+1, answers[random.IntN(len(answers))]))
		}
		_, want := hear(q, members, strings.Join(votes, " "))
		random.Shuffle(len(votes), func(i, j int) { votes[i], votes[j] = votes[j], votes[i] })
		if _, got := hear(q, members, strings.Join(votes, " ")); showOutcome(got) != showOutcome(want) {
			t.Fatalf("seed %d: %s: got %s, want %s", seed, votes, showOutcome(got), showOutcome(want))
		}
	}
}

// TestPendingEndsWhereNoQuorumIsLeft compares the tally with counting on fingers, for every mix of answers.
func TestPendingEndsWhereNoQuorumIsLeft(t *testing.T) {
	for members := 1; members <= 7; members++ {
		for yes := 0; yes <= members; yes++ {
			for no := 0; yes+no <= members; no++ {
				for away := 0; yes+no+away <= members; away++ {
					if yes+no+away > 0 {
						checkMix(t, members, yes, no, away)
					}
				}
			}
		}
	}
}

func checkMix(t *testing.T, members, yes, no, away int) {
	t.Helper()
	words := strings.Repeat("yes ", yes) + strings.Repeat("no5 ", no) + strings.Repeat("away ", away)
	var votes []string
	for i, word := range strings.Fields(words) {
		votes = append(votes, fmt.Sprintf("%d:%s", i+1, word))
	}
	want := "pending"
	silent := members - yes - no - away
	switch {
	case 2*yes > members:
		want = "won"
	case 2*(yes+silent) > members:
	case no > 0:
		want = "lost to 5"
	default:
		want = "unheard"
	}
	if _, got := hear(write, members, strings.Join(votes, " ")); showOutcome(got) != want {
		t.Errorf("of %d: %s: got %s, want %s", members, votes, showOutcome(got), want)
	}
}
