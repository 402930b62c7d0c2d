// Package messages is the schema of everything that is said between processes and kept on disk.
//
// It holds generated code and nothing else: log.proto has a sentence for every field, and log/codec turns a message
// into values of package log, once, at the edge. `make proto` writes log.pb.go again.
package messages
