package history_test

import (
	"slices"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
)

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// fault spoils the good story, and what the rule that finds it says.
type fault struct {
	name  string
	rule  history.Rule
	what  string
	spoil func(*story)
}

// logFaults are those of what the members hold.
func logFaults() []fault {
	return []fault{
		{"an acknowledged entry is lost", history.Acknowledged, "is lost", func(s *story) { s.put(7, log.Value{Kind: log.NOP}) }},
		{"it is lost where members show entries only", history.Acknowledged, "is lost", func(s *story) {
			s.put(7, log.Value{Kind: log.NOP})
			s.appendsOnly()
		}},
		{"it is lost on one member", history.Whole, "leaves out position 7", func(s *story) {
			s.appendsOnly()
			s.logs[2].View.Records = slices.Delete(s.logs[2].View.Records, 3, 4)
		}},
		{"it is there twice", history.Once, "is at 7 and at 10", func(s *story) { s.extend(entry("d")) }},
		{"an entry of unknown outcome is there twice", history.Once, "is at 5 and at 10", func(s *story) { s.extend(entry("c")) }},
		{"a truncated entry is there again", history.Once, "is at 1 and at 10", func(s *story) { s.extend(entry("a")) }},
		{"an entry comes from nowhere", history.Origin, "which nobody appended", func(s *story) { s.extend(entry("z")) }},
		{"a truncation comes from nowhere", history.Origin, "not so many were called", func(s *story) {
			s.extend(log.Value{Kind: log.Truncate, To: 2})
		}},
		{"a rejected entry is in the log", history.Denied, "was told: fenced", func(s *story) { s.extend(entry("x")) }},
		{"members hold different entries", history.Agreement, "the log of member 2 shows \"y\" at 7", func(s *story) {
			s.logs[1].View.Records[5].Value = entry("y")
		}},
		{"a member holds what was known to be something else", history.Agreement, "what is known", func(s *story) {
			s.Known = append(s.Known, history.Record{At: 7, Value: entry("y")})
		}},
		{"a member has a hole", history.Whole, "has not learned 1", func(s *story) { s.logs[1].Holes = 1 }},
		{"a member ends too early", history.Whole, "has everything up to 8", func(s *story) {
			view := &s.logs[1].View
			view.Last, view.Records = 8, view.Records[:7]
		}},
		{"positions go back", history.Whole, "position 2 behind 3", func(s *story) {
			s.appendsOnly()
			records := s.logs[0].View.Records
			records[0], records[1] = records[1], records[0]
		}},
		{"a position is left out", history.Whole, "nothing in between", func(s *story) {
			s.logs[1].View.Records = slices.Delete(s.logs[1].View.Records, 2, 3)
		}},
		{"the end is left out", history.Whole, "shows nothing behind 8", func(s *story) {
			s.logs[1].View.Records = s.logs[1].View.Records[:7]
		}},
		{"the beginning is left out", history.Whole, "shows positions from 3 on", func(s *story) {
			s.logs[1].View.First, s.logs[1].View.Records = 3, s.logs[1].View.Records[1:]
		}},
		{"a member truncated too much", history.Truncations, "was truncated to 2 at most", func(s *story) {
			s.logs[1].View.First, s.logs[1].View.Begin, s.logs[1].View.Records = 3, 3, s.logs[1].View.Records[1:]
		}},
		{"a member did not truncate", history.Truncations, "and was truncated to 2", func(s *story) { s.logs[1].View.Begin = 1 }},
		{"a truncation keeps only what is behind it", history.Truncations, "TRUNCATE to 7 at 6", func(s *story) {
			s.named["t"].To = 7
			s.put(6, log.Value{Kind: log.Truncate, To: 7})
		}},
	}
}

// clientFaults are those of what clients were told of their writes.
func clientFaults() []fault {
	return []fault{
		{"an entry is not where its client was told", history.Acknowledged, "its entry 0 is at 9", func(s *story) {
			s.named["f"].Told = log.Range{First: 10, Last: 10}
		}},
		{"an append is told too many positions", history.Acknowledged, "was told [9, 10]", func(s *story) { s.named["f"].Told.Last = 10 }},
		{"a truncation is not where its client was told", history.Acknowledged, "where the log of member 1 shows", func(s *story) {
			s.named["t"].Told = log.Range{First: 5, Last: 5}
		}},
		{"an acknowledged truncation is another one", history.Acknowledged, "shows TRUNCATE to 1", func(s *story) {
			s.put(6, log.Value{Kind: log.Truncate, To: 1})
		}},
		{"an acknowledged truncation is nowhere", history.Acknowledged, "and is lost", func(s *story) {
			s.named["t"].Told = log.Range{First: 10, Last: 10}
			for i := range s.logs {
				s.logs[i].View.Last = 10
			}
		}},
		{"entries come apart", history.Together, "its entry 1 is at 10, and its entry 0 would be at 2", func(s *story) {
			s.put(3, log.Value{Kind: log.NOP})
			s.extend(entry("b1"))
		}},
		{"entries change places", history.Together, "its entry 1 is at 2", func(s *story) {
			s.put(2, entry("b1"))
			s.put(3, entry("b0"))
		}},
		{"an append is before one that was over when it began", history.Order, "had been told 9 before", func(s *story) {
			s.named["d"].Call, s.named["d"].Return = ms(310), ms(320)
		}},
		{"an append of unknown outcome is before it began", history.Order, "is at 4, and", func(s *story) { s.put(4, entry("y")) }},
		{"an append is before what an election saw", history.Order, "elect", func(s *story) {
			s.named["second"].Told.Last, s.named["second"].Return = 7, ms(200)
		}},
		{"one entry is appended by two", history.Origin, "cannot be told", func(s *story) { s.named["y"].Entries[0] = "x" }},
		{"appends of a session change places", history.Sessions, "was called after", func(s *story) {
			s.named["d"].Told, s.named["f"].Told = s.named["f"].Told, s.named["d"].Told
			s.put(7, entry("f"))
			s.put(9, entry("d"))
		}},
	}
}

// readerFaults are those of what was read.
func readerFaults() []fault {
	return []fault{
		{"a read leaves an entry out", history.Reads, "nothing in between", func(s *story) {
			s.named["read"].View.Records = s.named["read"].View.Records[1:]
		}},
		{"a read of entries only leaves one out", history.Reads, "leaves out position 2", func(s *story) {
			view := &s.named["read"].View
			view.All, view.Records = false, view.Records[:1]
		}},
		{"a read shows another entry", history.Reads, "shows \"y\" at 2", func(s *story) {
			s.named["read"].View.Records[1].Value = entry("y")
		}},
		{"a read shows a position outside of its range", history.Reads, "position 2 behind 1, in [1, 1]", func(s *story) {
			s.named["read"].View.Last = 1
		}},
		{"a read shows what is truncated", history.Reads, "and the log begins at 3", func(s *story) { s.named["again"].View.Begin = 3 }},
		{"a read shows what is truncated in what its member has", history.Reads, "and the log begins at 2", func(s *story) {
			s.named["read"].View.Learned = 6
		}},
		{"a read shows what its member does not have", history.Reads, "has everything up to 1", func(s *story) {
			s.named["read"].View.Learned = 1
		}},
		{"a read shows what is begun later", history.Order, "read", func(s *story) { s.named["b"].Call, s.named["b"].Return = ms(95), ms(97) }},
		{"a read tells a begin that nobody had asked for", history.Truncations, "more than 1", func(s *story) {
			s.named["read"].View.Begin, s.named["read"].View.First = 2, 2
		}},
		{"a read tells an old begin", history.Truncations, "it begins at 2", func(s *story) { s.named["again"].View.Begin = 1 }},
		{"a reader can read less than before", history.Monotone, "[client 3 at member 3: read [1, 2]", func(s *story) {
			s.named["read"].View.Learned = 8
		}},
		{"a linearizable read misses an entry", history.Current, "read", func(s *story) { s.named["again"].View.Learned = 6 }},
		{"a catch-up misses an entry", history.Current, "catch up", func(s *story) { s.named["catchup"].Told.Last = 6 }},
	}
}

// writerFaults are those of elections and fences.
func writerFaults() []fault {
	first, second := log.NewProposal(1, 1), log.NewProposal(2, 2)
	return []fault{
		{"an election misses an entry", history.Elections, "was told 5", func(s *story) { s.named["second"].Told.Last = 5 }},
		{"two elections win one proposal", history.Elections, "won one proposal", func(s *story) { s.named["second"].Fence = first }},
		{"a later election wins a lower proposal", history.Elections, "was begun after", func(s *story) {
			s.named["first"].Fence, s.named["second"].Fence = second, first
		}},
		{"an election that overlaps with an earlier one sees a shorter log", history.Elections, "and [client 2 at member 2: elect fence 2.2", func(s *story) {
			s.named["first"].Told.Last, s.named["second"].Call = 7, ms(1)
		}},
		{"a fenced writer goes on", history.Fences, "had fenced it", func(s *story) { s.named["f"].Fence = first }},
		{"a writer writes before its election", history.Fences, "the log ended at 6 before its writer", func(s *story) {
			s.named["b"].Fence = second
		}},
		{"a fence is good again after it was refused", history.Fences, "had been refused before", func(s *story) {
			s.named["f"].Fence = first
		}},
	}
}
