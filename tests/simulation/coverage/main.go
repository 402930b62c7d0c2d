// Command coverage reads which branches of the rules and actors a simulation reached, from a profile of the Go tool:
//
//	go run ./tests/simulation/coverage -profile cover.out
//
// It prints how many branches of each function were reached, and each that was not. One that is not in exceptions.txt,
// which says why it need not be, makes it fail; so does an exception that is not in the code any more. A run that reached
// nothing proves nothing: a rule that the faults never got to is not checked by them.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"os"
)

//go:embed exceptions.txt
var excepted string

func main() {
	profile := flag.String("profile", "cover.out", "what go test -coverprofile wrote")
	flag.Parse()
	text, missed, err := report(*profile, excepted)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Print(text)
	if missed > 0 {
		os.Exit(1)
	}
}

// report says what was reached, and how many branches should have been and were not.
func report(profile, excepted string) (text string, missed int, err error) {
	raw, err := os.ReadFile(profile)
	if err != nil {
		return "", 0, fmt.Errorf("read the profile: %w", err)
	}
	branches, err := read(string(raw), os.ReadFile)
	if err != nil {
		return "", 0, err
	}
	except, err := parse(excepted)
	if err != nil {
		return "", 0, err
	}
	text, missed = judge(branches, except)
	return text, missed, nil
}
