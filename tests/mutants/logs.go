package mutants

// ofLogs are the mutants of how several logs share a disk.
func ofLogs() []Mutant {
	return []Mutant{
		{"forgotten-log", "a log that was in a damaged directory begins as if it never was", []Edit{{"log/storage/disk/create.go",
			"s.establish(had)", "s.establish(had && i == 0)",
		}}, []Judge{disk()}},
		{"lost-roster", "a directory that lost the names of its logs is replaced as if it had had none", []Edit{{"log/storage/disk/roster.go",
			"roster{forgotten: true}", "roster{}",
		}}, []Judge{disk()}},
		{"open-to-old", "an older program may open a directory with logs that it does not know", []Edit{{"log/storage/disk/create.go",
			"if l.format >= storage.FormatLogs {", "if l.format > 0 {",
		}}, []Judge{disk()}},
		{"early-name", "a log is named before it is there", []Edit{{"log/storage/disk/create.go",
			"	err := s.clear()\n	if err == nil {\n		err = s.establish(e.roster.forgotten)\n	}\n	if err == nil {\n		err = e.worker.do(func() error { return e.enroll(l.Name) })\n	}\n",
			"	err := e.worker.do(func() error { return e.enroll(l.Name) })\n	if err == nil {\n		err = s.establish(e.roster.forgotten)\n	}\n",
		}}, []Judge{disk()}},
		{"mixed-tables", "the records of all logs are in the same tables", []Edit{{"log/storage/disk/tables.go",
			"end = []byte{namedRecordSpace, first[1] + 1}", "end = nil",
		}}, []Judge{disk()}},
		{"unread-logs", "after a failure only the log without a name is read again", []Edit{{"log/storage/disk/load.go",
			"		report, err := Check(s, nil)\n", "		if s.keys != 0 {\n			continue\n		}\n		report, err := Check(s, nil)\n",
		}}, []Judge{disk()}},
		{"hasty-complaint", "the first log that does not know what Pebble complains of fails the disk", []Edit{{"log/storage/disk/background.go",
			"c.left.Add(-1) == 0 && !c.explained.Load()", "c.left.Add(-1) >= 0 && !c.explained.Load()",
		}}, []Judge{disk()}},
		{"deaf-logs", "only one log is told that the disk has failed", []Edit{{"log/storage/disk/fault.go",
			"			go tell(f.err)\n", "			go tell(f.err)\n			break\n",
		}}, []Judge{disk()}},
	}
}
