package paxos_test

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// The tables write a record as
//
//	2=a@3^5!
//
// at position 2, value a was accepted under proposal 3, proposal 5 is promised, and the value is learned. A value is the
// text of an entry, "nop", or ">7" for a TRUNCATE to 7. Without "=" nothing was accepted; without "^" no more is promised
// than was accepted. A proposal is its round where it is replica 1's, and "3.2" where it is replica 2's.

// ballot reads a proposal; 0 where the text is empty.
func ballot(s string) log.Proposal {
	round, by, other := strings.Cut(s, ".")
	if s == "" || s == "0" {
		return 0
	}
	if !other {
		by = "1"
	}
	return log.NewProposal(number(round), log.ReplicaID(number(by)))
}

func number(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// value reads a value.
func value(s string) log.Value {
	to, truncates := strings.CutPrefix(s, ">")
	switch {
	case truncates:
		return log.Value{Kind: log.Truncate, To: log.Position(number(to))}
	case s == "nop":
		return log.Value{Kind: log.NOP}
	}
	return log.Value{Kind: log.Append, Data: []byte(s)}
}

// values reads values, with spaces between them.
func values(s string) []log.Value {
	var all []log.Value
	for _, v := range strings.Fields(s) {
		all = append(all, value(v))
	}
	return all
}

// record reads a record.
func record(s string) log.Action {
	var a log.Action
	s, a.Learned = strings.CutSuffix(s, "!")
	s, promised, _ := strings.Cut(s, "^")
	s, performed, _ := strings.Cut(s, "@")
	at, v, accepted := strings.Cut(s, "=")
	a.Position, a.Performed = log.Position(number(at)), ballot(performed)
	a.Promised = max(a.Performed, ballot(promised))
	if accepted {
		a.Value = value(v)
	}
	return a
}

// records reads records, with spaces between them.
func records(s string) []log.Action {
	var all []log.Action
	for _, r := range strings.Fields(s) {
		all = append(all, record(r))
	}
	return all
}

func showBallot(p log.Proposal) string {
	if p.Replica() <= 1 {
		return fmt.Sprint(p.Round())
	}
	return p.String()
}

func showValue(v log.Value) string {
	switch v.Kind {
	case log.Append:
		return string(v.Data)
	case log.Truncate:
		return fmt.Sprintf(">%d", v.To)
	case log.NOP:
		return "nop"
	case log.None, log.Config:
	}
	return ""
}

func showRecord(a log.Action) string {
	s := fmt.Sprint(a.Position)
	if a.Value.Kind != log.None {
		s += "=" + showValue(a.Value) + "@" + showBallot(a.Performed)
	}
	if a.Promised != a.Performed {
		s += "^" + showBallot(a.Promised)
	}
	if a.Learned {
		s += "!"
	}
	return s
}

func showRecords(actions []log.Action) string {
	all := make([]string, len(actions))
	for i, a := range actions {
		all[i] = showRecord(a)
	}
	return strings.Join(all, " ")
}

// showAnswer writes an answer as the tables do.
func showAnswer(answer paxos.Answer) string {
	switch a := answer.(type) {
	case paxos.Promised:
		return strings.TrimSpace(fmt.Sprintf("promised %s end %d: %s", a.Range, a.End, showRecords(a.Actions)))
	case paxos.Accepted:
		return "accepted " + a.Range.String()
	case paxos.Rejected:
		if a.Overwritten {
			return "rejected by " + showBallot(a.By) + ", unsure"
		}
		return "rejected by " + showBallot(a.By)
	case paxos.Learned:
		return "learned " + showRecords(a.Actions)
	case paxos.Truncated:
		return fmt.Sprintf("truncated %d", a.Begin)
	case paxos.Willing:
		return "willing"
	case paxos.NotVoting:
		return "not voting: " + a.Status.String()
	case paxos.Refused:
		return "refused: " + a.Reason.String()
	}
	return "nothing"
}

// showVerdict writes an answer, and what is stored before it leaves: "; " and records, "; all " and an implicit promise.
func showVerdict(v paxos.Verdict) string {
	s := showAnswer(v.Answer)
	if len(v.Store) > 0 {
		s += "; " + showRecords(v.Store)
	}
	if v.Promised > 0 {
		s += "; all " + showBallot(v.Promised)
	}
	return s
}

// acceptor is one with an implicit promise, whose log begins at 1 and ends with the last of its records.
func acceptor(implicit string, held string) paxos.Acceptor {
	a := paxos.Acceptor{Promised: ballot(implicit), Highest: ballot(implicit), Begin: 1}
	for _, r := range records(held) {
		a.End, a.Highest = r.Position, max(a.Highest, r.Promised)
	}
	return a
}
