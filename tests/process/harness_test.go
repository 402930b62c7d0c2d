package process

import (
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if code, is := beVault(); is {
		os.Exit(code)
	}
	code, ran := runApart()
	if !ran {
		code = runHere(m)
	}
	if err := RemoveBuilt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runHere(m *testing.M) int {
	if err := settle(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func TestNoPortIsGivenTwice(t *testing.T) {
	seen := map[string]bool{}
	for _, address := range FreePorts(t, 50) {
		if seen[address] {
			t.Errorf("%s was given twice", address)
		}
		seen[address] = true
	}
}
