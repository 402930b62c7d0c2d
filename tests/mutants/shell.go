package mutants

// ofShells are the mutants of who does it: the actors, and the disk.
func ofShells() []Mutant {
	return []Mutant{
		{"M2", "a recovery does not adopt what its quorum has promised", []Edit{{"actors/recovery/recover.go",
			"Promised: d.Promised, ", "",
		}}, []Judge{simulation(), scenario()}},
		{"M4", "a writer that was rejected stays elected, and takes over the number that it saw", []Edit{{"actors/coordinator/writing.go",
			"\tnext := c.resign(ctx, s.why, seen)\n",
			"\tif c.by = max(c.by, seen); len(s.clients) == 0 {\n\t\treturn c.goOn(ctx)\n\t}\n\tnext := c.resign(ctx, s.why, seen)\n",
		}}, []Judge{simulation()}},
		{"M9", "a hole is filled with a NOP without asking a quorum", []Edit{{"actors/catchup/filling.go",
			"\tchild := ctx.Spawn(s.Props(NewFill(s.Ensemble, run, s.By)))\n\ts.after(ctx, s.Patience.Grace)\n\treturn filling{s, child}\n",
			"\tvar holes []log.Action\n\tfor p := run.First; p <= run.Last; p++ {\n\t\tholes = append(holes, log.Action{Position: p, " +
				"Promised: 1, Performed: 1, Learned: true, Value: log.Value{Kind: log.NOP}})\n\t}\n" +
				"\tctx.Request(s.Replica, replica.Learn{Actions: holes})\n\treturn s.look(ctx)\n",
		}, {"actors/catchup/filling.go",
			"/actors/network\"\n", "/actors/network\"\n\t\"github.com/quorumlog/quorumlog/actors/replica\"\n",
		}}, []Judge{simulation()}},
		{"M14", "batches are acknowledged in another order than that of their positions", []Edit{{"actors/coordinator/writing.go",
			"\tfor _, b := range chosen {\n\t\tb.acknowledge(ctx)\n",
			"\tfor i := range chosen {\n\t\tchosen[len(chosen)-1-i].acknowledge(ctx)\n\t\tb := chosen[i]\n",
		}}, []Judge{simulation()}},
		{"M15", "a reader reads beyond what is learned", []Edit{
			{"actors/replica/read.go", "within.Last = learned\n", "within.Last = r.ledger.End()\n"},
			{"actors/replica/read.go", "case within.Last > learned:", "case within.Last > r.ledger.End():"},
		}, []Judge{simulation()}},
		{"M18", "damage in the write-ahead log is taken for its torn end", []Edit{{"log/storage/disk/marks.go",
			"} else if err != nil {\n\t\t\treturn nil, lost(err)", "} else if err != nil && !errors.Is(err, errDamaged) {\n\t\t\treturn nil, lost(err)",
		}}, []Judge{disk()}},
		{"unmerged", "a recovery does not adopt the crash vectors of its quorum", []Edit{{"actors/replica/recover.go",
			"\tmeta.Known = adopted(meta, m)\n", "",
		}}, []Judge{simulation()}},
		{"no-reign", "a recovery does not adopt the reign of its quorum", []Edit{{"actors/replica/recover.go",
			"\tmeta.Reign = meta.Reign.Later(m.Reign)\n", "",
		}}, []Judge{simulation()}},
		{"one-round", "an election ends with its first round: no quorum notes the reign", []Edit{{"actors/coordinator/election.go",
			"\treign := round.Reign(log.Reign{By: s.by, First: s.next})\n" +
				"\treturn beginning{s.coordinator, ctx.Spawn(s.Props(round.New(s.Ensemble, s.self, reign)))}\n",
			"\treturn beginning{s.coordinator, nil}.won(ctx)\n",
		}}, []Judge{simulation()}},
		{"no-begin", "a recovery does not adopt the begin of its quorum", []Edit{{"actors/recovery/recover.go",
			"\tctx.Request(s.Replica, replica.Jump{Begin: s.missed.First})\n", "",
		}}, []Judge{simulation(), suite("protocol", "tests/protocol", "^TestPositionsDoNotOverflow$")}},
		{"no-opinion", "a member stands for election without asking whether anybody minds", []Edit{{"actors/leader/standing.go",
			"\t\tif m.attempt == s.attempt {\n\t\t\treturn s.canvass(ctx, 0)\n\t\t}\n\tcase replica.Inspected:\n\t\tif !s.mayStand",
			"\t\tif m.attempt == s.attempt {\n\t\t\treturn s.stand(ctx)\n\t\t}\n\tcase replica.Inspected:\n\t\tif !s.mayStand",
		}}, []Judge{scenario(), suite("protocol", "tests/protocol", "FencesNobody")}},
		{"no-stickiness", "a replica does not mind an election although it hears a writer", []Edit{{"log/paxos/canvass.go",
			"case heard > 0 && heard.Replica() != by.Replica():", "case heard > 0 && heard == by:",
		}}, []Judge{scenario(), suite("protocol", "tests/protocol", "FencesNobody")}},
		{"no-abdication", "a writer that hears no quorum goes on", []Edit{{"actors/leader/leading.go",
			"case s.unheard >= cutOff:", "case s.unheard >= 1000*cutOff:",
		}}, []Judge{suite("protocol", "tests/protocol", "CutOffStepsAside")}},
		{"no-standing", "a member that hears no writer does not stand for election", []Edit{{"actors/leader/standing.go",
			"\t\tif s.mayStand() && m.Heard == 0 {\n\t\t\treturn s.wait(ctx)\n\t\t}\n", "",
		}}, []Judge{simulation(), suite("protocol", "tests/protocol", "HasAWriter")}},
		{"unregistered", "a replica does not register whom it answers", []Edit{{"actors/replica/admit.go",
			"return identity.Refusal{}, r.register(ctx, e.From)", "return identity.Refusal{}, true",
		}}, []Judge{simulation(), scenario()}},
	}
}

// disk is the judge of what the disk engine gets wrong: it breaks files and syncs, which the simulation's disks are not.
func disk() Judge { return suite("disk", "log/storage/disk", ".") }

// scenario is the judge that plays the holes of the original as they were written down.
func scenario() Judge { return suite("scenario", "tests/scenario", ".") }
