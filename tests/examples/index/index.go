package main

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// index says at which positions each word is. It has its place with it: the two are kept together, or not at all, so that no entry
// counts twice, and none is left out.
type index struct {
	Next  log.Position              `json:"next"` // everything before it is in Words
	Words map[string][]log.Position `json:"words"`
}

// empty is an index of nothing. It begins with the first position of all, and not with the first that is left: what was truncated
// would be missing, and nobody would know.
func empty() *index { return &index{Next: 1, Words: map[string][]log.Position{}} }

// add takes in an entry, and returns the words that are in it: none where it is an image.
func (x *index) add(e cluster.Entry) (words []string) {
	if _, ok := imageIn(e); !ok {
		words = strings.Fields(string(e.Data))
	}
	for _, word := range words {
		x.Words[word] = append(x.Words[word], e.Position)
	}
	x.Next = e.Position + 1
	return words
}

// load returns the index in a file: an empty one where that is not there, or is damaged, as everything can be read again.
func load(file string) *index {
	x := empty()
	if text, err := os.ReadFile(file); err != nil || json.Unmarshal(text, x) != nil {
		return empty()
	}
	return x
}

// save replaces the file as a whole. It is not synced: what is lost with the machine is read again.
func (x *index) save(file string) error {
	text, err := json.Marshal(x)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
