package mutants

// ofRules are the mutants of what is decided: log and its sub-packages.
func ofRules() []Mutant {
	return []Mutant{
		{"M1", "accepting does not raise the promise of the position", []Edit{{"log/paxos/acceptor.go",
			"log.Action{Position: known.Position, Promised: w.by, Performed: w.by, Value: v}",
			"log.Action{Position: known.Position, Promised: known.Promised, Performed: w.by, Value: v}",
		}}, []Judge{simulation(), exhaustive()}},
		{"M3", "answers of dead incarnations count: no crash vector", []Edit{{"log/paxos/tally.go",
			"return slices.ContainsFunc(t.votes, func(o Vote) bool { return o.Known.Buries(v.From, v.Incarnation) })",
			"return false",
		}}, []Judge{simulation(), exhaustive()}},
		{"M5", "proposals of two replicas are the same number", []Edit{{"log/proposal.go",
			"return NewProposal(p.Round()+1, by)",
			"return NewProposal(p.Round()+1, 1)",
		}}, []Judge{simulation()}},
		{"M8", "a late write overwrites what is learned", []Edit{{"log/paxos/acceptor.go",
			"w.chosen = append(w.chosen, known)",
			"w.store = append(w.store, log.Action{Position: known.Position, Promised: promised, Performed: w.by, Value: v})",
		}}, []Judge{simulation(), exhaustive()}},
		{"M10", "the first value that was found is proposed, not that of the highest proposal", []Edit{{"log/paxos/tally.go",
			"return a.Performed > b.Performed",
			"return false",
		}}, []Judge{simulation(), exhaustive()}},
		{"M12", "a TRUNCATE may name a position beyond its own", []Edit{
			{"actors/coordinator/writing.go", "for i, v := range r.values {\n\t\tif v.Kind == log.Truncate && (v.To < c.begin || v.To > at+log.Position(i)) {",
				"for _, v := range r.values {\n\t\tif v.Kind == log.Truncate && v.To < c.begin {"},
			{"log/codec/action.go", "v.Kind == log.Truncate && (v.To == 0 || v.To > at)", "v.Kind == log.Truncate && v.To == 0"},
		}, []Judge{simulation()}},
		{"M16", "a recovery counts replicas that are RECOVERING, and its own", []Edit{{"log/status/next.go",
			"case count(voters, Voting) >= c.Quorum: // B1",
			"case count(voters, Voting)+count(voters, Recovering) >= c.Quorum && count(voters, Voting) > 0: // B1",
		}}, []Judge{simulation(), exhaustive()}},
		{"implicit", "a write looks at the promise of the record alone, not at the implicit one", []Edit{{"log/paxos/acceptor.go",
			"promised := max(w.implicit, known.Promised)",
			"promised := known.Promised",
		}}, []Judge{simulation(), exhaustive()}},
		{"equal", "equal bytes of another writer are acknowledged", []Edit{{"log/paxos/acceptor.go",
			"if known.Performed > w.by {\n\t\t\tw.highest = max(w.highest, known.Performed)\n\t\t}",
			"",
		}}, []Judge{simulation(), exhaustive()}},
		{"void", "what a reign voids is proposed all the same", []Edit{{"log/paxos/tally.go",
			"!w.Reign.Voids(action) && (!found || stronger(action, known))",
			"!found || stronger(action, known)",
		}}, []Judge{simulation(), exhaustive()}},
		{"reign-over", "a reign begins over what a higher proposal was promised", []Edit{{"log/paxos/acceptor.go",
			"known.Position >= r.First && (known.Learned || known.Promised > r.By)",
			"known.Position >= r.First && known.Learned",
		}}, []Judge{simulation(), exhaustive()}},
		{"lost-quorum", "a new log is started although a quorum lost its disks", []Edit{{"log/status/next.go",
			"return lostDisks(known) >= c.Quorum",
			"return lostDisks(known) > c.Members",
		}}, []Judge{simulation(), suite("status", "log/status", ".")}},
		{"dead-answer", "a recovery counts answers of dead incarnations", []Edit{{"log/status/next.go",
			"(a.From != local.Replica || a.Status == local.Status) && !buried(a, answers, heeded)",
			"(a.From != local.Replica || a.Status == local.Status) && (true || buried(a, answers, heeded))",
		}}, []Judge{simulation(), suite("status", "log/status", ".")}},
	}
}

// ofLinks is what may go wrong where a writer has several batches on their way.
func ofLinks() []Mutant {
	return []Mutant{
		{"gap", "an acceptor takes an entry without what its writer wrote before", []Edit{{"log/paxos/link.go",
			"return first <= settled+1 ||",
			"return true || first <= settled+1 ||",
		}, {"actors/replica/early.go",
			"if w.First <= upTo+1 ||",
			"if true || w.First <= upTo+1 ||",
		}}, []Judge{simulation(), exhaustive()}},
		{"learned-link", "an acceptor takes an entry above whatever it has learned there", []Edit{{"actors/replica/early.go",
			"\tupTo := w.Settled\n", "\tupTo := max(w.Settled, r.ledger.Learned())\n",
		}, {"actors/replica/early.go",
			"return first == upTo+1 ||", "return first <= max(upTo, r.ledger.Learned())+1 ||",
		}}, []Judge{simulation(), suite("protocol", "tests/protocol", "WriteThatWaits")}},
		{"unlinked", "an entry is proposed again although a NOP is chosen where its writer wrote before", []Edit{{"log/paxos/link.go",
			"return below == log.NOP &&",
			"return false && below == log.NOP &&",
		}}, []Judge{simulation(), exhaustive()}},
	}
}

// ofMembers is what may go wrong where the members change.
func ofMembers() []Mutant {
	return []Mutant{
		{"M17", "a configuration is used before it is chosen", []Edit{{"actors/replica/vote.go",
			"\tr.written.add(v.Store)\n\treturn v.Answer\n",
			"\tr.written.add(v.Store)\n\tfor _, a := range v.Store {\n\t\tif a.Value.Kind == log.Config {\n\t\t\tr.installChosen(ctx, a.Value.Data)\n\t\t}\n\t}\n\treturn v.Answer\n",
		}}, []Judge{simulation()}},
		{"observers", "the votes of observers count", []Edit{{"actors/ensemble/moved.go",
			" && slices.Contains(e.Voters(), from.Replica)\n", "\n",
		}}, []Judge{simulation()}},
		{"two-voters", "two voters come or go at once", []Edit{{"log/membership/change.go",
			"return next.with(Member{ch.ID, ch.Address, Observer})",
			"next.Members = next.Members[1:]\n\t\treturn next.with(Member{ch.ID, ch.Address, Voter})",
		}}, []Judge{simulation(), suite("membership", "log/membership", "^TestMajorities")}},
		{"unsettled", "a configuration is accepted where what is below it is not learned", []Edit{{"log/paxos/config.go",
			"learned+1 < first", "false && learned+1 < first",
		}}, []Judge{suite("protocol", "tests/protocol", "^TestAChangeOfTheMembers")}},
	}
}

// ofLives is what may go wrong where a replica is not sure of its disk, or others are not.
func ofLives() []Mutant {
	return []Mutant{
		{"older-disk", "a disk that was rolled back is taken for one that starts again", []Edit{{"log/identity/process.go",
			"return p.Boot > o.Boot && p.BootAge-min(p.BootAge, o.Age) >= p.Boot-o.Boot",
			"return p.Boot > o.Boot",
		}}, []Judge{suite("identity", "log/identity", "."), suite("protocol", "tests/protocol", "^TestARolledBack")}},
		{"votes-at-once", "a replica that is back votes before its peers had their say", []Edit{{"actors/replica/replica.go",
			"r.unsure.is = r.voting() &&",
			"r.unsure.is = false &&",
		}}, []Judge{suite("protocol", "tests/protocol", "^TestAReplicaThatIsBack")}},
		{"in-doubt", "a life in doubt takes another generation, and goes on to vote", []Edit{{"actors/replica/recover.go",
			"\t\tmeta.Status = status.Recovering\n", "",
		}}, []Judge{suite("protocol", "tests/protocol", "^TestAReplicaThatAMember")}},
		{"other-log-told", "a replica takes over the members of another log than its own", []Edit{{"actors/replica/install.go",
			"if r.meta.Founders.Differ(m.Founders) {",
			"if false && r.meta.Founders.Differ(m.Founders) {",
		}}, []Judge{suite("protocol", "tests/protocol", "^TestALogThatWasBegunByMistake")}},
		{"other-log-recovered", "a replica with another log recovers, and keeps what it has", []Edit{{"actors/replica/recover.go",
			"len(meta.Founders) > 0 && !meta.Founders.Share(m.Founders)",
			"false && len(meta.Founders) > 0 && !meta.Founders.Share(m.Founders)",
		}}, []Judge{suite("protocol", "tests/protocol", "^TestADiskOfAnotherLog")}},
		{"founders-taken", "who begins a log behind the others notes founders of its own", []Edit{{"log/status/next.go",
			"\t\tif len(a.Founders) > 0 {\n\t\t\treturn a.Founders\n\t\t}\n", "",
		}}, []Judge{suite("status", "log/status", "^TestFounders")}},
	}
}

// exhaustive is the judge that plays the rules in every order.
func exhaustive() Judge { return suite("exhaustive", "tests/exhaustive", "^TestOurRules") }
