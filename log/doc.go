// Package log is the vocabulary of the replicated log: positions, proposals, replicas, values and actions.
//
// Its sub-packages are the rules, each a function of its arguments (interval, ledger, paxos, status, identity), the
// gateway between messages and these values (codec), and the disk (storage). The name shadows the standard package on
// purpose: quorumlog logs with zerolog.
package log
