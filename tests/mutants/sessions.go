package mutants

// ofSessions are the mutants of appends that are sent again.
func ofSessions() []Mutant {
	return []Mutant{
		{"M13", "an append that is sent again gets a second position", []Edit{{"actors/coordinator/once.go",
			"if r.values[0].Sequence == 0 {", "if true || r.values[0].Sequence == 0 {",
		}}, []Judge{simulation(), sessions()}},
		{"M20", "the table of sessions is not built again on election", []Edit{{"log/sessions/fold.go",
			"\tif f.known {\n\t\treturn f.table.Clone()\n", "\tif f.known {\n\t\treturn New(f.limit)\n",
		}}, []Judge{simulation(), sessions()}},
		{"forgotten", "a session that is forgotten is taken for a new one", []Edit{{"log/sessions/find.go",
			"case s == nil && since < t.horizon:", "case false && s == nil && since < t.horizon:",
		}}, []Judge{simulation(), suite("rules", "log/sessions", ".")}},
		{"cut-table", "a TRUNCATE does not carry the table before it", []Edit{{"actors/coordinator/once.go",
			"v.Data = c.table.Encode()", "v.Data = nil",
		}}, []Judge{simulation(), sessions()}},
		{"same-batch", "an append is acknowledged before the batch that has it is sent", []Edit{{"actors/coordinator/once.go",
			"if last >= c.next {", "if false && last >= c.next {",
		}}, []Judge{simulation()}},
		{"idle-fenced", "whoever is not elected says that an append of a fenced writer is not in the log", []Edit{{"actors/coordinator/election.go",
			"s.floor > m.Fence && !m.Resolve {", "s.floor > m.Fence {",
		}}, []Judge{simulation()}},
		{"jumped-table", "the table of before a jump is kept after it", []Edit{{"actors/replica/learn.go",
			"\tr.sessions.Truncate(begin)\n", "",
		}}, []Judge{simulation(), sessions()}},
	}
}

// sessions is the judge that tells stories of sessions.
func sessions() Judge {
	return suite("protocol", "tests/protocol", "Session|SentAgain|FencedWriterLearns|NumbersThatAreMissing")
}
