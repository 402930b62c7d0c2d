// Package examples runs the programs below it, which show how the log is used and are there to be copied: README.md lists them.
//
//	stage.go          what an example needs to be run: its program, three addresses, a directory
//	examples_test.go  every example has a story: what is run, what is done to it, and what it must print then
package examples
