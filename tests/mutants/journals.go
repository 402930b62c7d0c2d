package mutants

// ofJournals are the mutants of the journals of actors.
func ofJournals() []Mutant {
	return []Mutant{
		{"fenced-writes", "what a fenced activation writes counts", []Edit{{"log/journal/fold.go",
			"case j == nil || j.activation != e.Activation || j.broken:", "case j == nil || j.activation < e.Activation || j.broken:",
		}}, []Judge{actors(), journals()}},
		{"journal-gap", "events count whatever index comes next", []Edit{{"log/journal/fold.go",
			"case e.Kind == Events && e.Index != j.next, ", "case ",
		}}, []Judge{actors(), journals()}},
		{"behind-gap", "what is written behind a gap counts", []Edit{{"log/journal/fold.go",
			"\t\tj.broken = true\n", "",
		}}, []Judge{journals()}},
		{"lost-late", "a snapshot stands for less than its state and the events that it brings", []Edit{{"log/journal/fold.go",
			"first: at, next: e.next()}", "first: at, next: e.Index}",
		}}, []Judge{actors(), journals()}},
		{"needed-snapshot", "the log is truncated above the snapshot that a journal needs", []Edit{{"log/journal/fold.go",
			"\t\treturn j.snapshot\n\tcase", "\t\treturn j.snapshot + 1\n\tcase",
		}}, []Judge{actors(), journals()}},
		{"early-written", "a keeper answers before it has seen what came before an entry", []Edit{{"actors/persistence/keeper.go",
			"if w.at > k.fold.UpTo() {", "if false {",
		}}, []Judge{actors(), keepers()}},
		{"both-activated", "of two activations at once both are told that the journal is theirs", []Edit{{"actors/persistence/keeper.go",
			"if view.Activation != w.at {", "if false {",
		}}, []Judge{actors(), keepers()}},
		{"passed-verdict", "a keeper that was passed by a truncation judges what it has not read", []Edit{{"actors/persistence/keeper.go",
			"if w.passed {", "if false {",
		}}, []Judge{keepers()}},
		{"twice-followed", "what a keeper is shown twice it takes twice", []Edit{{"actors/persistence/keeper.go",
			"case f.Tag != k.asks:", "case false:",
		}}, []Judge{keepers()}},
	}
}

// actors is the simulation, in runs that are all about actors: of all runs only one in twenty is.
func actors() Judge {
	j := simulation()
	j.Story = "actors"
	return j
}

// journals is the judge that looks at the rule of journals.
func journals() Judge { return suite("journal", "log/journal", ".") }

// keepers is the judge that tells stories of keepers.
func keepers() Judge {
	return suite("protocol", "tests/protocol", "Keeper|ActivatedTogether|APortThat|CannotJudge|ActivationsWhile|AnActorGoesOn")
}
