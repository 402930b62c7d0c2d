package disk

import "github.com/cockroachdb/pebble/v2"

// apart has Pebble keep the records of each log in tables of their own. The few keys before them are written again all the time: a
// table that held some of those and new records would reach over all records in between, and a compaction would write these again.
// So would one that held the newest records of two logs. And what is damaged of one log, and cut out, is in no table of another.
func apart(first []byte) (policy pebble.SpanPolicy, end []byte, err error) {
	switch {
	case first[0] < recordSpace:
		end = []byte{recordSpace}
	case first[0] == recordSpace:
		end = []byte{namedRecordSpace}
	case first[0] == namedRecordSpace && len(first) > 1:
		end = []byte{namedRecordSpace, first[1] + 1}
	}
	return pebble.SpanPolicy{}, end, nil
}
