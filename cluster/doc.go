// Package cluster is one member of a replicated log, and the API for programs.
//
// Start opens the data directory, joins the other members, and has the local replica recovered; Dial reaches a cluster
// from outside. Both lead to the same verbs: a Writer appends and truncates, a Reader reads.
//
//	config.go      what a member is given, checked
//	node.go        Start: one member in this process; it fails stop
//	logs.go        OpenLog: more logs in it; host.go: what they share
//	client.go      Dial: the verbs through any member
//	writer.go      appends under a fence
//	reader.go      reads of one member's replica
//	subscription.go  Subscribe: the log, pushed to an actor
//	membership.go  members, their addresses, and the cluster's id
//	discovery/     where members are that moved; whereabouts.go: how they are reached then
//	events.go      what happens at a member of this process, typed: on the actor system's event stream, and by Node.Events
//	history.go     the same of any member, asked from outside
//	tracing.go     spans of appends, and of recoveries (recoveries.go), where a program wants some
//	slog.go        log lines for programs that log with log/slog
//	collector.go   metrics, for a program to register
//	grain/         actors, and logs, by the cluster identity of protoactor's cluster module; relay.go: requests that others made
//	board/         the same over HTTP, with a page
//	errors.go      what a call may return
//	remote.go      protoactor's remote, with its doors closed (guard.go, weight.go)
package cluster
