// Package foreign is a program that talks to a log without any of our client: a stock Proto.Actor remote, PIDs, and the messages of
// the schema are all it has, as a program in another language does. docs/messages.md shows its source, and the tests run it
// against members of the real program.
package foreign
