package paxos_test

import (
	"fmt"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// writeCase is a write of values from position 1 on, and what must come of it.
type writeCase struct{ claim, implicit, held, by, values, want string }

func (c writeCase) check(t *testing.T) {
	run := values(c.values)
	held := within(records(c.held), log.Span(1, len(run)))
	if got := showVerdict(paxos.Write(acceptor(c.implicit, c.held), held, ballot(c.by), 1, run)); got != c.want {
		t.Errorf("got  %s\nwant %s", got, c.want)
	}
}

func TestWriteIsAcceptedWhereNoHigherProposalStandsInTheWay(t *testing.T) {
	for _, c := range []writeCase{
		{"where nothing is held, accepting promises as well (S1)",
			"0", "", "3", "a b", "accepted [1, 2]; 1=a@3 2=b@3"},
		{"accepting above a lower implicit promise promises the accepted proposal (S1)",
			"2", "", "3", "a", "accepted [1, 1]; 1=a@3"},
		{"accepting above a lower promise of the record raises it (S1)",
			"0", "1^2", "3", "a", "accepted [1, 1]; 1=a@3"},
		{"the promised proposal may write",
			"0", "1^3 2^3", "3", "a b", "accepted [1, 2]; 1=a@3 2=b@3"},
		{"the implicitly promised proposal may write",
			"3", "", "3", "a", "accepted [1, 1]; 1=a@3"},
		{"a lower accepted value is replaced",
			"0", "1=x@2", "3", "a", "accepted [1, 1]; 1=a@3"},
		{"a NOP and a TRUNCATE are values like others",
			"0", "", "3", "nop >1", "accepted [1, 2]; 1=nop@3 2=>1@3"},
	} {
		t.Run(c.claim, c.check)
	}
}

func TestWriteIsRejectedWhereHigherProposalStandsInTheWay(t *testing.T) {
	for _, c := range []writeCase{
		{"a higher implicit promise rejects",
			"4", "", "3", "a", "rejected by 4"},
		{"a higher implicit promise rejects where there is a record too (S18)",
			"4", "1=x@2", "3", "a", "rejected by 4"},
		{"a higher promise of the record rejects",
			"0", "1^4", "3", "a", "rejected by 4"},
		{"a higher promise at one position rejects all",
			"0", "2^4", "3", "a b c", "rejected by 4"},
		{"the highest of the promises in the way is told",
			"4", "1^6 2^5", "3", "a b", "rejected by 6"},
		{"what was written under a higher proposal rejects, and nobody knows what was before",
			"0", "1=x@4", "3", "a", "rejected by 4, unsure"},
		{"also where the value is the same",
			"0", "1=a@4", "3", "a", "rejected by 4, unsure"},
		{"one such position is enough",
			"0", "1^5 2=x@4", "3", "a b", "rejected by 5, unsure"},
		{"a higher promise over a lower value tells that it was never accepted here",
			"0", "1=x@2^4", "3", "a", "rejected by 4"},
	} {
		t.Run(c.claim, c.check)
	}
}

func TestWriteIsAcknowledgedAgain(t *testing.T) {
	for _, c := range []writeCase{
		{"the same write is acknowledged again, and nothing is stored",
			"0", "1=a@3 2=b@3", "3", "a b", "accepted [1, 2]"},
		{"the same write is acknowledged again below a higher promise",
			"0", "1=a@3^5", "3", "a", "accepted [1, 1]"},
		{"the same write is acknowledged again below a higher implicit promise",
			"5", "1=a@3", "3", "a", "accepted [1, 1]"},
		{"what is missing of it is added",
			"0", "1=a@3", "3", "a b", "accepted [1, 2]; 2=b@3"},
		{"what is missing of it is rejected below a higher promise",
			"5", "1=a@3", "3", "a b", "rejected by 5"},
		{"another value under the very same proposal is refused",
			"0", "1=x@3", "3", "a", "refused: malformed"},
		{"another value under the very same proposal stores nothing beside it",
			"0", "2=x@3", "3", "a b", "refused: malformed"},
	} {
		t.Run(c.claim, c.check)
	}
}

func TestChosenValueIsFinal(t *testing.T) {
	for _, c := range []writeCase{
		{"what is chosen already is as good as accepted",
			"0", "1=a@2!", "3", "a", "accepted [1, 1]"},
		{"what is chosen already is as good as accepted, below every promise",
			"9", "1=a@3^8!", "3", "a", "accepted [1, 1]"},
		{"the same bytes of a higher proposal may be another client's entry",
			"0", "1=a@5!", "3", "a", "rejected by 5, unsure"},
		{"the same bytes of a higher proposal store nothing beside them",
			"0", "1=a@5!", "3", "a b", "rejected by 5, unsure"},
		{"beside what is chosen the rest is stored",
			"0", "1=a@2!", "3", "a b", "accepted [1, 2]; 2=b@3"},
		{"where a part is chosen and the rest is rejected, nobody knows what was before",
			"5", "1=a@2!", "3", "a b", "rejected by 5, unsure"},
		{"another chosen value is the answer",
			"0", "1=x@2!", "3", "a", "learned 1=x@2!"},
		{"another chosen value is the answer before any promise",
			"9", "1=x@2! 2^8", "3", "a b", "learned 1=x@2!"},
		{"all other chosen values are told, and only they",
			"0", "1=x@2! 2=b@2! 3=y@2!", "3", "a b c", "learned 1=x@2! 3=y@2!"},
		{"another chosen value stores nothing beside it",
			"0", "2=x@2!", "3", "a b", "learned 2=x@2!"},
		{"another chosen value of the very same proposal is the answer",
			"0", "1=x@3!", "3", "a", "learned 1=x@3!"},
	} {
		t.Run(c.claim, c.check)
	}
}

func TestWriteBelowLogIsTruncated(t *testing.T) {
	a := paxos.Acceptor{Promised: ballot("9"), Begin: 5, End: 8}
	for first, want := range map[log.Position]string{
		4: "truncated 5",
		5: "rejected by 9",
	} {
		if got := showVerdict(paxos.Write(a, nil, ballot("3"), first, values("a b c"))); got != want {
			t.Errorf("from %d: got %s, want %s", first, got, want)
		}
	}
}

func TestWriteMatchesRecordsInMiddleOfLog(t *testing.T) {
	held := records("11=x@2 13=y@9")
	a := acceptor("0", "11=x@2 13=y@9")
	if got, want := showVerdict(paxos.Write(a, held, ballot("3"), 10, values("a b c"))), "accepted [10, 12]; 10=a@3 11=b@3 12=c@3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := showVerdict(paxos.Write(a, held, ballot("3"), 10, values("a b c d"))), "rejected by 9, unsure"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNoticeMarksWhatWasWrittenUnderItsProposal(t *testing.T) {
	for _, c := range []struct{ claim, held, by, want string }{
		{"nothing is held", "", "3", "[]"},
		{"a run of it is one range", "1=a@3 2=b@3 3=c@3", "3", "[[1, 3]]"},
		{"a higher promise does not matter", "1=a@3^9", "3", "[[1, 1]]"},
		{"values of another proposal are left out", "1=a@3 2=b@2 3=c@4 4=d@3", "3", "[[1, 1] [4, 4]]"},
		{"gaps split it", "1=a@3 3=c@3", "3", "[[1, 1] [3, 3]]"},
		{"a promise is no value", "1^3", "3", "[]"},
		{"what is learned need not be marked", "1=a@3! 2=b@3", "3", "[[2, 2]]"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			if got := fmt.Sprint(paxos.Chosen(records(c.held), ballot(c.by))); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
