package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// mark is the first byte of an entry that is no text, but the image of an index: what everything before its Next comes to.
const mark = 0

// compact puts the index into the log, and drops what is in it. It can do so as long as the index has less than 1 MiB.
func (x *index) compact(ctx context.Context, client *cluster.Client) error {
	image, err := json.Marshal(x)
	if err != nil {
		return err
	}
	if _, err := client.Append(ctx, append([]byte{mark}, image...)); err != nil {
		return err // what is not known to be in the log stands for nothing: nothing is dropped
	}
	_, err = client.Truncate(ctx, x.Next)
	return err
}

// rebuild returns the index that stands for what was before the log's begin.
func rebuild(ctx context.Context, reader *cluster.Reader, begin log.Position) (*index, error) {
	for entry, err := range reader.ReadLatest(ctx, begin, 0) {
		if err != nil {
			return nil, err
		}
		if x, ok := imageIn(entry); ok && x.Next >= begin { // an older one leaves a gap
			return x, nil
		}
	}
	return nil, fmt.Errorf("the log begins at %d, and has no index of what was before", begin)
}

// imageIn returns the index that is in an entry; false where it is a text.
func imageIn(e cluster.Entry) (*index, bool) {
	x := empty()
	if len(e.Data) == 0 || e.Data[0] != mark || json.Unmarshal(e.Data[1:], x) != nil {
		return nil, false
	}
	return x, true
}
