package mutants

// ofReads are the mutants of who reads.
func ofReads() []Mutant {
	return []Mutant{
		{"unconfirmed", "a linearizable read believes the first replica that answers", []Edit{{"log/paxos/frontier.go",
			"return end, n >= f.quorum", "return end, n >= 1",
		}}, []Judge{simulation(), suite("paxos", "log/paxos", "^TestFrontier")}},
		{"zombie-read", "a linearizable read counts answers of dead incarnations", []Edit{{"log/paxos/frontier.go",
			"return !slices.ContainsFunc(f.answers, func(o Standpoint) bool { return o.Known.Buries(s.From, s.Incarnation) })",
			"return s.From > 0",
		}}, []Judge{suite("paxos", "log/paxos", "^TestFrontier")}},
		{"older-read", "a member shows a reader less than that has seen", []Edit{{"actors/gateway/wait.go",
			"\tat := r.seen\n", "\tat := log.Position(0)\n",
		}}, []Judge{simulation()}},
	}
}
