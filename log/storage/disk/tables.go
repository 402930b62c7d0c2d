package disk

import "github.com/cockroachdb/pebble/v2"

// apart has Pebble keep records in tables of their own. The few keys before them are written again all the time: a table that held
// some of those and new records would reach over all records in between, and a compaction would write these again.
func apart(first []byte) (policy pebble.SpanPolicy, end []byte, err error) {
	if first[0] < recordSpace {
		end = []byte{recordSpace}
	}
	return pebble.SpanPolicy{}, end, nil
}
