package codec_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

func promised(r *messages.Range, end uint64, actions ...*messages.Action) proto.Message {
	return &messages.PromiseResponse{Header: sender(), Outcome: &messages.PromiseResponse_Promised{
		Promised: &messages.Promised{Range: r, End: end, Actions: actions}}}
}

func learned(actions ...*messages.Action) proto.Message {
	return &messages.WriteResponse{Header: sender(), Outcome: &messages.WriteResponse_Learned{
		Learned: &messages.Learned{Actions: actions}}}
}

func nop(at uint64) *messages.Action {
	return &messages.Action{Position: at, Promised: byOne, Performed: byOne, Learned: true,
		Value: &messages.Value{Kind: messages.Kind_KIND_NOP}}
}

// but is a record with something changed.
func but(change func(a *messages.Action)) *messages.Action {
	a := nop(1)
	change(a)
	return a
}

func nops(n int) []*messages.Action {
	var all []*messages.Action
	for i := range n {
		all = append(all, nop(uint64(i+1)))
	}
	return all
}

const last = uint64(log.MaxPosition)

func TestPromiseThatBreaksRuleIsMalformed(t *testing.T) {
	for _, c := range []faulty{
		{"an implicit promise", promised(nil, 0), false},
		{"of a long log", promised(nil, last), false},
		{"of a log that is too long", promised(nil, last+1), true},
		{"records without a range", promised(nil, 1, nop(1)), true},
		{"records in the range", promised(span(1, 3), 3, nop(1), nop(3)), false},
		{"records below the range", promised(span(2, 3), 3, nop(1)), true},
		{"records above the range", promised(span(1, 1), 3, nop(2)), true},
		{"records out of order", promised(span(1, 3), 3, nop(3), nop(1)), true},
		{"one record twice", promised(span(1, 3), 3, nop(1), nop(1)), true},
		{"an absent record", promised(span(1, 3), 3, nil), true},
		{"a range upside down", promised(span(3, 2), 3), true},
		{"an empty range", promised(span(0, 0), 3), true},
		{"the longest run", promised(span(1, log.MaxRun), log.MaxRun, nops(log.MaxRun)...), false},
		{"a range that nobody may ask for", promised(span(1, log.MaxRun+1), log.MaxRun+1), true},
		{"a range without end", promised(span(1, last), last), true},
		{"more records than a run has", promised(span(1, log.MaxRun), log.MaxRun, nops(log.MaxRun+1)...), true},

		{"a record that is not learned", promised(span(1, 1), 1, but(func(a *messages.Action) { a.Learned = false })), false},
		{"a record without a position", promised(span(1, 1), 1, but(func(a *messages.Action) { a.Position = 0 })), true},
		{"a record above the last position", promised(span(1, 1), 1, but(func(a *messages.Action) { a.Position = last + 1 })), true},
		{"a record that was not accepted", promised(span(1, 1), 1, but(func(a *messages.Action) { a.Performed = 0 })), true},
		{"a record without a value", promised(span(1, 1), 1, but(func(a *messages.Action) { a.Value = nil })), true},
		{"a record accepted above its promise", promised(span(1, 1), 1, but(func(a *messages.Action) { a.Performed++ })), true},
		{"a record promised above", promised(span(1, 1), 1, but(func(a *messages.Action) { a.Promised++ })), false},
	} {
		t.Run(c.claim, c.check)
	}
}

func TestLearnedRecordsAreLearned(t *testing.T) {
	doubtful := func() *messages.Action { return but(func(a *messages.Action) { a.Learned = false }) }
	for _, c := range []faulty{
		{"answering a write", learned(nop(1), nop(7)), false},
		{"answering a write, at the last position", learned(nop(last)), false},
		{"answering a write, out of order", learned(nop(7), nop(1)), true},
		{"answering a write, not learned", learned(doubtful()), true},
		{"a page", &messages.Page{Range: span(1, 2), Actions: nops(2)}, false},
		{"an empty page", &messages.Page{}, false},
		{"a page with a gap", &messages.Page{Range: span(1, 3), Actions: []*messages.Action{nop(1), nop(3)}}, true},
		{"a page that ends early", &messages.Page{Range: span(1, 3), Actions: nops(2)}, true},
		{"a page without a range", &messages.Page{Actions: nops(1)}, true},
		{"a page without end", &messages.Page{Range: span(1, last)}, true},
	} {
		t.Run(c.claim, c.check)
	}
}

func TestAnswerThatBreaksRuleIsMalformed(t *testing.T) {
	h := sender()
	accepted := func(r *messages.Range) proto.Message {
		return &messages.WriteResponse{Header: h, Outcome: &messages.WriteResponse_Accepted{Accepted: &messages.Accepted{Range: r}}}
	}
	rejected := func(p uint64) proto.Message {
		return &messages.WriteResponse{Header: h, Outcome: &messages.WriteResponse_Rejected{Rejected: &messages.Rejected{Proposal: p}}}
	}
	truncated := func(begin uint64) proto.Message {
		return &messages.PromiseResponse{Header: h, Outcome: &messages.PromiseResponse_Truncated{
			Truncated: &messages.Truncated{Begin: begin}}}
	}
	away := func(s messages.Status) proto.Message {
		return &messages.PromiseResponse{Header: h, Outcome: &messages.PromiseResponse_NotVoting{
			NotVoting: &messages.NotVoting{Status: s}}}
	}
	refused := func(r messages.Reason, known *messages.Incarnation) proto.Message {
		return &messages.WriteResponse{Header: h, Outcome: &messages.WriteResponse_Refused{
			Refused: &messages.Refused{Reason: r, Known: known}}}
	}
	for _, c := range []faulty{
		{"no outcome of a promise", &messages.PromiseResponse{Header: h}, true},
		{"no outcome of a write", &messages.WriteResponse{Header: h}, true},
		{"no outcome of a fetch", &messages.FetchResponse{Header: h}, true},
		{"no outcome of a recovery", &messages.RecoverResponse{Header: h}, true},
		{"no outcome of a greeting", &messages.Welcome{Header: h}, true},
		{"accepted", accepted(span(1, log.MaxRun)), false},
		{"accepted nothing", accepted(nil), true},
		{"accepted more than a run", accepted(span(1, log.MaxRun+1)), true},
		{"rejected", rejected(byOne), false},
		{"rejected by nothing", rejected(0), true},
		{"rejected by nobody", rejected(1 << 16), true},
		{"truncated", truncated(last), false},
		{"truncated to nowhere", truncated(0), true},
		{"truncated beyond everything", truncated(last + 1), true},
		{"not voting", away(messages.Status_STATUS_EMPTY), false},
		{"not voting, and nothing else", away(0), true},
		{"not voting, and something of the future", away(5), true},
		{"not voting, and something negative", away(-1), true},
		{"refused", refused(messages.Reason_REASON_MALFORMED, nil), false},
		{"refused for the last of the reasons", refused(messages.Reason_REASON_OUT_OF_BOUNDS, nil), false},
		{"refused for no reason", refused(0, nil), true},
		{"refused for a reason of the future", refused(10, nil), true},
		{"refused for a reason that is one if cut short", refused(256+1, nil), true},
		{"refused for a negative reason", refused(-1, nil), true},
		{"refused by no generation", refused(messages.Reason_REASON_DEAD_INCARNATION, &messages.Incarnation{}), true},
	} {
		t.Run(c.claim, c.check)
	}
}

func TestAbsentOutcomeDoesNotPanic(t *testing.T) {
	h := sender()
	for _, c := range []faulty{
		{"promised", &messages.PromiseResponse{Header: h, Outcome: &messages.PromiseResponse_Promised{}}, false},
		{"rejected promise", &messages.PromiseResponse{Header: h, Outcome: &messages.PromiseResponse_Rejected{}}, true},
		{"truncated promise", &messages.PromiseResponse{Header: h, Outcome: &messages.PromiseResponse_Truncated{}}, true},
		{"not voting promise", &messages.PromiseResponse{Header: h, Outcome: &messages.PromiseResponse_NotVoting{}}, true},
		{"refused promise", &messages.PromiseResponse{Header: h, Outcome: &messages.PromiseResponse_Refused{}}, true},
		{"accepted", &messages.WriteResponse{Header: h, Outcome: &messages.WriteResponse_Accepted{}}, true},
		{"rejected write", &messages.WriteResponse{Header: h, Outcome: &messages.WriteResponse_Rejected{}}, true},
		{"learned", &messages.WriteResponse{Header: h, Outcome: &messages.WriteResponse_Learned{}}, true},
		{"truncated write", &messages.WriteResponse{Header: h, Outcome: &messages.WriteResponse_Truncated{}}, true},
		{"not voting write", &messages.WriteResponse{Header: h, Outcome: &messages.WriteResponse_NotVoting{}}, true},
		{"refused write", &messages.WriteResponse{Header: h, Outcome: &messages.WriteResponse_Refused{}}, true},
		{"fetched", &messages.FetchResponse{Header: h, Outcome: &messages.FetchResponse_Fetched{}}, true},
		{"truncated fetch", &messages.FetchResponse{Header: h, Outcome: &messages.FetchResponse_Truncated{}}, true},
		{"unable fetch", &messages.FetchResponse{Header: h, Outcome: &messages.FetchResponse_NotVoting{}}, true},
		{"refused fetch", &messages.FetchResponse{Header: h, Outcome: &messages.FetchResponse_Refused{}}, true},
		{"standing", &messages.RecoverResponse{Header: h, Outcome: &messages.RecoverResponse_Standing{}}, true},
		{"refused recovery", &messages.RecoverResponse{Header: h, Outcome: &messages.RecoverResponse_Refused{}}, true},
		{"presence", &messages.Welcome{Header: h, Outcome: &messages.Welcome_Presence{}}, true},
		{"refused greeting", &messages.Welcome{Header: h, Outcome: &messages.Welcome_Refused{}}, true},
		{"absent member", &messages.Presence{Status: messages.Status_STATUS_EMPTY, Members: []*messages.Member{nil}}, true},
	} {
		t.Run(c.claim, c.check)
	}
}

func TestStandingAndPresenceAreWithinBounds(t *testing.T) {
	standing := func(s messages.Status, positions [3]uint64, promised, highest uint64) proto.Message {
		return &messages.RecoverResponse{Header: sender(), Outcome: &messages.RecoverResponse_Standing{Standing: &messages.Standing{
			Status: s, Begin: positions[0], Learned: positions[1], End: positions[2], Promised: promised, Highest: highest}}}
	}
	founded := func(disks int) proto.Message {
		return &messages.RecoverResponse{Header: sender(), Outcome: &messages.RecoverResponse_Standing{Standing: &messages.Standing{
			Status: messages.Status_STATUS_VOTING, Begin: 1, Founders: make([]uint64, disks)}}}
	}
	type log = [3]uint64 // begin, learned, end
	presence := func(learned uint64, members int) proto.Message {
		return &messages.Presence{Status: messages.Status_STATUS_VOTING, Learned: learned,
			Members: repeat(members, &messages.Member{Replica: 1, Address: "a"})}
	}
	const voting, empty = messages.Status_STATUS_VOTING, messages.Status_STATUS_EMPTY
	for _, c := range []faulty{
		{"an empty log", standing(voting, log{1, 0, 0}, 0, 0), false},
		{"an empty log that was truncated", standing(voting, log{9, 8, 8}, 0, 0), false},
		{"a log", standing(voting, log{2, 3, 4}, byOne, byOne), false},
		{"the longest log", standing(voting, log{1, last, last}, 0, 0), false},
		{"no begin", standing(voting, log{0, 0, 0}, 0, 0), true},
		{"a begin above every position", standing(voting, log{1<<64 - 1, 1<<64 - 2, 1<<64 - 2}, 0, 0), true},
		{"learned below the begin", standing(voting, log{9, 7, 8}, 0, 0), true},
		{"learned above the end", standing(voting, log{1, 5, 4}, 0, 0), true},
		{"an end below the begin", standing(voting, log{9, 8, 7}, 0, 0), true},
		{"an end above the last position", standing(voting, log{1, 0, last + 1}, 0, 0), true},
		{"promised above the highest", standing(voting, log{1, 0, 0}, byOne, byOne-1), true},
		{"as many founders as members", founded(codec.MaxMembers), false},
		{"more founders than members", founded(codec.MaxMembers + 1), true},
		{"a greeting with as many founders as members", &messages.Hello{Header: sender(), Founders: make([]uint64, codec.MaxMembers)}, false},
		{"a greeting with more founders than members", &messages.Hello{Header: sender(), Founders: make([]uint64, codec.MaxMembers+1)}, true},
		{"no status", standing(0, log{1, 0, 0}, 0, 0), true},
		{"who does not vote says nothing else", standing(empty, log{0, 0, 0}, 0, 0), false},
		{"nor is it believed", standing(empty, log{9, 3, 1}, 9, 1), false},
		{"learned everything", presence(last, 1), false},
		{"learned more than everything", presence(last+1, 1), true},
		{"as many members as there may be", presence(1, codec.MaxMembers), false},
		{"more members", presence(1, codec.MaxMembers+1), true},
		{"processes in order", heard(1, 2, 65535), false},
		{"processes out of order", heard(2, 1), true},
		{"two processes of a replica", heard(1, 1), true},
		{"a process of nobody", heard(0), true},
		{"more processes than members", heard(upTo(codec.MaxMembers + 1)...), true},
		{"an absent process", &messages.Presence{Status: voting, Heard: []*messages.Heard{nil}}, true},
		{"a process that never started", changed(heard(1), func(h *messages.Heard) { h.Boot = 0 }), true},
		{"a process without a disk", changed(heard(1), func(h *messages.Heard) { h.Incarnation = nil }), true},
		{"a process whose disk got younger", changed(heard(1), func(h *messages.Heard) { h.BootAge = 3 }), true},
	} {
		t.Run(c.claim, c.check)
	}
}

// heard is a presence that tells of processes.
func heard(ids ...uint32) *messages.Presence {
	p := &messages.Presence{Status: messages.Status_STATUS_VOTING}
	for _, id := range ids {
		p.Heard = append(p.Heard, &messages.Heard{Replica: id, Incarnation: &messages.Incarnation{Generation: 1}, Boot: 1, BootAge: 2, Age: 2})
	}
	return p
}

func changed(p *messages.Presence, change func(*messages.Heard)) *messages.Presence {
	change(p.Heard[0])
	return p
}

func upTo(n int) []uint32 {
	ids := make([]uint32, n)
	for i := range ids {
		ids[i] = uint32(i + 1)
	}
	return ids
}
