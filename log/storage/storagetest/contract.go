package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// far are positions around which numbers tend to break: the sizes of integers, of decimals, and the end of the log.
var far = []log.Position{1, 1 << 31, 1 << 32, 10_000_000_000, 1 << 63, log.MaxPosition - 8}

var contract = map[string]func(*rig){
	"WhatIsPutIsRead":                     putIsRead,
	"AgeGrowsWithEverySyncOfAChange":      ageGrows,
	"AStoreGoesOnWhileItSyncs":            goesOnWhileItSyncs,
	"ASyncIsAwaitedOnAnotherGoroutine":    waitsElsewhere,
	"ASyncThatRunsCountsOnceItIsDone":     runningSyncCountsLater,
	"CloseMakesDurableWhatASyncCovers":    closeCoversARunningSync,
	"ARecordIsReplacedWhole":              recordIsReplaced,
	"APositionWithoutRecordIsNotFound":    absentIsNotFound,
	"PutKeepsNoLearned":                   putKeepsNoLearned,
	"PutOfNothingIsFine":                  func(r *rig) { r.put() },
	"BytesBelongToTheReader":              bytesBelongToTheReader,
	"ScanKeepsTheOrderOfPositions":        scanKeepsOrder,
	"ScanEndsWhenToldTo":                  scanEnds,
	"ScanOfAnEmptyRangeVisitsNothing":     scanOfNothing,
	"FarPositionsAreKept":                 farPositions,
	"LearnedRunsGrowTogether":             runsGrowTogether,
	"LearningTwiceChangesNothing":         learningTwice,
	"LearningBelowBeginIsIgnored":         learningBelowBegin,
	"SummaryTellsLearnedFromUnlearned":    summaryTells,
	"TruncateDropsWhatIsBelow":            truncateDrops,
	"TruncateCutsALearnedRun":             truncateCuts,
	"TruncateOfAnEmptyLogMovesBegin":      truncateEmpty,
	"TruncateToALowerPositionDoesNothing": truncateLower,
	"PutAfterTruncateIsKept":              putAfterTruncate,
	"MetadataAreKeptWhole":                metadataAreKept,
	"MetadataAreACopy":                    metadataAreACopy,
	"EverythingIsThereAfterReopening":     everythingAfterReopening,
	"ATruncatedLogReopensAtItsBegin":      truncatedReopens,
	"AClosedStoreRefuses":                 closedRefuses,
	"ACondemnedStoreIsCorrupt":            condemned,
	"AReaderSeesTheRecords":               readerSeesTheRecords,
	"AReaderEndsWhenToldTo":               readerEndsWhenToldTo,
	"AReaderReadsBesideItsStore":          readerBesideItsStore,
	"AReaderOfAClosedStoreRefuses":        readerOfAClosedStore,
}

func putIsRead(r *rig) {
	ballot := log.NewProposal(9, 1)
	for _, want := range []log.Action{
		entry(1, "data"),
		{Position: 2, Promised: ballot},
		{Position: 3, Promised: ballot, Performed: ballot, Value: log.Value{Kind: log.NOP}},
		{Position: 4, Promised: ballot, Performed: ballot, Value: log.Value{Kind: log.Truncate, To: 3}},
		entry(5, ""),
		entry(6, string(bytes.Repeat([]byte{7}, log.MaxEntry))),
	} {
		r.put(want)
		got, found, err := r.store.Get(want.Position)
		if err != nil || !found || !same(got, want) {
			r.Errorf("got %+v, %v, %v at %d", got, found, err, want.Position)
		}
	}
}

func recordIsReplaced(r *rig) {
	r.put(entry(1, "first"))
	promise := log.Action{Position: 1, Promised: log.NewProposal(8, 1)}
	r.put(promise)
	if got, _, err := r.store.Get(1); err != nil || !same(got, promise) {
		r.Errorf("got %+v, %v, want the promise alone", got, err)
	}
}

func absentIsNotFound(r *rig) {
	r.put(entry(5, "data"))
	for _, p := range []log.Position{0, 1, 4, 6, log.MaxPosition} {
		if r.holds(p) {
			r.Errorf("found a record at %d", p)
		}
	}
}

func putKeepsNoLearned(r *rig) {
	a := entry(1, "data")
	a.Learned = true
	r.put(a)
	if got, _, err := r.store.Get(1); err != nil || got.Learned {
		r.Errorf("got %+v, %v, want a record that is not learned", got, err)
	}
	r.learn(1, 1)
	if got, _, err := r.store.Get(1); err != nil || !got.Learned {
		r.Errorf("got %+v, %v, want a learned record", got, err)
	}
}

func bytesBelongToTheReader(r *rig) {
	r.put(entry(1, "kept"), entry(2, "next"))
	var seen []log.Action
	r.must(r.store.Scan(log.Span(1, 2), func(a log.Action) bool { seen = append(seen, a); return true }))
	got, _, err := r.store.Get(1)
	r.must(err)
	r.put(entry(1, "else"), entry(2, "else"))
	r.holds(1)
	if string(got.Value.Data) != "kept" || string(seen[0].Value.Data) != "kept" || string(seen[1].Value.Data) != "next" {
		r.Errorf("a later call changed the bytes to %q, %+v", got.Value.Data, seen)
	}
}

func scanKeepsOrder(r *rig) {
	for _, p := range []log.Position{256, 1, 255, 65536, 2, 257} {
		r.put(entry(p, fmt.Sprint(p)))
	}
	if got, want := r.scan(1, log.MaxPosition), []log.Position{1, 2, 255, 256, 257, 65536}; !slices.Equal(got, want) {
		r.Errorf("got %v, want %v", got, want)
	}
	if got, want := r.scan(2, 256), []log.Position{2, 255, 256}; !slices.Equal(got, want) {
		r.Errorf("got %v in [2, 256], want %v", got, want)
	}
}

func scanEnds(r *rig) {
	r.put(entries(1, 9)...)
	visits := 0
	r.must(r.store.Scan(log.Span(1, 9), func(log.Action) bool { visits++; return visits < 3 }))
	if visits != 3 {
		r.Errorf("visited %d records, want 3", visits)
	}
}

func scanOfNothing(r *rig) {
	r.put(entries(1, 3)...)
	if got := append(r.scan(0, 0), r.scan(3, 2)...); len(got) > 0 {
		r.Errorf("visited %v", got)
	}
}

func farPositions(r *rig) {
	var all []log.Position
	for _, base := range far {
		for p := base; p <= base+8; p++ {
			r.put(entry(p, fmt.Sprint(p)))
			all = append(all, p)
		}
		r.learn(base, base+4)
	}
	r.reopen()
	if got := r.scan(1, log.MaxPosition); !slices.Equal(got, all) {
		r.Errorf("got %v, want %v", got, all)
	}
	for _, p := range all {
		if a, _, err := r.store.Get(p); err != nil || string(a.Value.Data) != fmt.Sprint(p) {
			r.Errorf("got %+v, %v at %d", a, err, p)
		}
	}
	r.truncate(log.MaxPosition)
	if got := r.scan(1, log.MaxPosition); !slices.Equal(got, []log.Position{log.MaxPosition}) {
		r.Errorf("got %v after truncation, want the last position", got)
	}
}

func runsGrowTogether(r *rig) {
	r.put(entries(1, 30)...)
	for _, step := range []struct {
		first, last log.Position
		want        string
	}{
		{10, 12, "{[10, 12]}"},
		{20, 22, "{[10, 12] [20, 22]}"},
		{13, 13, "{[10, 13] [20, 22]}"}, // touches from above
		{8, 9, "{[8, 13] [20, 22]}"},    // touches from below
		{1, 1, "{[1, 1] [8, 13] [20, 22]}"},
		{12, 15, "{[1, 1] [8, 15] [20, 22]}"}, // overlaps at the end
		{14, 19, "{[1, 1] [8, 22]}"},          // joins two
		{25, 25, "{[1, 1] [8, 22] [25, 25]}"},
		{27, 28, "{[1, 1] [8, 22] [25, 25] [27, 28]}"},
		{5, 30, "{[1, 1] [5, 30]}"}, // swallows three
		{2, 4, "{[1, 30]}"},
	} {
		r.learn(step.first, step.last)
		for range 2 {
			if got := fmt.Sprintf("{%v}", trim(r.summary().Learned)); got != step.want {
				r.Fatalf("after [%d, %d]: got %s, want %s", step.first, step.last, got, step.want)
			}
			r.reopen()
		}
	}
}

func trim(s interval.Set) string {
	text := fmt.Sprint(s.Runs())
	return text[1 : len(text)-1]
}

func learningTwice(r *rig) {
	r.put(entries(1, 9)...)
	r.learn(1, 9)
	r.learn(3, 5)
	r.reopen()
	if got := r.summary().Learned; !got.Equal(interval.Of(log.Span(1, 9))) {
		r.Errorf("got %v", got)
	}
}

func learningBelowBegin(r *rig) {
	r.put(entries(1, 9)...)
	r.truncate(5)
	r.learn(1, 6)
	r.learn(1, 3)
	if got := r.summary().Learned; !got.Equal(interval.Of(log.Span(5, 2))) {
		r.Errorf("got %v, want [5, 6]", got)
	}
}

func summaryTells(r *rig) {
	r.put(entries(1, 10)...)
	r.put(entry(15, "after a hole"), log.Action{Position: 20, Promised: 7})
	r.learn(2, 4)
	r.learn(8, 9)
	got := r.summary()
	learned := interval.Of(log.Span(2, 3), log.Span(8, 2))
	unlearned := interval.Of(log.Span(1, 1), log.Span(5, 3), log.Span(10, 1), log.Span(15, 1), log.Span(20, 1))
	if !got.Learned.Equal(learned) || !got.Unlearned.Equal(unlearned) {
		r.Errorf("got %+v, want %v and %v", got, learned, unlearned)
	}
}

func truncateDrops(r *rig) {
	for p := log.Position(1); p <= 100; p += 3 { // with many holes
		r.put(entry(p, "data"))
	}
	r.truncate(50)
	got := r.scan(1, log.MaxPosition)
	if len(got) != 17 || got[0] != 52 || r.holds(49) || r.store.Metadata().Begin != 50 {
		r.Errorf("got %v, begin %d, want 52, 55, ..., begin 50", got, r.store.Metadata().Begin)
	}
}

func truncateCuts(r *rig) {
	r.put(entries(1, 20)...)
	r.learn(1, 3)
	r.learn(5, 15)
	r.truncate(10)
	for range 2 {
		got := r.summary()
		if !got.Learned.Equal(interval.Of(log.Span(10, 6))) || !got.Unlearned.Equal(interval.Of(log.Span(16, 5))) {
			r.Errorf("got %+v, want [10, 15] and [16, 20]", got)
		}
		r.reopen()
	}
}

func truncateEmpty(r *rig) {
	r.truncate(1000)
	r.reopen()
	if got := r.store.Metadata().Begin; got != 1000 || len(r.scan(1, log.MaxPosition)) > 0 {
		r.Errorf("begins at %d, want 1000, without a record", got)
	}
}

func truncateLower(r *rig) {
	r.put(entries(1, 9)...)
	r.truncate(5)
	r.truncate(5)
	r.truncate(2)
	if got := r.scan(1, 9); r.store.Metadata().Begin != 5 || len(got) != 5 {
		r.Errorf("begins at %d with %v, want 5", r.store.Metadata().Begin, got)
	}
}

func putAfterTruncate(r *rig) {
	r.put(entries(1, 9)...)
	r.truncate(5)
	r.put(entry(5, "again"), entry(12, "new"))
	r.reopen()
	if got := r.scan(1, log.MaxPosition); !slices.Equal(got, []log.Position{5, 6, 7, 8, 9, 12}) {
		r.Errorf("got %v", got)
	}
	if a, _, err := r.store.Get(5); err != nil || string(a.Value.Data) != "again" {
		r.Errorf("got %+v, %v", a, err)
	}
}

func metadataAreKept(r *rig) {
	want := r.store.Metadata()
	want.Status = status.Recovering
	want.Promised, want.Highest = log.NewProposal(5, 3), log.NewProposal(1<<40, 65535)
	want.Reign = log.Reign{By: log.NewProposal(4, 2), First: 77}
	want.Incarnation.Generation = 4
	want.Known = identity.Vector{}.With(1, identity.Incarnation{Generation: 2, Disk: 1 << 63}).With(3, identity.Incarnation{Generation: 1, Disk: 5})
	want.Heard = []identity.Heard{{Replica: 2, Process: identity.Process{
		Incarnation: identity.Incarnation{Generation: 3, Disk: 6}, Boot: 7, Nonce: 1 << 63, BootAge: 8, Age: 1 << 62}}}
	want.Configuration = membership.Configuration{Epoch: 1, Highest: 9, Members: []membership.Member{{ID: 9, Address: "a:1", Role: membership.Voter}}}
	want.Founders = identity.Founders{1 << 63, 7}
	r.must(r.store.SetMetadata(want))
	for range 2 {
		got := r.store.Metadata()
		got.Boot = want.Boot // an engine may count
		if !reflect.DeepEqual(got, want) {
			r.Errorf("got %+v, want %+v", got, want)
		}
		r.reopen()
	}
}

func metadataAreACopy(r *rig) {
	r.setMetadata(func(m *storage.Metadata) {
		m.Known = identity.Vector{{Replica: 1, Incarnation: identity.Incarnation{Generation: 1}}}
	})
	r.store.Metadata().Known[0].Incarnation.Generation = 9
	if got := r.store.Metadata().Known[0].Incarnation.Generation; got != 1 {
		r.Errorf("a reader changed the generation to %d", got)
	}
}

func everythingAfterReopening(r *rig) {
	r.put(entries(1, 9)...)
	r.learn(1, 4)
	r.setMetadata(voting)
	r.reopen() // without a sync: Close does it
	got := r.summary()
	if len(r.scan(1, 9)) != 9 || got.Learned.Len() != 4 || got.Unlearned.Len() != 5 || r.store.Metadata().Status != status.Voting {
		r.Errorf("got %v, %+v, %+v", r.scan(1, 9), got, r.store.Metadata())
	}
}

func truncatedReopens(r *rig) {
	r.put(entries(1, 9)...)
	r.truncate(7)
	r.reopen()
	if got := r.scan(1, 9); r.store.Metadata().Begin != 7 || !slices.Equal(got, []log.Position{7, 8, 9}) {
		r.Errorf("begins at %d with %v, want 7", r.store.Metadata().Begin, got)
	}
}

func closedRefuses(r *rig) {
	r.must(r.store.Close())
	r.must(r.store.Close())
	_, _, get := r.store.Get(1)
	_, summary := r.store.Summary()
	for call, err := range map[string]error{
		"Get": get, "Summary": summary, "Put": r.store.Put(entry(1, "late")), "StartSync": r.store.StartSync()(),
		"Learn": r.store.Learn(log.Span(1, 1)), "Truncate": r.store.Truncate(2),
		"SetMetadata": r.store.SetMetadata(r.store.Metadata()),
		"Scan":        r.store.Scan(log.Span(1, 1), func(log.Action) bool { return true }),
	} {
		if !errors.Is(err, storage.ErrClosed) {
			r.Errorf("%s: got %v, want ErrClosed", call, err)
		}
	}
}

func condemned(r *rig) {
	r.put(entry(1, "a"))
	err := r.store.Condemn("somebody knows better")
	if !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), "somebody knows better") {
		r.Errorf("got %v", err)
	}
	if err := r.store.Put(entry(2, "b")); !errors.Is(err, storage.ErrCorrupt) {
		r.Errorf("afterwards: got %v, want ErrCorrupt", err)
	}
}
