package mutants

// ofSyncs are the mutants of what is durable before anybody hears of it.
func ofSyncs() []Mutant {
	return []Mutant{
		{"M6", "a replica answers before it syncs", []Edit{{"actors/replica/group.go",
			"r.group.waiting = append(r.group.waiting, waiting{to, answer, bytes})",
			"r.respond(ctx, to, answer)",
		}}, []Judge{simulation()}},
		{"M7", "a replica ignores that a sync failed", []Edit{{"actors/replica/group.go",
			"if r.fault != nil || !r.stored(ctx, m.err) {",
			"if _ = m.err; r.fault != nil {",
		}}, []Judge{simulation()}},
		{"M7-disk", "the disk ignores that a sync failed", []Edit{{"log/storage/disk/sync.go",
			"return fmt.Errorf(\"sync: %w\", s.fault.failed())", "return nil",
		}}, []Judge{disk()}},
		{"late-sync", "a flush lets the answers go, and then syncs", []Edit{{"actors/replica/group.go",
			"\tctx.Request(r.syncer, await{r.Clock.Now(), r.Store.StartSync()})\n",
			"\tfor _, w := range r.group.waiting {\n\t\tr.respond(ctx, w.to, w.answer)\n\t}\n" +
				"\tr.group.waiting, r.group.covered = nil, 0\n\tctx.Request(r.syncer, await{r.Clock.Now(), r.Store.StartSync()})\n",
		}}, []Judge{simulation()}},
		{"early-epoch", "an answer that rests on a change made during a sync leaves with that sync", []Edit{{"actors/replica/group.go",
			"\tcase !r.group.dirty:\n", "\tcase r.group.syncing:\n",
		}}, []Judge{simulation(), syncs()}},
		{"young", "an answer that waits for two syncs tells the age after one", []Edit{{"actors/replica/admit.go",
			"self.Age += r.group.syncs()", "self.Age += min(r.group.syncs(), 1)",
		}}, []Judge{syncs()}},
		{"young-proposal", "a proposal is handed out with the age of before its sync", []Edit{{"actors/replica/read.go",
			"Identity: r.answering()}", "Identity: r.admission.Self}",
		}}, []Judge{simulation(), syncs(), suite("rollback", "tests/protocol", "ReservationOfItsProposal")}},
	}
}

// syncs is the judge that looks at what leaves while a sync runs.
func syncs() Judge { return suite("protocol", "tests/protocol", "Sync") }
