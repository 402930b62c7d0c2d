package mutants

// ofDamage are the mutants of how damaged records are mended.
func ofDamage() []Mutant {
	return []Mutant{
		{"unmended", "what is damaged on the disk is not copied from a peer", []Edit{{"actors/replica/read.go",
			"r.ledger.Missing(m.Range).Union(r.damaged.Intersect(m.Range))", "r.ledger.Missing(m.Range)",
		}}, []Judge{simulation(), suite("protocol", "tests/protocol", "RecordThatRots")}},
		{"rotten-below", "what lies above a damaged record is proposed as if there were none", []Edit{{"actors/catchup/fill.go",
			"m.Fault == replica.Mending", "m.Fault > replica.Mending",
		}}, []Judge{suite("protocol", "tests/protocol", "RottenNOP")}},
		{"unspared", "a record that can be read is cut out with the damaged ones behind it", []Edit{{"log/storage/disk/mend.go",
			"s.setDamaged(b, set), s.spare(b, r.First)", "s.setDamaged(b, set)",
		}}, []Judge{disk()}},
		{"mended-vote", "a vote that is damaged is taken for something that a peer can give", []Edit{{"log/storage/disk/damage.go",
			"!s.learned.Covers(r.Intersect(log.Range{First: s.metadata.Begin, Last: log.MaxPosition})):", "r.Empty():",
		}}, []Judge{disk()}},
		{"served-rot", "a damaged record is left out where a member reads", []Edit{{"log/storage/disk/read.go",
			"\t} else if !t.ended {\n\t\terr = s.damage.known(r)\n", "",
		}}, []Judge{disk()}},
	}
}
