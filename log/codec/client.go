package codec

import (
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// DecodeAppendRequest reads the entries of an AppendRequest, with their session.
func DecodeAppendRequest(m *messages.AppendRequest) ([]log.Value, error) {
	if err := CheckEntries(m.GetEntries()); err != nil {
		return nil, err
	}
	session, err := decodeSession(m.GetSession(), m.GetSequence(), len(m.GetEntries()))
	if err != nil {
		return nil, err
	}
	values := make([]log.Value, len(m.GetEntries()))
	for i, entry := range m.GetEntries() {
		values[i] = log.Value{Kind: log.Append, Data: entry, Session: session}
		if m.GetSequence() > 0 {
			values[i].Sequence = m.GetSequence() + uint64(i)
		}
	}
	return values, nil
}

// CheckEntries says whether entries may be appended together: as many, and as large ones, as a message takes.
func CheckEntries(entries [][]byte) error {
	n, bytes := len(entries), 0
	if n == 0 || n > log.MaxRun {
		return malformed("an append has from 1 to %d entries, not %d", log.MaxRun, n)
	}
	for _, entry := range entries {
		if len(entry) > log.MaxEntry {
			return ErrTooLarge
		}
		bytes += len(entry)
	}
	if n > 1 && bytes > log.MaxRunBytes {
		return ErrTooLarge
	}
	return nil
}

// EncodeFailure writes a failure. What is too long in the detail is cut off.
func EncodeFailure(code messages.Code, detail string) *messages.Failure {
	return &messages.Failure{Code: code, Detail: cut(detail)}
}

// CutDetail returns the first part of a text for people, as much as a message takes.
func CutDetail(detail string) string { return cut(detail) }

// EncodePage writes the records of a page.
func EncodePage(r log.Range, actions []log.Action, begin, learned log.Position) *messages.Page {
	return &messages.Page{Range: encodeRange(r), Actions: encodeActions(actions), Begin: uint64(begin), Learned: uint64(learned)}
}

// EncodeRange writes a range that is not empty.
func EncodeRange(r log.Range) *messages.Range { return encodeRange(r) }

// EncodeRanges writes ranges that are not empty.
func EncodeRanges(ranges []log.Range) []*messages.Range {
	var all []*messages.Range
	for _, r := range ranges {
		all = append(all, encodeRange(r))
	}
	return all
}

// DecodeAppended reads where the entries of an append are: how many positions that are, in their order.
func DecodeAppended(m *messages.AppendResponse) (places []log.Range, n uint64, err error) {
	all := m.GetMore()
	if m.GetRange() != nil {
		all = append([]*messages.Range{m.GetRange()}, all...)
	}
	if len(all) > log.MaxRun {
		return nil, 0, malformed("%d entries are at more than %d places", log.MaxRun, log.MaxRun)
	}
	for _, one := range all {
		r, err := decodeRange(one)
		if err != nil {
			return nil, 0, err
		}
		if k := len(places); r.Len() > log.MaxRun || k > 0 && places[k-1].Last >= r.First {
			return nil, 0, malformed("entries at %s behind others", r)
		}
		places, n = append(places, r), n+r.Len()
	}
	return places, n, nil
}

// DecodeRange reads a range that must be there.
func DecodeRange(m *messages.Range) (log.Range, error) { return decodeRange(m) }

// DecodePage reads a page: its records cover its range without a gap.
func DecodePage(m *messages.Page) (log.Range, []log.Action, error) {
	r, err := decodeRangeIfAny(m.GetRange())
	if err != nil {
		return r, nil, err
	}
	actions, err := decodeActions(m.GetActions(), r)
	if err == nil && uint64(len(actions)) != r.Len() {
		err = malformed("a page of %s has %d records", r, len(actions))
	}
	return r, actions, err
}
