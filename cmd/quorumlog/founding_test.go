package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A link that leads nowhere can be renamed, though what it names can be neither changed nor synced.
func TestADirectoryThatCannotBeSyncedDoesNotGetItsName(t *testing.T) {
	dir := t.TempDir()
	beside, name := filepath.Join(dir, "beside"), filepath.Join(dir, "name")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), beside); err != nil {
		t.Fatal(err)
	}
	if err := putInPlace(beside, name); err == nil {
		t.Error("nobody said that nothing could be synced")
	}
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the name is there: %v", err)
	}
}
