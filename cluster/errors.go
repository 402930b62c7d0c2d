package cluster

import (
	"errors"
	"fmt"

	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
)

// What a call may return, wrapped; compare with errors.Is. The text says what to do next.
var (
	// ErrFenced: another writer was elected. The entries are not in the log, and never will be.
	ErrFenced = errors.New("fenced by another writer")
	// ErrNotElected: no writer could be elected in time. The entries are not in the log.
	ErrNotElected = errors.New("not elected")
	// ErrIndeterminate: the entries may or may not be in the log, or come to be. An append finds out by itself; it returns this only
	// where its context ended before it could. Read the log before you append them again.
	ErrIndeterminate = errors.New("outcome unknown")
	// ErrSessionEvicted is an ErrIndeterminate that no waiting would have resolved: so many other clients appended since the entries
	// were sent that the log's table of sessions has forgotten this client's. Its next append begins a new session.
	ErrSessionEvicted = fmt.Errorf("%w: the session is forgotten", ErrIndeterminate)
	// ErrSplit: a batch is not in the log as one piece. The error is a *SplitError, which says where its entries are.
	ErrSplit = errors.New("the batch is in the log in pieces")
	// ErrNoQuorum: no quorum of the members answered in time. Of an Append: the entries are not in the log.
	ErrNoQuorum = errors.New("no quorum")
	// ErrNotVoting: the member's replica does not vote yet.
	ErrNotVoting = errors.New("not voting")
	// ErrNoLog: the member has no log of this name: it is to be told to have one (Config.Logs, serve --logs). Nothing was done.
	ErrNoLog = errors.New("no such log")
	// ErrLogOpen: the log is open in this process already.
	ErrLogOpen = storage.ErrLogOpen
	// ErrTruncated: the position is below the log. The error is a *TruncatedError, which says where the log begins.
	ErrTruncated = errors.New("truncated")
	// ErrNotLearned: the position is above what the member has learned. Catch up first.
	ErrNotLearned = errors.New("not learned")
	// ErrBusy: too much waits already. The entries are not in the log; try again later.
	ErrBusy = errors.New("busy")
	// ErrTooLarge: an entry has more than 1 MiB, or a batch more than 1 MiB or 1,024 entries.
	ErrTooLarge = errors.New("too large")
	// ErrBadRange: the range, or the position to truncate to, is not in the log.
	ErrBadRange = errors.New("bad range")
	// ErrBadChange: the members cannot be changed like that: the id was a member's before, say. The text says what to do instead.
	ErrBadChange = errors.New("the members cannot be changed like that")
	// ErrBehind: the observer is not there, or it, or a voter that cannot be spared, lacks too much of the log. Ask again once it has
	// caught up.
	ErrBehind = membership.ErrBehind
	// ErrUnhealthy: too few voters would be there after the change. Have those back first that are missing.
	ErrUnhealthy = membership.ErrUnhealthy
	// ErrRemoved: the replica was removed from the log. The node has stopped.
	ErrRemoved = member.ErrRemoved
	// ErrClosed: the node or the client was closed.
	ErrClosed = errors.New("closed")

	// ErrCorrupt: the disk holds what was not written to it. The node has stopped; the next start repairs it, unless
	// Config.Repair, the number of members or the kind of damage forbids that. From a client: what was asked for is damaged at the
	// member that was asked, which has stopped, or copies it from another one.
	ErrCorrupt = storage.ErrCorrupt
	// ErrDiskFailed: a write to the disk failed. The node has stopped.
	ErrDiskFailed = storage.ErrFailed
	// ErrDiskFull: the disk has no room. It is an ErrDiskFailed. The node has stopped; it is no damage, and a start with the
	// same directory goes on once there is room.
	ErrDiskFull = storage.ErrFull
	// ErrInUse: another process has the data directory open.
	ErrInUse = storage.ErrInUse
	// ErrForeign: the data directory belongs to another cluster, replica or member list.
	ErrForeign = storage.ErrForeign
	// ErrNewerFormat: the data directory was written by a newer version.
	ErrNewerFormat = storage.ErrNewerFormat
	// ErrReplaced: the cluster knows this replica under another data directory, or knows a later state of this one. The node
	// has stopped.
	ErrReplaced = member.ErrFenced
	// ErrOtherLog: a log was begun on this disk by mistake, as it was lost and the member was started with a list of others whose disks
	// were new as well, and the members that there are have another one. The node has stopped; nothing on its disk was changed.
	ErrOtherLog = member.ErrOtherLog
	// ErrConfiguration: the other members have another member list, or belong to another cluster. The node has stopped.
	ErrConfiguration = member.ErrConfiguration
	// ErrAddress: the address to listen on is taken, or not of this machine.
	ErrAddress = errors.New("cannot listen")
)

// SplitError is an ErrSplit: the entries of a batch are in the log in their order, and other entries are between them, because
// the member that wrote failed in the middle. Where some are Missing, it is the last ones, which are not in the log and never
// will be, as their writer was fenced.
type SplitError struct {
	Places  []log.Range // the positions of the entries, in order
	Missing int         // how many entries at the end of the batch are not in the log
}

// Error implements error.
func (e *SplitError) Error() string {
	if e.Missing > 0 {
		return fmt.Sprintf("%v: its writer was fenced, and the last %d entries are not in the log; the first ones are at %v", ErrSplit, e.Missing, e.Places)
	}
	return fmt.Sprintf("%v: all of it is there, at %v", ErrSplit, e.Places)
}

// Is makes errors.Is(err, ErrSplit) true.
func (e *SplitError) Is(target error) bool { return target == ErrSplit }

// errGap: numbers of the session are missing before the entries, which were not appended.
var errGap = errors.New("an earlier append is missing")

// refusedError is an ErrSessionEvicted with what the next session may say.
type refusedError struct {
	error
	since log.Position
}

// Unwrap implements what errors.Is looks for.
func (e *refusedError) Unwrap() error { return e.error }

// TruncatedError is an ErrTruncated that says where the log begins.
type TruncatedError struct {
	Begin  log.Position // the first position that is kept
	detail string
}

// Error implements error.
func (e *TruncatedError) Error() string { return "truncated: " + e.detail }

// Is makes errors.Is(err, ErrTruncated) true.
func (e *TruncatedError) Is(target error) bool { return target == ErrTruncated }

var codes = map[messages.Code]error{
	messages.Code_CODE_FENCED: ErrFenced, messages.Code_CODE_NOT_ELECTED: ErrNotElected,
	messages.Code_CODE_INDETERMINATE: ErrIndeterminate, messages.Code_CODE_NO_QUORUM: ErrNoQuorum,
	messages.Code_CODE_NOT_VOTING: ErrNotVoting, messages.Code_CODE_NOT_LEARNED: ErrNotLearned,
	messages.Code_CODE_BAD_CHANGE: ErrBadChange, messages.Code_CODE_BEHIND: ErrBehind,
	messages.Code_CODE_UNHEALTHY: ErrUnhealthy, messages.Code_CODE_WRITER: membership.ErrWriter,
	messages.Code_CODE_BUSY: ErrBusy, messages.Code_CODE_TOO_LARGE: ErrTooLarge,
	messages.Code_CODE_CORRUPT: ErrCorrupt, messages.Code_CODE_BAD_RANGE: ErrBadRange, messages.Code_CODE_CLOSED: ErrClosed,
	messages.Code_CODE_SEQUENCE_GAP: errGap, messages.Code_CODE_NO_LOG: ErrNoLog,
}

// failure turns a member's failure into an error.
func failure(m Member, f *messages.Failure) error {
	if f.GetCode() == messages.Code_CODE_TRUNCATED {
		return &TruncatedError{Begin: log.Position(f.GetBegin()), detail: f.GetDetail()}
	}
	if f.GetCode() == messages.Code_CODE_SESSION_EVICTED {
		return &refusedError{fmt.Errorf("%w: member %d at %s: %s", ErrSessionEvicted, m.ID, m.Address, f.GetDetail()), log.Position(f.GetSince())}
	}
	if kind, ok := codes[f.GetCode()]; ok {
		return fmt.Errorf("%w: member %d at %s: %s", kind, m.ID, m.Address, f.GetDetail())
	}
	return fmt.Errorf("member %d at %s refused the request: %s", m.ID, m.Address, f.GetDetail())
}
