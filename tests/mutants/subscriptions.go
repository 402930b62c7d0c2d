package mutants

// ofSubscriptions are the mutants of who is pushed the log.
func ofSubscriptions() []Mutant {
	return []Mutant{
		{"over-credit", "one entry more is on its way to a subscriber than it has granted", []Edit{{"actors/subscription/credit.go",
			"return entries < roomForEntries &&", "return entries <= roomForEntries &&",
		}}, []Judge{suite("subscription", "actors/subscription", "^TestWhatFits")}},
		{"forgotten-loss", "what was lost on the way to a subscriber counts as received", []Edit{{"actors/subscription/subscriber.go",
			"\ts.credit.lost()\n\ts.jump(s.base)\n", "\ts.credit.lost()\n",
		}}, []Judge{suite("protocol", "tests/protocol", "^TestWhatWasLostIsDeliveredAgain$")}},
		{"silent-truncation", "a subscriber goes on behind what was truncated, and is not told", []Edit{{"actors/subscription/subscription.go",
			"\t\ts.halted = p.Begin\n\t\ts.tellTruncated(ctx)\n", "\t\ts.next = p.Begin\n\t\ts.proceed(ctx)\n",
		}}, []Judge{suite("protocol", "tests/protocol", "^TestASubscriberIsToldWhereATruncatedLogBegins$")}},
		{"ended-by-anybody", "a client says of the actors of a member that they have ended", []Edit{{"cluster/guard.go",
			"fault = t.guard.endingDenied(e.GetMessageData(), *who)", "fault = t.guard.endingFault(e.GetMessageData())",
		}}, []Judge{suite("cluster", "cluster", "^TestWhoHasEnded")}},
	}
}
