package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestCopyRateIsWrittenAsASize(t *testing.T) {
	for text, want := range map[string]copyRate{"0": 0, "100": 100, "7B": 7, "4KiB": 4 << 10, "50MiB": 50 << 20, "2GiB": 2 << 30} {
		var r copyRate
		if err := r.Set(text); err != nil || r != want {
			t.Errorf("%s is %d, %v; want %d", text, r, err, want)
		}
	}
	for _, text := range []string{"", "-1", "MiB", "1.5MiB", "5 apples", "5MB", "99999999999", "1BB"} {
		r := copyRate(3)
		if err := r.Set(text); err == nil || r != 3 {
			t.Errorf("%q is taken as %d", text, r)
		}
	}
}

func TestCopyRateMayBeANumberInTheFile(t *testing.T) {
	for _, text := range []string{"copy-rate: 1024", "copy-rate: 1KiB", `copy-rate: "1024"`} {
		name := filepath.Join(t.TempDir(), "quorumlog.yaml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		values, err := readFile(name)
		var r copyRate
		if err = errors.Join(err, r.Set(values["copy-rate"])); err != nil || r != 1024 {
			t.Errorf("%s: %d, %v", text, r, err)
		}
	}
}
